"""No .mat file ends the process that wants to read it, and each is refused with a remedy."""

import sys

import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import eye_array

from rulealign.data import mat
from rulealign.errors import DataError


@pytest.fixture
def path(tmp_path):
    savemat(tmp_path / "x.mat", {"other": "text", "rdms": np.arange(50.0).reshape(2, 5, 5)})
    return tmp_path / "x.mat"


def test_an_array_is_read_as_it_was_written(path):
    array, texts = mat.load_mat(path, "rdms")
    assert np.array_equal(array, np.arange(50.0).reshape(2, 5, 5))
    assert texts == {"other": ["text"]}


def test_a_type_of_numbers_that_does_not_exist_is_refused(path):
    # scipy looks it up beyond its table of types, where anything may lie: often it crashes
    contents = bytearray(path.read_bytes())
    tag = contents.index(b"rdms") + 4
    assert contents[tag : tag + 4] == bytes([9, 0, 0, 0])  # miDOUBLE
    contents[tag + 1] = 9
    path.write_bytes(contents)
    with pytest.raises(DataError, match=r"x\.mat: cannot be read as a MATLAB file .*again"):
        mat.load_mat(path, "rdms")


def test_a_reader_that_crashes_is_told_with_the_file(path, monkeypatch):
    monkeypatch.setattr(
        mat, "_READER", [sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"]
    )
    with pytest.raises(DataError, match=r"x\.mat: .*signal 11 .*Get it again"):
        mat.load_mat(path, "rdms")


@pytest.mark.parametrize("size", [0, 1, 100, 200, -9])
def test_a_file_that_was_cut_is_refused(path, size):
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=r"x\.mat: (cannot be read|has no variable)"):
        mat.load_mat(path, "rdms")


def test_a_variable_that_is_missing_or_not_named_is_told_with_those_there_are(path):
    with pytest.raises(DataError, match=r"no variable 'rdm'; it has \['other', 'rdms'\]"):
        mat.load_mat(path, "rdm")
    with pytest.raises(DataError, match=r"with `key`; it has \['other', 'rdms'\]"):
        mat.load_mat(path, None)


def test_what_is_no_full_array_is_refused(tmp_path):
    cell = np.array([np.zeros(2), np.zeros(3)], dtype=object)
    savemat(tmp_path / "y.mat", {"cell": cell, "sparse": eye_array(4), "struct": {"a": 1}})
    for key in ("cell", "sparse", "struct"):
        with pytest.raises(DataError, match=rf"y\.mat: {key} is .*full array"):
            mat.load_mat(tmp_path / "y.mat", key)
