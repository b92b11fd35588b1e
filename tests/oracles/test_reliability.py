"""The reliability of one subject's RDM against plain loops, in noise and in signal."""

from types import SimpleNamespace

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr

from bids_folder import SUBJECTS
from brain_settings import given_rdms, patterns_by
from oracles import test_betas
from rulealign.claims.ceilings import read_ceilings, uninformative
from rulealign.data.brains.betas import Betas
from rulealign.data.rdm_files import write_subject_rdms
from rulealign.plan.settings.brain import BrainRdmSettings
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.brain_distance import brain_distance, half_rdms
from rulealign.rsa.ceiling_table import roi_ceiling
from rulealign.rsa.rdm import write_brain_rdm
from rulealign.settings import Settings
from rulealign.store import write_h5

STIMULI, VOXELS = 16, 30
SETTINGS = CeilingSettings(study_seed=3, null_draws=79, interval=0.95, pairs="all")


def ceiling(folder, path):
    """Make the ceiling of one subject; give its row, and what claims are told."""
    roi_ceiling([path], "V1", SETTINGS, folder / "ceiling.csv")
    (row,) = pd.read_csv(folder / "ceiling.csv").to_dict("records")
    return row, uninformative(["V1"], "all", read_ceilings([folder / "ceiling.csv"]))


def given(folder, rdms):
    """Write given RDMs of one subject, sessions x pairs, as the pipeline does."""
    np.save(folder / "rdms.npy", [[squareform(rdm) for rdm in rdms]])
    path = folder / "sub-01_roi-V1_rdm.h5"
    write_subject_rdms([folder / "rdms.npy"], given_rdms("V1", sessions=2), "V1", [path])
    return path


def responses(folder, patterns, times, seed, noise=1.0):
    """Write single trials: every stimulus once in each of some sessions, in an order of its own."""
    rng = np.random.default_rng(seed)
    shown = np.concatenate([rng.permutation(STIMULI) for _ in range(times)])
    values = patterns[shown].T + noise * rng.normal(size=(VOXELS, len(shown)))
    session = np.repeat(np.arange(1, times + 1), STIMULI)
    names = [f"image_{place:02d}.png" for place in shown]
    columns = {"session": session, "run": np.ones_like(session), "stimulus": names}
    columns |= {"concept": names, "trial_id": np.arange(len(shown))}
    columns |= {"trial_type": ["test"] * len(shown)}
    path = folder / "responses.h5"
    arrays = {"responses": values.astype(np.float32)}
    arrays |= {f"trials/{name}": column for name, column in columns.items()}
    write_h5(path, arrays, ids={"voxel": [str(v) for v in range(VOXELS)]}, settings={})
    return path, shown, values.astype(np.float32)


def measured(folder, patterns, times, seed, **distance):
    """Make the RDM of one subject from responses, as the job does."""
    path, *trials = responses(folder, patterns, times, seed)
    asked = path, patterns_by(**distance)
    found, rdm = brain_distance(*asked), folder / "sub-01_roi-V1_rdm.h5"
    about = {"subject": "01", "roi": "V1", "distance": found.words, "acquisition": "3T"}
    about |= {"settings": Settings(), "repetitions": found.repetitions, "halves": half_rdms(*asked)}
    rdm.unlink(missing_ok=True)
    write_brain_rdm(found.ids, found.rdm, rdm, **about)
    return rdm, *trials


def halves_by_hand(shown, values):
    """Average every other trial of each stimulus; 1 - Pearson of the averages."""
    scores = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    for half in (0, 1):
        places = [np.flatnonzero(shown == stimulus)[half::2] for stimulus in range(STIMULI)]
        yield pdist([scores[:, own].mean(axis=1) for own in places], "correlation")


def test_halves_are_every_other_trial_and_their_reliability_is_scipys(tmp_path):
    patterns = np.random.default_rng(1).normal(size=(STIMULI, VOXELS))
    path, shown, values = measured(tmp_path, patterns, 5, seed=2)
    expected = list(halves_by_hand(shown, values.astype(float)))
    with h5py.File(path) as file:
        np.testing.assert_allclose(file["repeats"], expected, atol=1e-6)
    row, told = ceiling(tmp_path, path)
    assert row["reliability"] == pytest.approx(spearmanr(*expected).statistic, abs=1e-4)
    assert row["informative"]
    assert row["informative_by"] == "reliability over 2 halves of the trials"
    assert np.isnan([row[name] for name in ("lower", "upper", "upper_any_model")]).all()
    assert told == ("", "")


