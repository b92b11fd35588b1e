"""Names of stimuli that lie beside given RDMs, in another order than the study's ids: refused."""

import zipfile

import numpy as np
import pytest
from scipy.io import savemat
from scipy.spatial.distance import pdist, squareform

from brain_settings import read_rdms
from rulealign.errors import DataError

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
