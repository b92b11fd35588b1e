"""Response files whose datasets are of another kind or shape: named, with file and dataset."""

import re
import shutil

import h5py
import numpy as np
import pytest

from rulealign.data.things.tables_form import Tables
from rulealign.errors import DataError
from things_forms import generated_truth, write_tables

VALUES, IDS = "ResponseData/block0_values", "ResponseData/block1_values"
ROWS = np.array([0, 1, 5])


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    write_tables(folder, generated_truth(subjects=1, sessions=2, runs=2))
    return folder


@pytest.fixture
def folder(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "root")


def a_group(file, name):
    del file[name]
    file.create_group(name)


def kept(*taken):
    def change(file, name):
        values = file[name][()]
        del file[name]
        file[name] = values[taken]

    return change


def as_text(file, name):
    values = file[name][()]
    del file[name]
    file[name] = values.astype("S")


FAULTS = {
    "ids in one axis": (IDS, kept(slice(None), 0), r"int64 of shape \(\d+,\); numbers in rows"),
    "one id too few": (IDS, kept(slice(-1)), r"one voxel_id for each row .*: \(\d+, 1\)"),
    "no ids": (IDS, kept(slice(None), slice(0)), r"has the shape \(\d+, 0\); one voxel_id for"),
    "ids as text": (IDS, as_text, r"of shape .*; numbers in rows and columns are expected"),
    "ids as a group": (IDS, a_group, "is a group, where an array of numbers is expected"),
    "values as a group": (VALUES, a_group, "is a group, where an array of numbers is expected"),
    "values in one axis": (VALUES, kept(slice(None), 0), "float64 of shape .*; numbers in rows"),
}


@pytest.mark.parametrize(("name", "change", "message"), FAULTS.values(), ids=FAULTS)
def test_a_dataset_of_another_kind_or_shape_is_named(folder, name, change, message):
    assert Tables(folder).responses("01", ROWS).shape[0] == len(ROWS)
    with h5py.File(folder / "sub-01_ResponseData.h5", "r+") as file:
        change(file, name)
    match = rf"sub-01_ResponseData\.h5: '{re.escape(name)}' .*{message}.*Get the file again"
    with pytest.raises(DataError, match=match):
        Tables(folder).responses("01", ROWS)