def test_an_roi_that_one_subject_alone_has_gets_halves_and_no_other():
    files = test_betas.told("betas").model_dump() | {"kind": "betas", "subjects": SUBJECTS}
    about = {"acquisition": "3T", "rois": {"V1": ["V1"], "LO": ["LO"]}}
    brain = Betas.model_validate(files | about | {"lacking": {"LO": SUBJECTS[1:]}})
    made = [BrainRdmSettings.of(SimpleNamespace(brain=brain), roi).halves for roi in brain.rois]
    assert made == [False, True]
    assert brain.has_repeats
    assert not Betas.model_validate(files | about).has_repeats


@pytest.mark.parametrize("kind", ["sessions", "halves"])
def test_noise_alone_is_clear_of_chance_as_seldom_as_it_should_be_and_a_signal_always(
    tmp_path, kind
):
    rng = np.random.default_rng(5)
    found = {0: [], 2: []}
    for signal, number in ((0, 60), (2, 5)):
        for seed in range(number):
            patterns = signal * rng.normal(size=(STIMULI, VOXELS))
            if kind == "sessions":
                each = patterns + rng.normal(size=(2, STIMULI, VOXELS))
                path = given(tmp_path, [pdist(one, "correlation") for one in each])
            else:
                path, *_ = measured(tmp_path, patterns, 4, seed)
            row, (why, note) = ceiling(tmp_path, path)
            assert bool(why) != row["informative"]
            assert note == ""
            found[signal].append(row["informative"])
    # above the upper end of a 95% interval: 2.5%; 7 of 60 or more in 1 case of 1,000
    assert sum(found[0]) < 7
    assert all(found[2])


def test_three_sessions_are_each_held_against_the_mean_rank_of_the_others(tmp_path):
    rng = np.random.default_rng(8)
    rdms = rng.random(120) + 0.5 * rng.random((3, 120))
    np.save(tmp_path / "rdms.npy", [[squareform(rdm) for rdm in rdms]])
    path = tmp_path / "sub-01_roi-V1_rdm.h5"
    write_subject_rdms([tmp_path / "rdms.npy"], given_rdms("V1", sessions=3), "V1", [path])
    row, _ = ceiling(tmp_path, path)
    ranked = np.argsort(np.argsort(rdms, axis=1), axis=1)
    each = [
        spearmanr(ranked[one], np.delete(ranked, one, axis=0).mean(axis=0)).statistic
        for one in range(3)
    ]
    assert row["reliability"] == pytest.approx(np.mean(each))
    assert row["informative_by"] == "reliability over 3 sessions"


def test_without_sessions_or_repeats_the_ceiling_is_unknown_and_says_why(tmp_path, capsys):
    patterns = np.random.default_rng(1).normal(size=(STIMULI, VOXELS))
    path, *_ = measured(tmp_path, patterns, 1, seed=2)
    assert "has a single trial, which has no halves" in capsys.readouterr().out
    row, (why, note) = ceiling(tmp_path, path)
    assert not row["informative"]
    assert why == ""
    assert note.startswith("ceiling unknown of V1 over all pairs: there is 1 subject, and a noise")
    assert np.isnan(row["reliability"])


def test_halves_of_crossnobis_need_trials_in_two_folds_each(tmp_path, capsys):
    patterns = np.random.default_rng(1).normal(size=(STIMULI, VOXELS))
    distance = {"name": "crossnobis", "folds": "session"}
    path, *_ = measured(tmp_path, patterns, 6, 2, **distance)
    assert ceiling(tmp_path, path)[0]["informative"]
    path, *_ = measured(tmp_path, patterns, 4, 2, **distance)
    assert "the reliability of this RDM stays unknown: " in capsys.readouterr().out
    assert "ceiling unknown" in ceiling(tmp_path, path)[1][1]
