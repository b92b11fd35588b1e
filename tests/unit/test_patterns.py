"""From an ROI's responses to patterns and RDMs, against plain loops and closed forms; guard 5."""

import json

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist

from brain_settings import patterns_by
from rulealign.data.responses import cleaning, patterns
from rulealign.data.responses.cleaning import check_cleaning, cleaning_on_noise, sampling_error
from rulealign.data.responses.patterns import (
    read_trials_and_responses,
    repeated_patterns,
    select_patterns,
    zscore,
)
from rulealign.errors import ConfigurationError, DataError, GuardError
from rulealign.plan.settings.brain import DistanceSettings
from rulealign.rsa.brain_distance import brain_distance
from rulealign.rsa.distances.crossnobis import Crossnobis
from rulealign.rsa.pattern_distances import crossnobis_rdm
from rulealign.store import write_h5

SESSIONS, RUNS, VOXELS = 4, 3, 7


def trial_table(repeated=6, once=3, seed=0):
    """In every session: each repeated image once, and images shown once; dealt to its runs."""
    rng = np.random.default_rng(seed)
    rows = []
    for session in range(1, SESSIONS + 1):
        shown = [(f"cup_{place:02d}s.jpg", "cup", "test") for place in range(repeated)]
        shown += [
            (f"thing{session}{place}_01b.jpg", f"thing{session}{place}", "train")
            for place in range(once)
        ]
        for place, which in enumerate(rng.permutation(len(shown))):
            rows.append((*shown[which], session, 1 + place * RUNS // len(shown)))
    columns = ["stimulus", "concept", "trial_type", "session", "run"]
    return pd.DataFrame(rows, columns=columns).assign(trial_id=range(len(rows)))


def write_responses(path, trials, change=lambda responses: None):
    rng = np.random.default_rng(1)
    responses = rng.gamma(2.0, size=(VOXELS, len(trials))).astype(np.float32)
    change(responses)
    text = h5py.string_dtype()
    columns = {
        f"trials/{name}": column.to_numpy(dtype=np.int64)
        if column.dtype.kind == "i"
        else np.array(column.tolist(), dtype=text)
        for name, column in trials.items()
    }
    ids = {"voxel": [str(900 + place) for place in range(VOXELS)]}
    write_h5(path, {"responses": responses, **columns}, ids=ids, settings={})
    return responses


@pytest.fixture
def roi(tmp_path):
    trials = trial_table()
    path = tmp_path / "sub-01_roi-V1_responses.h5"
    return path, trials, write_responses(path, trials)


def scored(values):
    values = [float(value) for value in values]
    mean = sum(values) / len(values)
    spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
    return [(value - mean) / spread for value in values]


def test_trials_and_responses_are_read_as_they_were_written(roi):
    path, trials, responses = roi
    found_trials, found = read_trials_and_responses(path)
    assert found_trials.to_dict("list") == trials.to_dict("list")
    assert (found.dtype, found.tobytes()) == (np.float32, responses.tobytes())


def test_zscoring_over_all_trials_equals_a_plain_loop_and_leaves_its_input_alone(roi):
    _, trials, responses = roi
    before = responses.tobytes()
    found = zscore(responses, trials, "all-trials")
    np.testing.assert_allclose(found, [scored(row) for row in responses], atol=1e-12)
    assert responses.tobytes() == before


def test_zscoring_by_run_takes_run_1_of_two_sessions_apart(roi):
    _, trials, responses = roi
    found = zscore(responses, trials, "run")
    for session in range(1, SESSIONS + 1):
        for run in range(1, RUNS + 1):
            inside = ((trials["session"] == session) & (trials["run"] == run)).to_numpy()
            expected = [scored(row) for row in responses[:, inside]]
            np.testing.assert_allclose(found[:, inside], expected, atol=1e-12)


def test_the_patterns_of_all_trials_have_the_bytes_of_the_published_formula(roi):
    path, trials, responses = roi
    x = responses.astype(np.float64)
    x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    names = sorted(set(trials["stimulus"][trials["trial_type"] == "test"]))
    expected = np.stack(
        [x[:, np.flatnonzero(trials["stimulus"] == name)].mean(axis=1) for name in names]
    )
    ids, found, repetitions = select_patterns(path, "test-repeats")
    assert (ids, repetitions, found.tobytes()) == (names, SESSIONS, expected.tobytes())


@pytest.mark.parametrize("how", ["all-trials", "run"])
def test_repeated_patterns_are_single_trials_that_average_to_the_patterns(roi, how):
    path, trials, responses = roi
    ids, averaged, _ = select_patterns(path, "test-repeats", how)
    found = repeated_patterns(path, "test-repeats", how)
    assert found.ids == ids
    scores = zscore(responses, trials, how)
    for place, pattern in enumerate(found.patterns):
        name, session = ids[found.stimulus[place]], found.session[place]
        trial = trials.index[(trials["stimulus"] == name) & (trials["session"] == session)]
        assert len(trial) == 1
        assert found.run[place] == trials["run"][trial[0]]
        assert (pattern == scores[:, trial[0]]).all()
    for place in range(len(ids)):
        mean = found.patterns[found.stimulus == place].mean(axis=0)
        np.testing.assert_allclose(mean, averaged[place], atol=1e-12)


def test_each_run_of_each_session_is_a_fold(roi):
    path, _, _ = roi
    found = repeated_patterns(path, "test-repeats")
    runs = list(zip(found.session.tolist(), found.run.tolist(), strict=True))
    labels = Crossnobis(folds="run").fold_labels(found)
    assert len(set(zip(runs, labels.tolist(), strict=True))) == len(set(runs)) == len(set(labels))
    assert (Crossnobis(folds="session").fold_labels(found) == found.session).all()


def test_distances_are_those_of_their_patterns(roi):
    path, _, _ = roi
    ids, averaged, _ = select_patterns(path, "test-repeats")
    correlation = brain_distance(path, patterns_by("correlation"))
    assert (correlation.ids, correlation.repetitions) == (ids, SESSIONS)
    assert correlation.words == "1 - Pearson"
    np.testing.assert_allclose(correlation.rdm, pdist(averaged, "correlation"), atol=1e-14)
    euclidean = brain_distance(path, patterns_by("euclidean"))
    assert euclidean.words == "squared Euclidean per voxel"
    np.testing.assert_allclose(euclidean.rdm, pdist(averaged) ** 2 / VOXELS, atol=1e-13)
    single = repeated_patterns(path, "test-repeats", "run")
    for folds, fold in (("session", single.session), ("run", 10 * single.session + single.run)):
        found = brain_distance(path, patterns_by("crossnobis", zscore="run", folds=folds))
        expected = crossnobis_rdm(single.patterns, single.stimulus, fold, ids=ids)
        np.testing.assert_allclose(found.rdm, expected, atol=1e-12)
        assert f"crossnobis, folds: {folds}" in found.words
        assert found.repetitions == SESSIONS


def test_an_unknown_way_of_zscoring_is_named(roi):
    with pytest.raises(ConfigurationError, match=r"'session'.*all-trials.*run"):
        select_patterns(roi[0], "test-repeats", "session")


def test_stimuli_shown_once_cannot_be_cross_validated(roi):
    message = r"sub-01_roi-V1.*'thing10_01b.jpg' has no two trials in different folds"
    with pytest.raises(DataError, match=message):
        brain_distance(roi[0], patterns_by("crossnobis", "first-exemplar", folds="run"))


def test_a_voxel_that_is_constant_in_a_run_is_named_with_its_run(roi, tmp_path):
    _, trials, _ = roi
    inside = ((trials["session"] == 3) & (trials["run"] == 2)).to_numpy()

    def freeze(responses):
        responses[4, inside] = 0.1

    path = tmp_path / "frozen.h5"
    write_responses(path, trials, freeze)
    with pytest.raises(DataError, match=r"frozen.h5: voxel 904 .*session 3, run 2"):
        select_patterns(path, "test-repeats", "run")
    assert len(select_patterns(path, "test-repeats")[0]) == 6


def test_a_pattern_that_is_constant_is_named_with_file_and_stimulus(roi, tmp_path):
    _, trials, _ = roi
    path = tmp_path / "flat.h5"
    trial = trials.index[trials["stimulus"] == "thing22_01b.jpg"][0]

    def flatten(responses):
        # each voxel is as often 1 as -1, so that its z-score of 0 in this trial is exact
        others = np.delete(np.arange(len(trials)), trial)[: len(trials) // 2 * 2 - 2]
        responses[:] = 0
        responses[:, others] = np.random.default_rng(0).permuted(
            np.tile([1, -1], (VOXELS, len(others) // 2)), axis=1
        )

    write_responses(path, trials, flatten)
    with pytest.raises(DataError, match=r"flat.h5: .*'thing22_01b.jpg' are all equal"):
        brain_distance(path, patterns_by(stimulus_set="first-exemplar"))


@pytest.mark.parametrize("per_run", [5, 12, 40])
def test_zscoring_by_run_induces_the_closed_form_in_noise(per_run):
    trials = pd.DataFrame({"session": 1, "run": np.repeat(np.arange(30), per_run)})
    found = cleaning_on_noise(trials, "run", 0)
    assert found == pytest.approx(-1 / (per_run - 1), abs=5 * sampling_error(trials))
    assert found < -10 * sampling_error(trials)
    line = check_cleaning(trials, "run")
    assert line.startswith("WARNING")
    assert f"{found:.4f}" in line


@pytest.mark.parametrize("seed", range(5))
def test_zscoring_over_all_trials_induces_nothing(seed):
    trials = trial_table(repeated=20, once=40)
    assert abs(cleaning_on_noise(trials, "all-trials", seed)) < 4 * sampling_error(trials)
    assert not check_cleaning(trials, "all-trials", seed).startswith("WARNING")


def test_the_sampling_error_is_the_spread_over_seeds():
    trials = trial_table()
    values = [cleaning_on_noise(trials, "all-trials", seed) for seed in range(200)]
    assert np.std(values) == pytest.approx(sampling_error(trials), rel=0.2)


def test_a_cleaning_step_that_induces_structure_stops_the_run(monkeypatch):
    trials = trial_table(repeated=20, once=40)
    by_run = patterns.zscore

    def faulty(responses, trials, how, voxels=None):
        return by_run(responses, trials, "run", voxels)

    monkeypatch.setattr(cleaning, "zscore", faulty)
    with pytest.raises(GuardError, match="all-trials makes patterns of one run correlate by -0"):
        check_cleaning(trials, "all-trials")


def test_one_run_alone_induces_nothing_that_could_be_compared():
    trials = pd.DataFrame({"session": [1] * 9, "run": [1] * 9})
    assert cleaning_on_noise(trials, "run", 0) == 0
    assert not check_cleaning(trials, "all-trials").startswith("WARNING")


@pytest.mark.parametrize(
    ("written", "settings"),
    [("euclidean", {}), ({"crossnobis": {"folds": "run"}}, {"folds": "run"})],
)
def test_a_distance_is_told_to_jobs_as_a_study_writes_it(written, settings):
    name = written if isinstance(written, str) else next(iter(written))
    told = patterns_by(name, **settings)
    assert told.plain()["distance"] == written
    assert DistanceSettings.read(json.dumps(told.plain())) == told
