"""RDMs of responses over time, held against plain loops over times, and arrays of one time."""

import h5py
import numpy as np
import pytest
from scipy.spatial.distance import pdist

from helpers.brain_settings import patterns_by, responses_of, union
from helpers.sensors import IDS, RUNS, TIMES, sensor_files, write_sensors
from rulealign.config.betas import BetaFiles
from rulealign.data.betas.form import OwnBetas
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.rsa.brain_distance import brain_distance, half_rdms


def rdms(files, output, by="correlation", subject="ben", **settings):
    form = OwnBetas(BetaFiles.model_validate(files))
    write_roi_responses(form, subject, "R", responses_of(union("MEG")), output)
    return brain_distance(output, patterns_by(by, "all", **settings))


def plain(responses, names):
    """Z-score, average and compare time by time, in loops."""
    found = []
    for time in range(responses.shape[2]):
        values = np.array(responses[:, :, time], dtype=np.float64)
        for sensor in range(values.shape[1]):
            values[:, sensor] -= values[:, sensor].mean()
            values[:, sensor] /= values[:, sensor].std()
        means = [np.mean([v for v, n in zip(values, names, strict=True) if n == i], 0) for i in IDS]
        found.append(pdist(means, "correlation"))
    return np.array(found)


def test_rdms_over_time_are_those_of_plain_loops(tmp_path):
    held, names = write_sensors(tmp_path)
    found = rdms(sensor_files(tmp_path), tmp_path / "r.h5")
    expected = plain(held["ben", "MEG"], names)
    assert found.ids == IDS
    np.testing.assert_array_equal(found.times, TIMES)
    np.testing.assert_allclose(found.over_time, expected, atol=1e-9)
    np.testing.assert_allclose(found.rdm, expected.mean(axis=0), atol=1e-9)
    assert found.repetitions == RUNS


@pytest.mark.parametrize("by", ["correlation", "euclidean", "crossnobis"])
def test_the_rdm_at_a_time_is_that_of_an_array_of_this_time_alone(tmp_path, by):
    settings = {"folds": "run"} if by == "crossnobis" else {}
    write_sensors(tmp_path / "all")
    found = rdms(sensor_files(tmp_path / "all"), tmp_path / "r.h5", by, **settings)
    for place in range(len(TIMES)):
        alone = tmp_path / f"at-{place}"
        write_sensors(alone)
        for path in alone.glob("*.npy"):
            np.save(path, np.load(path)[:, :, place])
        one = rdms(sensor_files(alone, times=None), tmp_path / f"{place}.h5", by, **settings)
        assert one.times is None
        np.testing.assert_allclose(found.over_time[place], one.rdm, atol=1e-12)


@pytest.mark.parametrize("times", [{"start": -50, "step": 50}, {"key": "seconds", "unit": "s"}])
def test_hdf5_with_the_trials_last_and_any_words_for_times_is_the_same(tmp_path, times):
    write_sensors(tmp_path)
    expected = rdms(sensor_files(tmp_path), tmp_path / "expected.h5")
    for path in tmp_path.glob("*.npy"):
        with h5py.File(path.with_suffix(".hdf5"), "w") as file:
            file["epochs"], file["seconds"] = (
                np.moveaxis(np.load(path), 0, -1),
                np.array(TIMES) / 1e3,
            )
    files = sensor_files(tmp_path, times=times, key="epochs", trials_are="last")
    files["betas"] = files["betas"].replace(".npy", ".hdf5")
    found = rdms(files, tmp_path / "found.h5")
    np.testing.assert_array_equal(found.over_time, expected.over_time)
    np.testing.assert_allclose(found.times, TIMES)


def test_a_dead_sensor_is_left_out_at_every_time(tmp_path):
    held, names = write_sensors(tmp_path)
    for path in tmp_path.glob("ben_*.npy"):
        broken = np.load(path)
        broken[:, 2] = 0
        np.save(path, broken)
    form = OwnBetas(BetaFiles.model_validate(sensor_files(tmp_path)))
    told = responses_of(union("MEG"), faulty_voxels="drop")
    write_roi_responses(form, "ben", "R", told, tmp_path / "r.h5")
    found = brain_distance(tmp_path / "r.h5", patterns_by(stimulus_set="all"))
    expected = plain(np.delete(held["ben", "MEG"], 2, axis=1), names)
    np.testing.assert_allclose(found.over_time, expected, atol=1e-9)


def test_halves_of_one_subject_are_means_over_time(tmp_path):
    held, names = write_sensors(tmp_path)
    rdms(sensor_files(tmp_path), tmp_path / "r.h5")
    first, second = half_rdms(tmp_path / "r.h5", patterns_by("euclidean", "all"))
    values = held["ben", "MEG"].astype(np.float64)
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    places = {name: [i for i, n in enumerate(names) if n == name] for name in IDS}
    for half, found in ((0, first), (1, second)):
        means = np.array([values[places[name][half::2]].mean(axis=0) for name in IDS])
        at = [pdist(means[:, :, t], "sqeuclidean") / means.shape[1] for t in range(len(TIMES))]
        np.testing.assert_allclose(found, np.mean(at, axis=0), atol=1e-9)
