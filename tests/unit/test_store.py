"""Files are written whole or not at all, and carry their ids and settings."""

import csv
import os
import shutil
import subprocess
import sys

import h5py
import numpy as np
import pandas as pd
import pytest

from helpers.flipped import flips
from rulealign.errors import DataError, StoreError
from rulealign.json_files import read_json
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
from rulealign.unreadable import unreadable


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
    write_h5(path, {"layer/x": values}, ids={"stimulus": ["b", "ä"]}, settings={"size": 32})
    with open_h5(path) as file:
        np.testing.assert_array_equal(file["layer/x"][()], values)
        assert read_ids(file, "stimulus") == ["b", "ä"]
        assert read_settings(file) == {"size": 32}
        assert file.attrs["settings_hash"] == fingerprint({"size": 32})


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


def read_all(path):
    with open_h5(path) as file:
        arrays = {name: file[name][()].tolist() for name in ("x", "rows/y", "text", "scalar")}
        attributes = {name: file.attrs[name] for name in ("rule", "settings", "settings_hash")}
        return arrays, read_ids(file, "stimulus"), read_settings(file), attributes


def test_a_flipped_bit_of_hdf5_is_refused_or_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "rulealign.h5_checksums.CHUNK", 400
    )  # several stretches with a checksum each
    path, rng = tmp_path / "a.h5", np.random.default_rng(0)
    write_h5(
        path,
        {"x": rng.random(100), "rows/y": rng.random((9, 7)), "scalar": np.array(3.0)}
        | {"text": np.array(["one", "zwölf"], dtype=object)},
        ids={"stimulus": [f"image_{number}" for number in range(9)]},
        settings={"size": 32},
        attributes={"rule": "bp"},
    )
    before, refusals = read_all(path), []
    for place in flips(path, 600):
        try:
            found = read_all(path)
        except StoreError as error:
            refusals.append(str(error))
        else:
            assert found == before, place
    assert len(refusals) > 150
    assert [said for said in refusals if not said.startswith(f"{path}: ")] == []


def test_rows_are_checked_by_stretches_of_a_megabyte(tmp_path):
    path = tmp_path / "a.h5"
    shapes = {
        "rows": (300, 1000),
        "long": (300_001,),
        "wide": (2, 300_000),
        "none": (0, 5),
        "one": (),
    }
    write_h5(path, {name: np.ones(shape) for name, shape in shapes.items()}, ids={}, settings={})
    with h5py.File(path) as file:
        chunks = {name: file[name].chunks for name in shapes}
        checked = [name for name in shapes if file[name].fletcher32]
    assert chunks == {
        "rows": (100, 1000),
        "long": (100_001,),
        "wide": (1, 300_000),
        "none": None,
        "one": None,
    }
    assert checked == ["rows", "long", "wide"]


def test_a_file_that_another_program_holds_is_not_to_be_deleted(tmp_path):
    path = tmp_path / "a.h5"
    write_h5(path, {"x": np.ones(3)}, ids={}, settings={})
    code = "import h5py, sys; f = h5py.File(sys.argv[1], 'r+'); print(1, flush=True); input()"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with (
            pytest.raises(StoreError, match=r"Another program holds it.* Close it") as caught,
            open_h5(path),
        ):
            pass
        other.communicate(b"\n")
    assert "elete" not in str(caught.value)
    with open_h5(path):
        pass


@pytest.mark.parametrize("number", [11, 35, 37])
def test_the_errors_of_locks_are_told_from_damage(number):
    said = str(unreadable("a.h5", "HDF5", OSError(number, "no locks")))
    assert "Another program holds it" in said
    assert "elete" not in said
    assert "delete it and rerun" in str(
        unreadable("a.h5", "HDF5", OSError(5, "input/output error"))
    )


def test_what_is_missing_or_forbidden_is_not_to_be_deleted(tmp_path):
    with (
        pytest.raises(StoreError, match=r"gone\.h5: .*rerun the command, which makes it"),
        open_h5(tmp_path / "gone.h5"),
    ):
        pass
    assert "permission" in str(unreadable("a.csv", "a table", PermissionError(13, "denied")))


@pytest.mark.parametrize(
    "content", [b"", b"{", b'{"a": \xff}', b"[1]", b"[" * 100_000, b'{"b": 1}']
)
def test_json_that_is_none_is_named_with_its_remedy(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"a\.json: cannot be read as JSON .*delete it and rerun"):
        read_json(path, "a")


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_files_get_the_mode_of_the_umask(tmp_path, mask, mode):
    before = os.umask(mask)
    try:
        write_csv(tmp_path / "a.csv", pd.DataFrame({"a": [1]}))
    finally:
        os.umask(before)
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == mode


def test_a_file_without_ids_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = 1
    with (
        open_h5(tmp_path / "a.h5") as file,
        pytest.raises(StoreError, match=r"a\.h5: has no stimulus ids"),
    ):
        read_ids(file, "stimulus")


def test_ids_that_occur_twice_are_refused(tmp_path):
    with pytest.raises(DataError, match="'a' appears twice"):
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
