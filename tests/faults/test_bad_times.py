"""Planted faults of RDMs over time: each is refused with file, key, value and remedy."""

import re

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from brain_settings import given_rdms
from helpers import timed_files as made
from rulealign.arm import Arm
from rulealign.data.brains.rdm_archive import RdmFile
from rulealign.data.rdm_files import read_rdms, write_subject_rdms
from rulealign.data.times import planned_times
from rulealign.errors import DataError, StoreError
from rulealign.mistakes import Mistakes
from rulealign.rsa.over_time import write_over_time

AXES = ["subjects", "times", "stimuli", "stimuli"]
TIMES = [-50.0, 0.0, 50.0, 100.0]


def squares(subjects=2, times=4, stimuli=6):
    points = np.random.default_rng(7).normal(size=(subjects, times, stimuli, 9))
    return np.array([[squareform(pdist(at)) for at in one] for one in points])


def told(source, axes=AXES, times=TIMES, key=None, **changes):
    rois = {"MEG": {"source": str(source), "key": key, "axes": axes, "times": times}}
    return given_rdms(subjects=2, rois=rois, ids="s{}", **changes)


def read(*sources, **changes):
    pattern = str(sources[0]).replace("sub-01", "sub-{subject}")
    return read_rdms(told(pattern, **changes).brain, "MEG", sources)


@pytest.fixture
def file(tmp_path):
    np.save(tmp_path / "meg.npy", squares())
    return tmp_path / "meg.npy"


@pytest.mark.parametrize("axes", [AXES, ["stimuli", "times", "stimuli", "subjects"]])
def test_every_order_of_axes_gives_the_rdms_of_each_time(tmp_path, axes):
    names, rdms = [*AXES], squares()
    places = [names.index(name) if name != "stimuli" else None for name in axes]
    blocks = iter((2, 3))
    order = [next(blocks) if place is None else place for place in places]
    np.save(tmp_path / "meg.npy", rdms.transpose(order))
    found = read(tmp_path / "meg.npy", axes=axes)
    np.testing.assert_array_equal(found.over_time, rdms)
    np.testing.assert_allclose(found.rdms[:, 0], rdms.mean(axis=1))
    np.testing.assert_array_equal(found.times, TIMES)


def test_condensed_rdms_and_sessions_have_times_too(tmp_path):
    rdms = np.stack([squares(), squares() + 0.1 * squares()[::-1]], axis=1)  # sessions second
    upper = np.triu_indices(6, 1)
    np.save(tmp_path / "meg.npy", rdms[(..., *upper)])
    axes = ["subjects", "sessions", "times", "pairs"]
    outputs = [tmp_path / f"sub-{place}.h5" for place in (1, 2)]
    settings = told(tmp_path / "meg.npy", axes=axes, sessions=2)
    write_subject_rdms([tmp_path / "meg.npy"], settings, "MEG", outputs)
    for expected, output in zip(rdms, outputs, strict=True):
        with h5py.File(output) as file:
            own = expected[(..., *upper)]
            np.testing.assert_allclose(file["over_time"], own.mean(axis=0))
            np.testing.assert_allclose(file["rdm"], own.mean(axis=(0, 1)))
            np.testing.assert_allclose(file["repeats"], own.mean(axis=1))
            np.testing.assert_array_equal(file["times"], TIMES)


@pytest.mark.parametrize("ending", ["npz", "mat", "h5"])
def test_times_may_lie_in_the_file_in_seconds(tmp_path, ending):
    path, held = tmp_path / f"meg.{ending}", {"rdm": squares(), "time": np.array(TIMES) / 1000}
    if ending == "npz":
        np.savez(path, **held)
    elif ending == "mat":
        savemat(path, held)
    else:
        with h5py.File(path, "w") as file:
            file.update(held)
    found = read(path, key="rdm", times={"key": "time", "unit": "s"})
    np.testing.assert_allclose(found.times, TIMES)


def test_times_of_steps_are_as_many_as_the_array_has(file):
    found = read(file, times={"start": -0.3, "step": 0.1}).times
    assert found.tolist() == [-0.3, -0.2, -0.1, 0.0]


@pytest.mark.parametrize(
    ("times", "axes", "match"),
    [
        ([0.0, 20.0, 20.0, 40.0], AXES, "times: 20.0 follows 20.0; times in ms must increase"),
        ([0.0, 30.0, 20.0, 40.0], AXES, "times: 20.0 follows 30.0; times in ms must increase"),
        ([0.0], AXES, "times: .* at least 2"),
        (20, AXES, "times: .* list"),
        ({"start": 0, "step": 0}, AXES, "times.step: .* above 0"),
        ({"start": 0}, AXES, "times.step: missing"),
        ({"key": "time", "unit": "min"}, AXES, "times.unit: .*'ms'"),
        (None, AXES, "times: missing; `axes` names an axis of times"),
        (TIMES, None, "axes: has no axis of times, which is never guessed"),
        (TIMES, ["subjects", "stimuli", "stimuli"], "axes: has no axis of times"),
        (TIMES, ["times", *AXES], "axes: .*the others once at most"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_a_file_is_read(times, axes, match):
    section = {"source": "./meg.npy", "axes": axes, "times": times}
    mistakes = Mistakes(section)
    RdmFile.model_validate(section, context=mistakes)
    (found,) = mistakes.found
    assert re.fullmatch(f"{match}.*", ": ".join(found))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"times": TIMES[:3]}, r"meg.npy: its axis of times has the length 4, but brain.rois.MEG"),
        ({"axes": [*AXES, "sessions"]}, r"meg.npy: shape \(2, 4, 6, 6\) has 4 axes, .* names 5"),
        ({"axes": ["times", *AXES[:1], *AXES[2:]]}, "4 subjects .*Correct `subjects`"),
        ({"axes": None, "times": None}, "an axis of time is named in `axes`"),
    ],
)
def test_an_array_that_does_not_fit_is_refused(file, changes, match):
    with pytest.raises(DataError, match=match):
        read(file, **changes)


