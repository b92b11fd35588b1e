"""Wanted members of an archive reach the disk byte by byte, and nothing else does."""

import tarfile
import zipfile

import numpy as np
import pytest

from rulealign.data.images.archive_member import extract_members

RNG = np.random.default_rng(0)
FILES = {
    "betas_csv/sub-01_ResponseData.h5": RNG.bytes(1_500_000),
    "betas_csv/sub-02_ResponseData.h5": RNG.bytes(500_000),
    "betas_csv/sub-01_VoxelMetadata.csv": b"voxel_id\n" + b"1\n" * 50_000,
    "betas_csv/empty.txt": b"",
    "__MACOSX/betas_csv/._sub-01_ResponseData.h5": b"of the system",
}
KINDS = {
    "stored zip": ("a.zip", zipfile.ZIP_STORED),
    "deflated zip": ("a.zip", zipfile.ZIP_DEFLATED),
    "tar": ("a.tar", "w"),
    "tar.gz": ("a.tar.gz", "w:gz"),
    "tar.bz2": ("a.tar.bz2", "w:bz2"),
    "tar.xz": ("a.tar.xz", "w:xz"),
}


def packed(folder, kind, files=FILES, prefix=""):
    name, how = KINDS[kind]
    source = folder / "source"
    for member, contents in files.items():
        (source / member).parent.mkdir(parents=True, exist_ok=True)
        (source / member).write_bytes(contents)
    if "zip" in kind:
        with zipfile.ZipFile(folder / name, "w", how) as archive:
            for member in files:
                archive.write(source / member, prefix + member)
    else:
        with tarfile.open(folder / name, how) as archive:
            archive.add(source, prefix or ".")
    return folder / name


def listed(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


@pytest.mark.parametrize("kind", KINDS)
def test_members_by_name_are_unpacked_and_no_others(tmp_path, kind):
    archive = packed(tmp_path, kind)
    before = archive.read_bytes()
    wanted = ["betas_csv/sub-01_ResponseData.h5", "betas_csv/empty.txt"]
    made = extract_members(archive, wanted, tmp_path / "out")
    assert {name: path.read_bytes() for name, path in made.items()} == {
        name: FILES[name] for name in wanted
    }
    assert listed(tmp_path / "out") == ["betas_csv", "betas_csv/empty.txt", wanted[0]]
    assert archive.read_bytes() == before


@pytest.mark.parametrize("kind", ["deflated zip", "tar.gz"])
def test_members_by_function_leave_out_what_systems_add(tmp_path, kind, capsys):
    archive = packed(tmp_path, kind)
    made = extract_members(archive, lambda name: "sub-01" in name, tmp_path / "out")
    assert sorted(made) == [
        "betas_csv/sub-01_ResponseData.h5",
        "betas_csv/sub-01_VoxelMetadata.csv",
    ]
    assert all(path.read_bytes() == FILES[name] for name, path in made.items())
    said = capsys.readouterr().out
    assert ("MB packed, " if kind == "tar.gz" else "MB needed, ") in said
    assert "MB free" in said or "GB free" in said


def test_unpacking_again_gives_the_same(tmp_path):
    archive = packed(tmp_path, "tar.gz")
    extract_members(archive, ["betas_csv/empty.txt"], tmp_path / "out")
    (tmp_path / "out/betas_csv/empty.txt").write_bytes(b"changed")
    extract_members(archive, ["betas_csv/empty.txt"], tmp_path / "out")
    assert (tmp_path / "out/betas_csv/empty.txt").read_bytes() == b""
