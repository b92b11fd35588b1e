"""Stimuli that were shown unequally often: what is sound, against closed forms and plain loops."""

import numpy as np
import pandas as pd
import pytest

from helpers.bids_folder import write_bids
from helpers.brain_settings import patterns_by, responses_of, union
from oracles.test_betas import responses, told
from oracles.test_distances import loops
from rulealign.data.betas.ceilings import voxel_ceilings
from rulealign.data.betas.form import OwnBetas
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.errors import GuardError
from rulealign.rsa.brain_distance import brain_distance
from rulealign.rsa.brain_rdms import read_brain_rdms
from rulealign.rsa.pattern_distances import crossnobis_rdm, euclidean_rdm
from rulealign.rsa.quality.given import averaged_rows
from rulealign.rsa.rdm import write_brain_rdm

COUNTS = np.array([2, 2, 3, 4, 6, 8])  # trials of each stimulus, each in a run of its own
STIMULUS = np.repeat(np.arange(len(COUNTS)), COUNTS)
RUN = np.concatenate([np.arange(count) for count in COUNTS])
NAMES = [f"image_{place}" for place in range(len(COUNTS))]
FIRST, SECOND = np.triu_indices(len(COUNTS), 1)


def test_crossnobis_is_the_mean_over_all_pairs_of_trials_in_different_runs():
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((len(COUNTS), 7))[STIMULUS] + rng.standard_normal((25, 7))
    found = crossnobis_rdm(patterns, STIMULUS, RUN, ids=NAMES, normalise=False)
    np.testing.assert_allclose(found, loops(patterns, STIMULUS, RUN), atol=1e-12)


@pytest.mark.parametrize("normalise", [False, True])
def test_noise_adds_to_distances_of_means_by_their_trials_and_nothing_to_crossnobis(normalise):
    rng = np.random.default_rng(1)
    apart, means = [], []
    for _ in range(300):
        noise = rng.standard_normal((len(STIMULUS), 30))
        apart.append(crossnobis_rdm(noise, STIMULUS, RUN, ids=NAMES, normalise=normalise))
        mean = np.stack([noise[one == STIMULUS].mean(axis=0) for one in range(len(COUNTS))])
        means.append(euclidean_rdm(mean, ids=NAMES))
    expected = 1 / COUNTS[FIRST] + 1 / COUNTS[SECOND]
    assert np.mean(means, axis=0) == pytest.approx(expected, rel=0.05)
    apart = np.array(apart)
    off = apart.mean(axis=0) / (apart.std(axis=0) / np.sqrt(len(apart)))
    assert np.abs(off).max() < 4  # 15 pairs: once in a thousand by chance


def test_a_ceiling_is_that_of_the_mean_over_stimuli_of_noise_by_trials():
    rng = np.random.default_rng(2)
    images = np.repeat(np.arange(600), rng.choice([1, 2, 5], 600))
    signal, noise = 1.0, 3.0
    values = np.sqrt(signal) * rng.standard_normal((40, 600))[:, images]
    values += np.sqrt(noise) * rng.standard_normal(values.shape)
    single, mean = voxel_ceilings(values, [f"image_{one}" for one in images])
    left = noise * np.mean(1 / np.bincount(images))
    assert single.mean() == pytest.approx(100 * signal / (signal + noise), abs=1.5)
    assert mean.mean() == pytest.approx(100 * signal / (signal + left), abs=1.5)