def test_times_of_a_file_must_increase_and_be_numbers(tmp_path):
    for wrong, match in (
        ([0.0, 2.0, 1.0, 3.0], r"brain.rois.MEG.times: 1 ms follows 2 ms; times must increase"),
        ([0.0, 1.0, np.nan, 3.0], "times must increase"),
        ([0.0, 1.0, 2.0], "has the length 4, but brain.rois.MEG.times gives 3 times"),
    ):
        np.savez(tmp_path / "meg.npz", rdm=squares(), time=np.array(wrong))
        with pytest.raises(DataError, match=match):
            read(tmp_path / "meg.npz", key="rdm", times={"key": "time"})


def test_subjects_files_of_other_times_are_refused(tmp_path):
    files = [tmp_path / f"sub-{place}.npz" for place in ("01", "02")]
    how = {"axes": AXES[1:], "key": "rdm", "times": {"key": "time"}}
    for other, match in ((TIMES[:3], "has 3 times, .* has 4"), ([0, 1, 2, 3], "0 ms where .*-50")):
        for path, rdm, times in zip(files, squares(), (TIMES, other), strict=True):
            np.savez(path, rdm=rdm[: len(times)], time=np.array(times, float))
        with pytest.raises(DataError, match=rf"sub-02.npz .*{match}"):
            read(*files, **how)


def test_a_wrong_number_is_named_with_its_time(tmp_path):
    rdms = squares()
    rdms[1, 2, 0, 3] = np.nan
    np.save(tmp_path / "meg.npy", rdms)
    with pytest.raises(DataError, match=r"meg.npy: sub-02, 50 ms, s1 with s4"):
        read(tmp_path / "meg.npy")


def test_rdms_without_times_are_told_as_before():
    plain = given_rdms().plain()["brain"]["rois"]["IT"]
    assert list(plain) == ["source", "key", "axes", "subjects"]


def test_what_rdms_have_of_their_own_is_told():
    own = {"times": [0.0, 50.0], "sessions": ["a", "b"], "acquisition": "7T"}
    own |= {"source": "lab/rdms.npy", "axes": ["sessions", "times", "stimuli", "stimuli"]}
    plain = given_rdms(rois={"IT": own}).plain()["brain"]["rois"]["IT"]
    assert plain == {"key": None, "subjects": None} | own


def test_scores_over_time_need_the_same_times_of_all_subjects(tmp_path):
    models = made.model_files(tmp_path, {1: made.layer_rdms()})
    rng = np.random.default_rng(1)
    rdms = [rng.random((len(made.TIMES), made.PAIRS)) for _ in range(2)]
    files = [made.brain_file(tmp_path, place, rdm) for place, rdm in enumerate(rdms, start=1)]
    made.brain_file(tmp_path, 2, rdms[1][1:], made.TIMES[1:])
    how = (Arm("cnn3", "bp"), "MEG", made.SETTINGS, tmp_path / "times.csv")
    with pytest.raises(DataError, match=r"sub-2_.* has 14 times, .*sub-1_.* has 15"):
        write_over_time(models, files, *how)
    rdms[1][3] = 0.5
    made.brain_file(tmp_path, 2, rdms[1])
    with pytest.raises(DataError, match="MEG of 2 at 20 ms"):
        write_over_time(models, files, *how)
    with h5py.File(files[1], "a") as file:
        del file["over_time"]
    with pytest.raises(StoreError, match="sub-2_.*has no RDMs over time"):
        write_over_time(models, files, *how)


@pytest.mark.parametrize("ending", ["npy", "npz", "h5"])
def test_a_plan_sees_times_that_do_not_fit_in_the_headers_of_files(tmp_path, ending):
    path, key = tmp_path / f"meg.{ending}", None if ending == "npy" else "rdm"
    if ending == "npy":
        np.save(path, squares())
    elif ending == "npz":
        np.savez(path, rdm=squares(), time=TIMES)
    else:
        with h5py.File(path, "w") as file:
            file.update({"rdm": squares(), "time": TIMES})
    section = RdmFile(source=str(path), key=key, axes=AXES, times=TIMES)
    planned_times(section, [path], "MEG")
    with pytest.raises(DataError, match=r"meg.* has the length 4, .*MEG.times gives 3 times"):
        planned_times(section.model_copy(update={"times": TIMES[1:]}), [path], "MEG")
    with pytest.raises(DataError, match="has 4 axes, .* names 5"):
        planned_times(section.model_copy(update={"axes": ["sessions", *AXES]}), [path], "MEG")


def test_a_plan_sees_files_of_different_lengths(tmp_path):
    files = [tmp_path / f"sub-{place}.npy" for place in ("01", "02")]
    np.save(files[0], squares()[0])
    np.save(files[1], squares()[1, :3])
    section = RdmFile(source="./x.npy", axes=AXES[1:], times={"start": 0, "step": 10})
    with pytest.raises(DataError, match=r"sub-02.npy has 3 times, .*sub-01.npy has 4"):
        planned_times(section, files, "MEG")
    damaged = tmp_path / "damaged.npy"
    damaged.write_bytes(b"no array")
    planned_times(section, [damaged, tmp_path / "none.npz", files[0]], "MEG")  # a job refuses them
