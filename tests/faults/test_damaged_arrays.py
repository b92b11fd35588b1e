"""One or two bits flipped in the header of an array: named with its file, or read as it was."""

import io
import zipfile

import numpy as np
import pytest

from brain_settings import read_rdms
from rulealign.errors import DataError


@pytest.fixture
def rdms():
    upper = np.triu(np.random.default_rng(3).random((2, 5, 5)), 1)
    return upper + upper.transpose(0, 2, 1)


def read_or_refused(path):
    try:
        return read_rdms(path, None, 2)
    except DataError as error:
        return str(error)


@pytest.mark.parametrize("bit", range(8))
def test_a_bit_flipped_in_the_header_of_a_npy(tmp_path, rdms, bit):
    np.save(tmp_path / "x.npy", rdms)
    content = (tmp_path / "x.npy").read_bytes()
    order = content.index(b"<f8")  # numbers of the other byte order are well formed, too
    for place in {*range(len(content) - rdms.nbytes)} - {order}:
        damaged = bytearray(content)
        damaged[place] ^= 1 << bit
        (tmp_path / "x.npy").write_bytes(damaged)
        found = read_or_refused(tmp_path / "x.npy")
        named = isinstance(found, str) and "x.npy" in found
        assert named or np.array_equal(found, rdms), (place, found)


def test_a_header_that_ends_elsewhere_leaves_bytes_over_and_is_refused(tmp_path, rdms):
    np.save(tmp_path / "x.npy", rdms)
    content = bytearray((tmp_path / "x.npy").read_bytes())
    content[8] -= 16  # the header's length: numbers begin 16 bytes early, among its blanks
    content[8 + 2 + content[8] - 1] = ord("\n")
    (tmp_path / "x.npy").write_bytes(content)
    with pytest.raises(DataError, match=r"x\.npy: .*its array ends at byte 512, the file at byte"):
        read_rdms(tmp_path / "x.npy", None, 2)
    np.save(tmp_path / "x.npy", rdms)
    with (tmp_path / "x.npy").open("ab") as file:
        file.write(b"more")
    with pytest.raises(DataError, match=r"x\.npy: .*its array ends at byte 528, the file at byte"):
        read_rdms(tmp_path / "x.npy", None, 2)


@pytest.mark.parametrize("wrong", [b"(2, 5, 5", b"{'descr'", b"'<f8'"])
def test_a_header_that_is_no_python_is_named(tmp_path, rdms, wrong):
    written = io.BytesIO()
    np.save(written, rdms)
    content = written.getvalue().replace(wrong, wrong[:-1] + b"\\", 1)
    (tmp_path / "x.npy").write_bytes(content)
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("rdms.npy", content)
    with pytest.raises(DataError, match=r"x\.npy: cannot be read as plain arrays"):
        read_rdms(tmp_path / "x.npy", None, 2)
    with pytest.raises(DataError, match=r"x\.npz: cannot be read as plain arrays"):
        read_rdms(tmp_path / "x.npz", "rdms", 2)
