"""Planted faults of responses over time: refused with file, key and remedy before training."""

import numpy as np
import pytest

from helpers.brain_settings import patterns_by, responses_of, union
from helpers.sensors import TIMES, sensor_files, write_sensors
from rulealign.config.betas import BetaFiles
from rulealign.data.betas.form import OwnBetas
from rulealign.data.betas.source import BetaSource
from rulealign.data.brains.betas import Betas
from rulealign.data.responses.roi_responses import write_roi_responses
from rulealign.errors import DataError
from rulealign.mistakes import Mistakes
from rulealign.rsa.brain_distance import brain_distance
from rulealign.rsa.rdm import write_brain_rdm
from rulealign.rsa.timed_rdms import read_timed_rdms


@pytest.fixture
def folder(tmp_path):
    write_sensors(tmp_path)
    return tmp_path


def section(folder, rois=None, **changes):
    about = {"kind": "betas", "subjects": ["anna", "ben"], "acquisition": "MEG"}
    return sensor_files(folder) | about | {"rois": rois or {"MEG": ["MEG"]}} | changes


def plan(folder, **changes):
    return BetaSource(Betas.model_validate(section(folder, **changes)))


def mistakes(folder, **changes):
    found = Mistakes(section(folder, **changes))
    Betas.model_validate(section(folder, **changes), context=found)
    return [": ".join(one) for one in found.found]


def changed(path, change):
    np.save(path, change(np.load(path)))
    return path.name


def test_sound_responses_pass(folder):
    assert mistakes(folder) == []
    assert len(plan(folder).files("ben", "MEG")) == 6


@pytest.mark.parametrize(
    ("betas", "more"),
    [
        ("{subject}_{roi}_run-{run}_betas.nii.gz", {}),
        ("{subject}_{roi}_run-{run}.func.gii", {}),
        ("{subject}_run-{run}.npy", {"masks": "./{roi}.npy"}),
    ],
)
def test_files_that_have_no_axis_of_times(folder, betas, more):
    (found,) = mistakes(folder, betas=f"{folder}/{betas}", **more)
    assert found.startswith("times: betas")
    assert "have no axis of times" in found


@pytest.mark.parametrize(
    "roi",
    [
        {"union": ["MEG"], "voxels": {"by": "nc_testset", "top": 3}},
        {"union": ["MEG"], "hemisphere": "left"},
    ],
)
def test_a_choice_among_sensors_at_times(folder, roi):
    (found,) = mistakes(folder, rois={"MEG": roi})
    assert found.startswith("rois.MEG: chooses among voxels")
    assert mistakes(folder, rois={"MEG": roi}, times=None) == []


def test_times_that_do_not_increase(folder):
    (found,) = mistakes(folder, times=[0.0, 50.0, 50.0])
    assert found.startswith("times: 50.0 follows 50.0")


@pytest.mark.parametrize("times", [TIMES[:-1], [*TIMES, 200.0]])
def test_another_number_of_times_than_the_array_has(folder, times):
    match = r"anna_MEG_run-1.npy: its axis of times has the length 5, but brain.times gives [46]"
    with pytest.raises(DataError, match=match):
        plan(folder, times=times)


def test_a_subject_with_other_times(folder):
    name = changed(folder / "ben_MEG_run-2.npy", lambda array: array[:, :, 1:])
    steps = {"start": -50, "step": 50}
    with pytest.raises(DataError, match=f"{name} has 4 times, .*anna_MEG_run-1.npy has 5.*alike"):
        plan(folder, times=steps)


def test_arrays_that_no_roi_is_made_of_may_have_other_times(tmp_path):
    write_sensors(tmp_path, rois=("MEG", "EEG"))
    changed(tmp_path / "ben_EEG_run-2.npy", lambda array: array[:, :, 1:])
    assert len(plan(tmp_path).files("ben", "MEG")) == 6


def test_an_array_without_times(folder):
    name = changed(folder / "ben_MEG_run-2.npy", lambda array: array[:, :, 0])
    with pytest.raises(DataError, match=f"{name}: has an axis of trials and one other"):
        plan(folder)


def test_a_sensor_that_is_constant_at_one_time_is_named(folder):
    def dead(array):
        array[:, 3, 1] = 7
        return array

    for run in (1, 2, 3):
        changed(folder / f"ben_MEG_run-{run}.npy", dead)
    form = OwnBetas(BetaFiles.model_validate(sensor_files(folder)))
    with pytest.raises(DataError, match=r"faulty voxels .*: voxel 16\."):  # 3 * 5 + 1
        write_roi_responses(form, "ben", "R", responses_of(union("MEG")), folder / "r.h5")


def test_a_time_at_which_a_pattern_is_constant_is_named(folder):
    def flat(array):
        array[:, :, 1] = array[:, :1, 1]  # all sensors alike
        return array

    for run in (1, 2, 3):
        changed(folder / f"ben_MEG_run-{run}.npy", flat)
    form = OwnBetas(BetaFiles.model_validate(sensor_files(folder)))
    write_roi_responses(form, "ben", "R", responses_of(union("MEG")), folder / "r.h5")
    with pytest.raises(DataError, match="r.h5: 0 ms: .*object_"):
        brain_distance(folder / "r.h5", patterns_by(stimulus_set="all"))


def test_rdms_of_subjects_with_other_times_are_not_mixed(folder):
    paths = []
    for subject, times in (("anna", TIMES), ("ben", [time + 1 for time in TIMES])):
        form = OwnBetas(BetaFiles.model_validate(sensor_files(folder, times=times)))
        responses, settings = folder / f"{subject}.h5", patterns_by(stimulus_set="all")
        write_roi_responses(form, subject, "MEG", responses_of(union("MEG")), responses)
        found, path = brain_distance(responses, settings), folder / f"{subject}_rdm.h5"
        about = {"subject": subject, "roi": "MEG", "distance": found.words, "repetitions": 3}
        about |= {"acquisition": "MEG", "times": found.times, "over_time": found.over_time}
        write_brain_rdm(found.ids, found.rdm, path, settings=settings, **about)
        paths.append(path)
    np.testing.assert_array_equal(read_timed_rdms(paths[:1], "MEG").times, TIMES)
    with pytest.raises(DataError, match="ben_rdm.h5 has -49 ms where .*anna_rdm.h5 has -50 ms"):
        read_timed_rdms(paths, "MEG")
