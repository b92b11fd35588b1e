"""Archives that are damaged, cut off, unsafe or the wrong ones: named, nothing half-unpacked."""

import io
import tarfile
import zipfile

import numpy as np
import pytest

from rulealign.data.images.archive_member import extract_members
from rulealign.errors import DataError

CONTENTS = np.random.default_rng(0).bytes(400_000)
NAMES = ("betas/sub-01_run-01.nii.gz", "betas/sub-01_run-02.nii.gz")


def make(path, members=NAMES, link=None, packed=False):
    if path.suffix == ".zip":
        how = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        with zipfile.ZipFile(path, "w", how) as archive:
            for name in members:
                archive.writestr(name, CONTENTS)
        return path
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as archive:
        for name in members:
            info = tarfile.TarInfo(name)
            info.size = len(CONTENTS)
            archive.addfile(info, io.BytesIO(CONTENTS))
        if link:
            info = tarfile.TarInfo(link)
            info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
            archive.addfile(info)
    return path


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz", "a.tar"])
@pytest.mark.parametrize("left", [0.4, 0.9])
def test_an_archive_that_is_cut_off_is_named_and_leaves_nothing(tmp_path, name, left):
    archive = make(tmp_path / name)
    whole = archive.read_bytes()
    archive.write_bytes(whole[: int(left * len(whole))])
    with pytest.raises(DataError, match=rf"{name}: damaged, truncated"):
        extract_members(archive, NAMES, tmp_path / "out")
    # a tar has members before the cut; they are not kept, as their checksum was not reached
    assert files(tmp_path / "out") == []


@pytest.mark.parametrize("name", ["a.zip", "a.tar.gz"])
def test_a_wrong_bit_is_found_by_the_checksum(tmp_path, name):
    archive = make(tmp_path / name)
    damaged = bytearray(archive.read_bytes())
    damaged[200_000] ^= 1
    archive.write_bytes(damaged)
    with pytest.raises(DataError, match=rf"{name}: damaged"):
        extract_members(archive, NAMES[:1], tmp_path / "out")
    assert files(tmp_path / "out") == []


def test_the_checksum_of_a_gz_counts_when_its_damage_lies_behind_what_is_wanted(tmp_path):
    archive = make(tmp_path / "a.tar.gz")
    damaged = bytearray(archive.read_bytes())
    damaged[-6] ^= 1  # in the checksum itself
    archive.write_bytes(damaged)
    with pytest.raises(DataError, match="damaged"):
        extract_members(archive, NAMES[:1], tmp_path / "out")
    assert files(tmp_path / "out") == []


def test_a_damaged_header_in_a_plain_tar_is_not_taken_for_its_end(tmp_path):
    archive = make(tmp_path / "a.tar")
    damaged = bytearray(archive.read_bytes())
    second = damaged.index(NAMES[1].encode())
    damaged[second + 150] ^= 1
    archive.write_bytes(damaged)
    with pytest.raises(DataError, match=r"a\.tar: damaged"):
        extract_members(archive, lambda name: True, tmp_path / "out")
    assert files(tmp_path / "out") == []


UNSAFE = ["../out.bin", "/etc/out.bin", "a/../../out.bin", "a\\..\\out.bin"]


@pytest.mark.parametrize("kind", ["a.zip", "a.tar.gz"])
@pytest.mark.parametrize("unsafe", UNSAFE)
def test_a_name_that_would_leave_the_folder_is_refused(tmp_path, kind, unsafe):
    archive = make(tmp_path / kind, [*NAMES, unsafe])
    with pytest.raises(DataError, match="would lie outside"):
        extract_members(archive, lambda name: name.endswith(".bin"), tmp_path / "in/out")
    assert files(tmp_path / "in") == []
    assert not (tmp_path / "in/out.bin").exists()


def test_a_link_is_refused(tmp_path):
    archive = make(tmp_path / "a.tar.gz", link="betas/link")
    with pytest.raises(DataError, match="'betas/link' is a link"):
        extract_members(archive, lambda name: "link" in name, tmp_path / "out")
    assert files(tmp_path / "out") == []


@pytest.mark.parametrize("kind", ["a.zip", "a.tar.gz"])
def test_a_missing_member_is_named_with_the_nearest(tmp_path, kind):
    archive = make(tmp_path / kind)
    with pytest.raises(DataError, match=r"lacks \['betas/sub-01_run-03") as error:
        extract_members(archive, [*NAMES, "betas/sub-01_run-03.nii.gz"], tmp_path / "out")
    assert "sub-01_run-02.nii.gz" in str(error.value)
    with pytest.raises(DataError, match="has nothing of what is wanted"):
        extract_members(archive, lambda name: "sub-09" in name, tmp_path / "other")
    with pytest.raises(DataError, match="there is no such archive"):
        extract_members(tmp_path / "none.zip", NAMES, tmp_path / "out")


def test_a_member_that_is_there_twice_is_refused(tmp_path):
    archive = make(tmp_path / "a.tar.gz", [NAMES[0], NAMES[0]])
    with pytest.raises(DataError, match="appears twice"):
        extract_members(archive, NAMES[:1], tmp_path / "out")
    assert files(tmp_path / "out") == []


def test_an_encrypted_zip_is_named(tmp_path):
    archive = make(tmp_path / "a.zip")
    damaged = bytearray(archive.read_bytes())
    damaged[6] |= 1  # the flag of the local header, and of the directory's entry
    damaged[damaged.index(b"PK\1\2") + 8] |= 1
    archive.write_bytes(damaged)
    with pytest.raises(DataError, match="encrypted"):
        extract_members(archive, NAMES[:1], tmp_path / "out")
