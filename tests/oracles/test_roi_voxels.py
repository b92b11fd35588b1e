"""Patterns, noise ceilings and folds of voxels, against the truth that responses are made from."""

import dataclasses

import h5py
import numpy as np
import pandas as pd
import pytest

from rulealign.encoding.roi_gram import read_roi_gram
from rulealign.encoding.roi_voxels import write_roi_voxels
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import VoxelSettings
from rulealign.store import write_h5

SESSIONS, RUNS, VOXELS = 4, 6, 300
SETTINGS = VoxelSettings(
    study_seed=1,
    folds=3,
    inner_folds=2,
    stimulus_set="test-repeats",
    zscore="all-trials",
    ceiling=True,
)


def trial_table(seed):
    """Show 24 images of 12 concepts in every session, and 60 of others once, in runs at random."""
    rng, rows = np.random.default_rng(seed), []
    for session in range(SESSIONS):
        pairs = [(f"c{n % 12:02d}", 2 + n // 12) for n in range(24)]
        shown = [(f"{concept}_{number:02d}s.jpg", concept, "test") for concept, number in pairs]
        own = range(15 * session, 15 * session + 15)
        shown += [(f"thing{n:02d}_01b.jpg", f"thing{n:02d}", "train") for n in own]
        for place, which in enumerate(rng.permutation(len(shown))):
            rows.append((*shown[which], session + 1, 1 + place * RUNS // len(shown), len(rows)))
    columns = ["stimulus", "concept", "trial_type", "session", "run", "trial_id"]
    return pd.DataFrame(rows, columns=columns)


def write_subject(path, subject, trials, noise):
    """Write responses: a signal of variance 1 for each image, and noise, of each voxel its own."""
    rng = np.random.default_rng(int(subject))
    images = sorted(set(trials["stimulus"]))
    signal = pd.DataFrame(rng.normal(size=(len(images), VOXELS)), index=images)
    made = signal.loc[trials["stimulus"]].to_numpy().T
    made = made + rng.normal(size=made.shape) * noise[:, None]
    text = h5py.string_dtype()
    columns = {
        f"trials/{name}": np.array(trials[name].tolist(), dtype=text)
        if name in ("stimulus", "concept", "trial_type")
        else trials[name].to_numpy(dtype=np.int64)
        for name in trials
    }
    ids = {"voxel": [str(number) for number in range(VOXELS)]}
    arrays = {"responses": made.astype(np.float32), **columns}
    write_h5(path, arrays, ids=ids, settings={}, attributes={"subject": subject})


def made(folder, settings=SETTINGS, noise=None, tables=None):
    noise = np.full(VOXELS, 2.0) if noise is None else noise
    files = []
    for number, trials in enumerate(tables or [trial_table(1), trial_table(2)], start=1):
        files.append(folder / f"sub-0{number}_roi-V1_responses.h5")
        write_subject(files[-1], f"0{number}", trials, noise)
    write_roi_voxels(files, "V1", settings, folder / "voxels.h5")
    return read_roi_gram(folder / "voxels.h5")


def test_ceilings_are_the_share_of_signal_that_responses_were_made_with(tmp_path):
    noise = np.repeat([0.5, 2.0, 6.0], VOXELS // 3)
    roi = made(tmp_path, noise=noise)
    assert roi.subjects == ["01", "02"]
    for voxels, gram in zip(roi.voxels, roi.grams, strict=True):
        found = voxels.ceilings.reshape(3, -1)
        # trials are averaged: 1 of signal, noise^2 / 4 of noise
        expected = 1 / (1 + np.array([0.5, 2.0, 6.0]) ** 2 / SESSIONS)
        error = 3 * found.std(axis=1) / np.sqrt(found.shape[1]) + 0.02
        assert (np.abs(found.mean(axis=1) - expected) < error).all()
        assert (found[2] < 0).any()  # of a voxel without much signal it is found below 0
        np.testing.assert_allclose(gram, voxels.patterns @ voxels.patterns.T)


def test_images_shown_once_have_the_ceiling_of_one_trial(tmp_path):
    settings = dataclasses.replace(SETTINGS, stimulus_set="first-exemplar")
    roi = made(tmp_path, settings)
    found = np.concatenate([voxels.ceilings for voxels in roi.voxels])
    assert found.mean() == pytest.approx(1 / (1 + 2.0**2), abs=0.05)


def test_exemplars_of_a_concept_share_a_fold_with_all_subjects(tmp_path):
    roi = made(tmp_path)
    concepts = np.array([name[:3] for name in roi.ids])
    assert len(roi.ids) == 24
    for concept in set(concepts):
        assert len(set(roi.folds[0][concepts == concept])) == 1
    np.testing.assert_array_equal(roi.folds[0], roi.folds[1])


def test_images_shown_once_share_the_fold_of_their_run(tmp_path):
    settings = dataclasses.replace(SETTINGS, stimulus_set="first-exemplar")
    tables = [trial_table(1), trial_table(2)]
    roi = made(tmp_path, settings, tables=tables)
    for folds, trials in zip(roi.folds, tables, strict=True):
        of = trials.set_index("stimulus").loc[roi.ids]
        run = of["session"] * 100 + of["run"]
        assert pd.Series(folds).groupby(run.to_numpy()).nunique().max() == 1
        assert len(set(folds)) == 3
    assert (roi.folds[0] != roi.folds[1]).any()


def test_responses_without_repeats_have_no_ceilings(tmp_path):
    once = trial_table(1)
    once = once[once["trial_type"] == "train"].reset_index(drop=True)
    settings = dataclasses.replace(SETTINGS, stimulus_set="first-exemplar")
    with pytest.raises(DataError, match=r"sub-01.*no image was shown twice.*ceiling to false"):
        made(tmp_path, settings, tables=[once])
    roi = made(tmp_path, dataclasses.replace(settings, ceiling=False), tables=[once])
    assert np.isnan(roi.voxels[0].ceilings).all()


def test_fewer_concepts_or_runs_than_folds_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"sub-01.*12 stimuli that may be held out apart do not"):
        made(tmp_path, dataclasses.replace(SETTINGS, folds=13))
    settings = dataclasses.replace(SETTINGS, stimulus_set="first-exemplar", folds=30)
    with pytest.raises(DataError, match=r"2\d stimuli that may be held out apart do not"):
        made(tmp_path, settings)


def test_subjects_who_saw_other_stimuli_are_refused(tmp_path):
    other = trial_table(2).replace({"c00_02s.jpg": "c00_09s.jpg"})
    with pytest.raises(DataError, match=r"c00_02s.jpg"):
        made(tmp_path, tables=[trial_table(1), other])
