"""Files are written whole or not at all, and carry their ids and settings."""

import csv
import os
import shutil
import subprocess

import h5py
import numpy as np
import pandas as pd
import pytest

from rulealign.errors import DataError, StoreError
from rulealign.provenance import fingerprint
from rulealign.store import (
    open_h5,
    read_csv,
    read_ids,
    read_settings,
    require_same_ids,
    whole,
    write_csv,
    write_h5,
)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of 1 MB: only root can."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small file system needs root")
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let root mount a tmpfs")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_what_was_written_is_read_back(tmp_path):
    path = tmp_path / "a.h5"
    values = np.arange(6.0).reshape(2, 3)
    write_h5(path, {"layer/x": values}, ids={"stimulus": ["b", "ä"]}, settings={"px": 32})
    with open_h5(path) as file:
        np.testing.assert_array_equal(file["layer/x"][()], values)
        assert read_ids(file, "stimulus") == ["b", "ä"]
        assert read_settings(file) == {"px": 32}
        assert file.attrs["settings_hash"] == fingerprint({"px": 32})


def test_the_same_content_gives_the_same_bytes(tmp_path):
    for name in ("a.h5", "b.h5"):
        write_h5(
            tmp_path / name,
            {"x": np.ones(5), "g/y": np.zeros((2, 2))},
            ids={"stimulus": ["a", "b"]},
            settings={"b": 1, "a": [1, 2]},
            attributes={"rule": "bp"},
        )
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail():
        with whole(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("kind", ["h5", "csv", "txt"])
def test_a_full_disk_is_named_and_nothing_is_left(small_disk, kind):
    path = small_disk / f"big.{kind}"
    write = {
        "h5": lambda: write_h5(
            path, {"x": np.random.default_rng(0).random(10**6)}, ids={}, settings={}
        ),
        "csv": lambda: write_csv(path, pd.DataFrame({"x": np.arange(10**6)})),
        "txt": lambda: _write_text(path),
    }[kind]
    with pytest.raises(StoreError, match=rf"big\.{kind}: the disk is full .* MB free"):
        write()
    assert list(small_disk.iterdir()) == []


def _write_text(path):
    with whole(path) as temporary:
        temporary.write_text("x" * 2_000_000)


def test_a_truncated_file_is_named_with_its_remedy(tmp_path):
    path = tmp_path / "a.h5"
    write_h5(path, {"x": np.ones(10_000)}, ids={}, settings={})
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(StoreError, match=r"a\.h5: cannot be read .* delete it"), open_h5(path):
        pass


def test_a_file_without_ids_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1
    with (
        open_h5(tmp_path / "a.h5") as file,
        pytest.raises(StoreError, match=r"a\.h5: has no stimulus ids"),
    ):
        read_ids(file, "stimulus")


def test_ids_that_occur_twice_are_refused(tmp_path):
    with pytest.raises(DataError, match="'a' occurs twice"):
        write_h5(tmp_path / "a.h5", {}, ids={"stimulus": ["a", "b", "a"]}, settings={})


def test_different_ids_are_refused_with_the_first_difference():
    require_same_ids(["a", "b"], ["a", "b"], "model", "brain")
    with pytest.raises(DataError, match="model and brain .* place 1 'b' and 'c'"):
        require_same_ids(["a", "b", "d"], ["a", "c", "b"], "model", "brain")
    with pytest.raises(DataError, match="model has 1 ids, brain has 2"):
        require_same_ids(["a"], ["a", "b"], "model", "brain")


def test_a_rule_called_none_is_not_a_missing_value(tmp_path):
    write_csv(tmp_path / "t.csv", pd.DataFrame({"rule": ["none", "nan"], "x": [1.0, np.nan]}))
    table = read_csv(tmp_path / "t.csv")
    assert table["rule"].tolist() == ["none", "nan"]
    assert np.isnan(table["x"][1])


FORMULAS = ["=1+1", "+A1", "-A1|x", "@x", "\t=1", "'=1", "''-x", "-1e5+x", "=", "-"]
HARMLESS = ["it's", "'quoted'", "a=b", "", "none", "-0.5", "+2", "-1e-5", "'", "1'=", "x-1"]


def test_text_that_a_spreadsheet_would_run_is_kept_from_it_and_read_as_it_was(tmp_path):
    text = FORMULAS + [one for one in HARMLESS if one]
    table = pd.DataFrame({"text": text, "kind": pd.Categorical(text), "x": -1.0})
    write_csv(tmp_path / "t.csv", table)
    with (tmp_path / "t.csv").open(newline="") as file:
        cells = [row["text"] for row in csv.DictReader(file)]
    assert cells == [f"'{one}" for one in FORMULAS] + text[len(FORMULAS) :]
    read = read_csv(tmp_path / "t.csv")
    assert read["text"].tolist() == read["kind"].tolist() == text
    assert (read["x"] == -1).all()


def test_what_is_no_text_is_written_as_before(tmp_path):
    table = pd.DataFrame({"mixed": [-1.5, None, "-x"], "n": [-1, 2, 3], "t": ["a", None, "b"]})
    write_csv(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_text() == "mixed,n,t\n-1.5,-1,a\n,2,\n'-x,3,b\n"
    assert read_csv(tmp_path / "t.csv")["mixed"].tolist()[::2] == ["-1.5", "-x"]
