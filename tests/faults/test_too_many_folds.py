"""More folds than stimuli are refused while planning, by whatever file tells how many there are."""

import h5py
import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from complete_studies import complete
from rulealign.config.load import load_study
from rulealign.data.download.fetch import fetch
from rulealign.data.stimulus_count import require_folds, stimulus_count
from rulealign.errors import ConfigurationError

N, PAIRS = 20, 190


@pytest.fixture
def study(project, tmp_path):
    """Give a function: encoding, a file of RDMs and what is said of it -> the study."""
    settings = complete(project / "studies/cichy92.yaml")
    settings["claims"], settings["report"]["reproduces"] = {}, []

    def load(encoding, rois=None, shown=None, **brain):
        for roi, section in settings["brain"]["rois"].items():
            settings["brain"]["rois"][roi] = section | (rois or {})
        for label in settings["stimuli"] if shown else ():
            settings["stimuli"][label] = shown | {"background": "grey", "as_shown": False}
        settings["brain"] |= brain
        return load_study(settings | {"encoding": encoding})

    return load


def write(path, numbers):
    match path.suffix:
        case ".npy":
            np.save(path, numbers)
        case ".npz":
            np.savez(path, RDM=numbers)
        case ".mat":
            savemat(path, {"RDM": numbers})
        case ".csv":
            np.savetxt(path, numbers, delimiter=",")
        case ".h5":
            with h5py.File(path, "w") as file:
                file["RDM"] = numbers
    return {"source": str(path), "key": None if path.suffix in (".npy", ".csv") else "RDM"}


SHAPES = [
    ("a.npy", (15, PAIRS), None),
    ("a.npz", (15, N, N), None),
    ("a.h5", (N, N, 15), ["stimuli", "stimuli", "subjects"]),
    ("a.mat", (N, N, 15), None),
    ("a.mat", (15, 1, PAIRS), ["subjects", "sessions", "pairs"]),
    ("a.csv", (N, N), None),
]


@pytest.mark.parametrize(("name", "shape", "axes"), SHAPES)
def test_headers_of_rdms_tell_how_many_folds_they_fill(study, tmp_path, name, shape, axes):
    rois = write(tmp_path / name, np.zeros(shape)) | {"axes": axes, "times": None}
    for encoding in ({"folds": 20, "inner_folds": 19}, {"folds": 3, "inner_folds": 13}, {}):
        require_folds(study(encoding, rois), tmp_path)
    message = rf"encoding\.folds: 21 is more than the 20 stimuli of .*{name}; lower it, or bring"
    with pytest.raises(ConfigurationError, match=message):
        require_folds(study({"folds": 21}, rois), tmp_path)
    # the largest of three folds has 7 stimuli, so that 13 are left
    message = rf"encoding\.inner_folds: 14 is more than the 13 stimuli of .*{name} that a fit has"
    with pytest.raises(ConfigurationError, match=message):
        require_folds(study({"folds": 3, "inner_folds": 14}, rois), tmp_path)


def test_lists_folders_and_mat_files_of_images_tell_it_too(study, tmp_path):
    (tmp_path / "ids.txt").write_text("\n".join(f"image_{n}\n" for n in range(7)))
    found = stimulus_count(study({}, ids=str(tmp_path / "ids.txt")), tmp_path)
    assert found == (tmp_path / "ids.txt", 7)
    (tmp_path / "images").mkdir()
    for number in range(5):
        Image.new("RGB", (4, 4)).save(tmp_path / f"images/{number}.png")
    (tmp_path / "images/.DS_Store").write_text("")
    shown = {"kind": "folder", "source": str(tmp_path / "images")}
    told = study({}, shown=shown, ids="image_{:02d}")
    assert stimulus_count(told, tmp_path) == (tmp_path / "images", 5)
    entries = np.zeros((1, 6), dtype=[("image", object)])
    savemat(tmp_path / "images.mat", {"stimuli": entries})
    shown = {"kind": "mat", "source": str(tmp_path / "images.mat"), "key": "stimuli"}
    told = study({}, shown=shown | {"ids": "image_{:02d}"})
    assert stimulus_count(told, tmp_path) == (tmp_path / "images.mat", 6)


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.mat", "a.csv", "a.h5"])
def test_a_damaged_file_is_left_to_the_job_that_reads_it(study, tmp_path, name):
    rois = write(tmp_path / name, np.zeros((N, N))) | {"axes": None}
    (tmp_path / name).write_bytes(b"\x93NUMPY, but not really")
    assert stimulus_count(study({"folds": 100}, rois), tmp_path) is None


def test_what_is_not_there_yet_and_studies_without_encoding_are_not_refused(study, tmp_path):
    require_folds(study({"folds": 900}), tmp_path)
    rois = write(tmp_path / "a.npy", np.zeros((15, N, N)))
    require_folds(study(None, rois), tmp_path)


@pytest.mark.mirror
def test_downloads_that_are_there_are_counted(study, tmp_path, mirror):
    fetch("cichy92-evc", tmp_path, [str(mirror)])
    message = r"encoding\.folds: 100 is more than the 92 stimuli of .*fmri_EVC_RDMs\.npz; lower it"
    with pytest.raises(ConfigurationError, match=message):
        require_folds(study({"folds": 100}), tmp_path)
