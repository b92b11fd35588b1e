"""Noise that the stimuli of a run share predicts nothing by Gram matrices: runs share a fold."""

import dataclasses

import h5py
import numpy as np
import pandas as pd
import pytest

from rulealign.encoding.folds import groups_of, runs_of_single_trials, stimulus_folds
from rulealign.encoding.ridge import Grid, held_out
from rulealign.encoding.roi_gram import read_roi_gram, write_roi_gram
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import GramSettings
from rulealign.rsa.rdm import correlation_rdm
from rulealign.store import write_h5

RUNS, EACH, VOXELS, SUBJECTS = 15, 6, 80, 3
IDS = [f"c{number:02d}_01b.jpg" for number in range(RUNS * EACH)]
ORDER = np.random.default_rng(0).permutation(np.repeat(np.arange(1, RUNS + 1), EACH))
SETTINGS = GramSettings(
    study_seed=1,
    folds=5,
    inner_folds=3,
    distance="correlation",
    by_concept=True,
    stimulus_set="first-exemplar",
)


def write_subject(folder, subject, runs, shown=None):
    """Write noise alone, a part of it shared by the stimuli of a run: responses and their RDM."""
    rng = np.random.default_rng(subject)
    offsets = rng.normal(size=(RUNS + 1, VOXELS))[runs]
    patterns = offsets + rng.normal(size=(len(runs), VOXELS))
    ids = shown or IDS
    texts = {"stimulus": ids, "concept": [name[:3] for name in ids]}
    texts["trial_type"] = ["train"] * len(ids)
    columns = {
        f"trials/{name}": np.array(of, dtype=h5py.string_dtype()) for name, of in texts.items()
    }
    columns |= {"trials/session": np.ones(len(ids), int), "trials/run": np.resize(runs, len(ids))}
    columns["trials/trial_id"] = np.arange(len(ids))
    name = f"sub-0{subject}_roi-V1"
    arrays = {"responses": np.resize(patterns.T, (VOXELS, len(ids))), **columns}
    response, brain = folder / f"{name}_responses.h5", folder / f"{name}_rdm.h5"
    voxels = {"voxel": [str(number) for number in range(VOXELS)]}
    write_h5(response, arrays, ids=voxels, settings={}, attributes={"subject": f"0{subject}"})
    about = {"subject": f"0{subject}", "roi": "V1", "distance": "1 - Pearson"}
    about |= {"acquisition": "3T", "repetitions": 1}
    rdm = correlation_rdm(patterns, centred=False, ids=IDS)
    write_h5(brain, {"rdm": rdm}, ids={"stimulus": IDS}, settings={}, attributes=about)
    return brain, response


def made(folder, orders, settings=SETTINGS, **told):
    pairs = [write_subject(folder, n, runs, **told) for n, runs in enumerate(orders, start=1)]
    brains, responses = zip(*pairs, strict=True)
    write_roi_gram(brains, "V1", settings, folder / "gram.h5", responses)
    return read_roi_gram(folder / "gram.h5")


def r2(roi, folds, groups):
    rng = np.random.default_rng(9)
    features = rng.normal(size=(RUNS + 1, 20))[ORDER] + rng.normal(size=(len(IDS), 20))
    grid = Grid([0.1, 1.0, 10.0, 1000.0], SETTINGS.inner_folds)
    return held_out([features], roi.grams, folds, groups, grid, 3).r2()


def test_noise_of_runs_predicts_nothing_where_runs_share_a_fold(tmp_path):
    roi = made(tmp_path, [ORDER] * SUBJECTS)
    for folds in roi.folds:
        assert all(len(set(folds[run == ORDER])) == 1 for run in range(1, RUNS + 1))
    concepts = groups_of(IDS)
    torn = r2(roi, stimulus_folds(concepts, SETTINGS.folds, 1), concepts)
    assert (torn > 0.05).all()  # the leak that is planted is there
    assert (r2(roi, roi.folds[0], roi.groups[0]) < 0.01).all()


def test_folds_keep_the_runs_of_every_subject_together(tmp_path):
    # the second subject saw the stimuli of each two neighbouring runs of the first in one run
    orders = [ORDER, (ORDER + 1) // 2]
    roi = made(tmp_path, orders, dataclasses.replace(SETTINGS, folds=4))
    for runs in orders:
        assert all(len(set(roi.folds[0][run == runs])) == 1 for run in set(runs))
    np.testing.assert_array_equal(*roi.folds)


def test_runs_that_subjects_do_not_share_are_refused_with_the_other_form(tmp_path):
    other = np.random.default_rng(5).permutation(ORDER)
    with pytest.raises(DataError, match=r"sub-01.* fill 5 folds.* shown once.*voxels: \{\}"):
        made(tmp_path, [ORDER, other])


def test_stimuli_shown_again_are_grouped_by_concept_alone(tmp_path):
    (tmp_path / "images.txt").write_text("\n".join(IDS))
    settings = dataclasses.replace(SETTINGS, stimulus_set=str(tmp_path / "images.txt"))
    roi = made(tmp_path, [ORDER], settings, shown=IDS * 2)
    np.testing.assert_array_equal(roi.groups[0], np.arange(len(IDS)))


def test_one_run_or_none_that_is_named_holds_nothing_together(tmp_path):
    roi = made(tmp_path, [np.ones_like(ORDER)])
    np.testing.assert_array_equal(roi.groups[0], np.arange(len(IDS)))


def test_responses_of_other_stimuli_than_the_rdms_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"_rdm\.h5 and .*_responses\.h5 have different ids"):
        made(tmp_path, [ORDER], shown=["x00_01b.jpg", *IDS[1:]])


def test_runs_are_told_where_every_stimulus_was_shown_once():
    trials = pd.DataFrame({"session": [1, 1, 2, 2], "run": [1, 2, 1, 1]})
    once = {name: np.array([place]) for place, name in enumerate("badc")}
    assert runs_of_single_trials(trials, once) == ["1, 1", "1, 2", "2, 1", "2, 1"]
    assert runs_of_single_trials(trials, {"a": np.array([0]), "b": np.array([1, 2])}) == []