def test_noise_is_pooled_by_degrees_of_freedom():
    values = np.array([[0.0, 2.0, 1.0, 4.0, 7.0, 5.0]])
    single, mean = voxel_ceilings(values, ["a", "a", "b", "b", "b", "c"])
    within = 2 * 1.0**2 + (3.0**2 + 0 + 3.0**2)  # around the means 1 and 4
    noise = within / (5 - 2) / values.var()
    assert noise > 1  # no signal is left
    assert single.tolist() == mean.tolist() == [0]
    values[0, 4] = 4.5
    within = 2 + np.square([1 - 19 / 6, 4 - 19 / 6, 4.5 - 19 / 6]).sum()
    noise = within / 3 / values.var()
    single, mean = voxel_ceilings(values, ["a", "a", "b", "b", "b", "c"])
    assert single[0] == pytest.approx(100 * (1 - noise))
    share = (1 / 2 + 1 / 3 + 1) / 3
    assert mean[0] == pytest.approx(100 * (1 - noise) / (1 - noise + noise * share))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Give a folder of betas in which anna saw object_5 twice, and all else three times."""
    folder = tmp_path_factory.mktemp("bids")
    write_bids(folder)
    path = folder / "sub-anna" / "func" / "sub-anna_task-objects_run-2_events.tsv"
    rows = path.read_text()
    path.write_text(rows.replace("object\tobjects/object_5.", "target\tobjects/object_5."))
    return folder


def rdm_of(root, folder, subject):
    found = folder / f"sub-{subject}_responses.h5"
    write_roi_responses(OwnBetas(told(root)), subject, "V1", responses_of(union("V1")), found)
    return brain_distance(found, patterns_by("crossnobis", "all", folds="run"))


def write(found, subject, output, **changes):
    about = {"distance": "crossnobis", "acquisition": "3T", "roi": "V1", "subject": subject}
    about |= {"repetitions": found.repetitions, "kept_apart": found.kept_apart}
    settings = patterns_by("crossnobis", "all", folds="run")
    write_brain_rdm(found.ids, found.rdm, output, settings=settings, **(about | changes))


def test_betas_with_a_trial_less_come_to_crossnobis_and_beside_those_of_others(root, tmp_path):
    found = {subject: rdm_of(root, tmp_path, subject) for subject in ("anna", "ben")}
    assert [one.repetitions for one in found.values()] == [59 / 20, 3]
    files = [tmp_path / f"sub-{subject}_rdm.h5" for subject in found]
    for (subject, one), file in zip(found.items(), files, strict=True):
        write(one, subject, file)
    brain = read_brain_rdms(files)
    assert brain.trials_each == (59 / 20, 3)
    assert brain.repetitions == pytest.approx(2.975)
    shown = {name: ["object_1"] * 3 + ["object_2"] * 3 for name in ("anna", "ben")}
    shown["anna"] = shown["anna"][:5]
    tables = {name: pd.DataFrame({"stimulus": own, "concept": own}) for name, own in shown.items()}
    for table in tables.values():
        table["trial_type"] = "test"
    rows = averaged_rows(_of_two(brain), tables)
    assert [row["flagged"] for row in rows] == [False, False]
    assert [row["expected"] for row in rows] == [2.5, 3]


def _of_two(brain):
    from dataclasses import replace

    return replace(brain, ids=["object_1", "object_2"])


def test_means_of_different_numbers_of_trials_are_not_mixed(root, tmp_path):
    found = rdm_of(root, tmp_path, "ben")
    files = [tmp_path / "one.h5", tmp_path / "other.h5"]
    write(found, "anna", files[0], repetitions=2, kept_apart=False)
    write(found, "ben", files[1], repetitions=3, kept_apart=False)
    with pytest.raises(GuardError, match="repetitions is 2 and 3"):
        read_brain_rdms(files)


def test_ceilings_choose_voxels_where_a_stimulus_has_a_trial_less(root, tmp_path):
    chosen = union("LO", voxels={"by": "nc_testset", "top": 10})
    _, ids = responses(told(root), chosen, tmp_path / "r.h5")
    every, all_ids = responses(told(root), union("LO"), tmp_path / "all.h5")
    images = OwnBetas(told(root)).trials("anna")["stimulus"].tolist()
    _, mean = voxel_ceilings(every, images)
    assert set(ids) == set(np.array(all_ids)[np.argsort(-mean)[:10]])
