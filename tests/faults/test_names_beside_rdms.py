"""Names of stimuli that lie beside given RDMs, in another order than the study's ids: refused."""

import zipfile

import numpy as np
import pandas as pd
import pytest
import rsatoolbox
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from brain_settings import given_rdms, read_rdms
from rulealign.data import rdm_files
from rulealign.data.brains.rdm_archive import RdmArchive
from rulealign.data.rdm_labels import require_same_labels
from rulealign.errors import DataError
from rulealign.store import write_h5

NAMES = [f"image_{number:02d}" for number in range(1, 6)]
AS_TEXT = [NAMES[place] for place in (0, 3, 1, 2, 4)]
MATCH = "'stimuli' says that row 1 of the RDMs is image_04, and brain.ids that it is image_02"


@pytest.fixture
def rdms():
    rng = np.random.default_rng(1)
    return np.stack([squareform(pdist(rng.random((5, 3)))) for _ in range(2)])


def read(path):
    return read_rdms(path, "V1", 2, ids="image_{:02d}")


def as_cells(names):
    cells = np.empty((len(names), 1), dtype=object)
    cells[:, 0] = names
    return cells


WRITTEN = {
    "text": np.array,
    "bytes": lambda names: np.array(names).astype("S"),
    "a column": lambda names: np.array(names)[:, None],
    "a row": lambda names: np.array(names)[None],
    "objects": lambda names: np.array(names, dtype=object),
    "a column of objects": as_cells,
    "with blanks": lambda names: np.array([f"{name}  " for name in names]),
    ".jpg": lambda names: np.array([f"{name}.jpg" for name in names]),
    ".tif": lambda names: np.array([f"{name}.tif" for name in names]),
    "paths": lambda names: np.array([f"stim/all/{name}.png" for name in names]),
    "Windows' paths": lambda names: np.array([rf"C:\stim\{name}.bmp" for name in names]),
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
def test_names_in_a_npz_in_another_order_are_refused(tmp_path, rdms, write):
    np.savez(tmp_path / "rdms.npz", V1=rdms, stimuli=write(AS_TEXT))
    with pytest.raises(DataError, match=f"rdms.npz: {MATCH}"):
        read(tmp_path / "rdms.npz")
    np.savez(tmp_path / "rdms.npz", V1=rdms, stimuli=write(NAMES))
    np.testing.assert_array_equal(read(tmp_path / "rdms.npz"), rdms)


@pytest.mark.parametrize("write", [np.array, as_cells, lambda names: as_cells(names).T])
@pytest.mark.parametrize("ending", ["", ".jpg"])
def test_names_in_a_mat_in_another_order_are_refused(tmp_path, rdms, write, ending):
    named = {"V1": rdms, "about": "a pilot", "n": 5.0, "cells": as_cells([np.eye(2)] * 5)}
    for names in (AS_TEXT, NAMES):
        written = write([name + ending for name in names])
        savemat(tmp_path / "rdms.mat", named | {"stimuli": written})
        if names is NAMES:
            np.testing.assert_array_equal(read(tmp_path / "rdms.mat"), rdms)
            continue
        with pytest.raises(DataError, match=f"rdms.mat: {MATCH}"):
            read(tmp_path / "rdms.mat")


@pytest.mark.parametrize(
    "beside",
    [
        np.array(["face", "face", "place", "body", "body"]),
        np.array([{"code": "may run"}, *range(4)], dtype=object),
        np.array(AS_TEXT[:4]),
        np.array([AS_TEXT] * 5),
        np.array("image_01"),
        np.arange(5)[::-1],
    ],
    ids=["categories", "objects that are no names", "fewer", "a table", "one", "numbers"],
)
def test_arrays_that_name_no_other_order_are_no_matter(tmp_path, rdms, beside):
    np.savez(tmp_path / "rdms.npz", V1=rdms, beside=beside)
    with zipfile.ZipFile(tmp_path / "rdms.npz", "a") as archive:
        archive.writestr("README.txt", "not an array")
    np.testing.assert_array_equal(read(tmp_path / "rdms.npz"), rdms)


ORDER = (9, 2, 7, 4, 5, 11, 0, 3, 6, 10, 8, 1)
TWELVE = [f"image_{number:02d}" for number in range(1, 13)]
SPELLED = {
    "no zeros": [f"image_{number}" for number in range(1, 13)],
    "more zeros": [f"stim/image_{number:04d}.jpeg" for number in range(1, 13)],
    "capitals": [name.upper() for name in TWELVE],
    "other signs": [f"Image-{number}.PNG" for number in range(1, 13)],
    "another word": [f"stim{number:02d}" for number in range(1, 13)],
}


@pytest.fixture
def twelve():
    rng = np.random.default_rng(4)
    return np.stack([squareform(pdist(rng.random((12, 3)))) for _ in range(3)])


def written(folder, kind, rdms, names):
    """Write RDMs with names beside them; give the file, its key and its number of subjects."""
    path = folder / f"x.{kind}"
    if kind == "csv":
        pd.DataFrame(rdms[0], names, names).to_csv(path)
        return path, None, 1
    if kind == "hdf5":
        beside = {"stim": list(names)}
        rsatoolbox.rdm.RDMs(rdms, pattern_descriptors=beside).save(str(path), overwrite=True)
        return path, None, 3
    if kind == "npz":
        np.savez(path, RDMs=rdms, stim=names)
    else:
        savemat(path, {"RDMs": rdms, "stim": as_cells(names)})
    return path, "RDMs", 3


@pytest.mark.parametrize("kind", ["csv", "hdf5", "npz", "mat"])
@pytest.mark.parametrize("spelled", SPELLED)
def test_a_shuffle_under_names_of_another_spelling_is_refused(tmp_path, twelve, kind, spelled):
    shuffled = [SPELLED[spelled][place] for place in ORDER]
    file = written(tmp_path, kind, twelve, shuffled)
    match = rf"x\.{kind}: '.*' says that row 0 of the RDMs is image_10, and brain.ids .*image_01\. "
    with pytest.raises(DataError, match=match + ".* set brain.ids to {descriptor: (stim|labels)}"):
        read_rdms(*file, ids="image_{:02d}")
    file = written(tmp_path, kind, twelve, SPELLED[spelled])
    np.testing.assert_array_equal(read_rdms(*file, ids="image_{:02d}"), twelve[: file[2]])


@pytest.mark.parametrize("shuffled", [True, False])
@pytest.mark.parametrize("kind", ["csv", "hdf5", "npz", "mat"])
def test_names_that_are_mostly_ids_have_to_be_all_of_them(tmp_path, twelve, kind, shuffled):
    names = ["imge_09" if name == "image_09" else name for name in TWELVE]
    names = [names[place] for place in ORDER] if shuffled else names
    file = written(tmp_path, kind, twelve, names)
    match = "row 0 of the RDMs is image_10" if shuffled else "row 8 of the RDMs is imge_09, .*_09"
    with pytest.raises(DataError, match=match):
        read_rdms(*file, ids="image_{:02d}")


def test_names_of_another_spelling_bring_rows_into_the_order_of_the_images(tmp_path, twelve):
    place = np.argsort(ORDER)
    for spelled in ("no zeros", "more zeros", "capitals", "other signs"):
        shuffled = [SPELLED[spelled][place] for place in ORDER]
        path, _, _ = written(tmp_path, "hdf5", twelve, shuffled)
        brain = given_rdms("IT", path, subjects=3, ids={"descriptor": "stim"}).brain
        found = rdm_files.read_rdms(brain, "IT", [path], TWELVE)
        assert found.ids == TWELVE
        np.testing.assert_array_equal(found.rdms[:, 0], twelve[:, place][:, :, place])


@pytest.mark.parametrize(
    "names",
    [
        [f"house_{number}" for number in range(12)],
        ["face"] * 6 + ["image_01"] * 6,
        [str(number) for number in range(1, 13)],
        [str(number) for number in range(12)],
    ],
    ids=["other names", "one name often", "counted", "counted from 0"],
)
def test_names_that_have_nothing_to_do_with_the_ids_contradict_nothing(tmp_path, twelve, names):
    for kind in ("hdf5", "npz"):
        file = written(tmp_path, kind, twelve, names)
        np.testing.assert_array_equal(read_rdms(*file, ids="image_{:02d}"), twelve)
        np.testing.assert_array_equal(read_rdms(*file, ids="{}"), twelve)


def test_numbers_from_a_toolbox_are_no_order_but_labels_of_a_table_are(tmp_path, twelve):
    numbers = [str(place + 1) for place in ORDER]
    file = written(tmp_path, "hdf5", twelve, numbers)  # a rank, say
    np.testing.assert_array_equal(read_rdms(*file, ids="image_{:02d}"), twelve)
    with pytest.raises(DataError, match="'labels' says that row 0 of the RDMs is image_10"):
        read_rdms(*written(tmp_path, "csv", twelve, numbers), ids="image_{:02d}")


WORDS = ["cat", "dog", "hut", "car", "cup", "hat", "bee", "cow", "fox", "jar", "key", "log"]
OTHERWISE = {
    "reversed": WORDS[::-1],
    "another label": [*WORDS[:-1], "logs"],
    "other labels": [f"object {number}" for number in range(12)],
}


@pytest.mark.parametrize("names", OTHERWISE.values(), ids=OTHERWISE)
def test_labels_that_differ_between_files_of_an_roi_are_refused(tmp_path, twelve, names):
    paths = [tmp_path / f"sub-{subject}.csv" for subject in "ab"]
    brain = given_rdms("IT", f"{tmp_path}/sub-{{subject}}.csv", subjects=["a", "b"]).brain
    pd.DataFrame(twelve[0], WORDS, WORDS).to_csv(paths[0])
    for labels in (names, WORDS):
        pd.DataFrame(twelve[1], labels, labels).to_csv(paths[1])
        if labels is WORDS:
            found = rdm_files.read_rdms(brain, "IT", paths)
            np.testing.assert_array_equal(found.rdms[:, 0], twelve[:2])
            continue
        match = r"sub-b\.csv: 'labels' labels row \d+ .* and 'labels' of \S+sub-a\.csv labels it "
        with pytest.raises(DataError, match=match):
            rdm_files.read_rdms(brain, "IT", paths)


def test_the_same_labels_under_another_name_are_held_against_each_other(tmp_path, twelve):
    paths = [tmp_path / f"sub-{subject}.npz" for subject in "ab"]
    brain = given_rdms("IT", f"{tmp_path}/sub-{{subject}}.npz", "x", subjects=["a", "b"]).brain
    np.savez(paths[0], x=twelve[0], names=WORDS)
    np.savez(paths[1], x=twelve[1], stim=[f"{word}.PNG" for word in WORDS[::-1]])
    with pytest.raises(DataError, match="'stim' labels row 0 of the RDMs log.PNG, and 'names' of"):
        rdm_files.read_rdms(brain, "IT", paths)
    np.savez(paths[1], x=twelve[1], stim=[f"object {number}" for number in range(12)])
    assert rdm_files.read_rdms(brain, "IT", paths).rdms.shape == (2, 1, 12, 12)


def of_two_rois(folder, ids="image_{:02d}"):
    files = {"V1": {"source": f"{folder}/V1.csv"}, "IT": {"source": f"{folder}/IT.npz", "key": "x"}}
    files["LO"] = {"source": f"{folder}/LO.npy"}
    about = {"subjects": 1, "acquisition": "3T", "distance": "Euclidean", "ids": ids}
    return RdmArchive.model_validate({"kind": "rdm-archive", "rois": files} | about)


@pytest.mark.parametrize("names", OTHERWISE.values(), ids=OTHERWISE)
def test_labels_that_differ_between_rois_are_refused(tmp_path, twelve, names):
    images = {"images": np.zeros((12, 2, 2, 3), dtype=np.uint8)}
    write_h5(tmp_path / "i.h5", images, ids={"stimulus": TWELVE}, settings={})
    pd.DataFrame(twelve[0], WORDS, WORDS).to_csv(tmp_path / "V1.csv")
    np.savez(tmp_path / "IT.npz", x=twelve[1], labels=[f"stim/{name.upper()}" for name in WORDS])
    told = of_two_rois(tmp_path).labelled
    assert told == {f"{tmp_path}/V1.csv": None, f"{tmp_path}/IT.npz": "x"}
    require_same_labels(told, tmp_path / "i.h5")
    np.savez(tmp_path / "IT.npz", x=twelve[1], labels=names)
    with pytest.raises(DataError, match=r"IT\.npz: 'labels' labels row .* of \S+V1\.csv labels it"):
        require_same_labels(told, tmp_path / "i.h5")


def test_files_with_ids_of_their_own_may_have_orders_of_their_own(tmp_path):
    assert of_two_rois(tmp_path, {"descriptor": "labels"}).labelled == {}
    assert given_rdms("IT", tmp_path / "x.csv").brain.labelled == {}
