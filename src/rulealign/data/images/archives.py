"""Reading the files of a folder, zip or tar one after another, without unpacking to disk."""

from __future__ import annotations

import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from rulealign.data.file_names import is_hidden
from rulealign.errors import DataError

LARGEST_FILE = 64 * 2**20
"""Bytes that one file inside may have; more is no image, and would fill the memory."""

DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,  # a zip method that Python does not have
    RuntimeError,  # an encrypted zip
    OSError,
)
"""What reading a damaged archive may raise."""


def read_files(source: Path) -> Iterator[tuple[str, bytes]]:
    """Read every file below a folder, or inside an archive, in the order in which it lies there.

    Nothing is written to disk. Files that operating systems add (`file_names.is_hidden`) are
    left out and counted in a printed line.

    Args:
        source: a folder (links in it are followed), a .zip, or a tar, compressed or not.

    Yields:
        Name with "/" relative to `source`, and contents.

    Raises:
        DataError: `source` is neither, is damaged, or holds absolute names, "..", links, the same
            name twice or a file of more than `LARGEST_FILE` bytes; names the file.
    """
    source = Path(source)
    seen: set[str] = set()
    hidden: list[str] = []
    for name, contents in _reader(source)(source):
        if is_hidden(name):
            hidden.append(name)
            continue
        if name in seen:
            raise DataError(f"{source}: '{name}' appears twice; pack it again.")
        seen.add(name)
        yield name, contents
    if hidden:
        print(f"{source}: {len(hidden)} hidden files left out, the first is '{hidden[0]}'")


def _reader(source: Path):
    if source.is_dir():
        return _read_folder
    if not source.is_file():
        raise DataError(f"{source}: there is no such file or folder.")
    if zipfile.is_zipfile(source):
        return _read_zip
    if tarfile.is_tarfile(source):
        return _read_tar
    raise DataError(f"{source}: is neither a folder nor a readable .zip or .tar*; get it again.")


def _read_folder(source: Path) -> Iterator[tuple[str, bytes]]:
    for folder, folders, files in os.walk(source, followlinks=True):
        folders.sort()
        for file in sorted(files):
            path = Path(folder) / file
            name = path.relative_to(source).as_posix()
            try:
                _refuse_large(source, name, path.stat().st_size)
                yield name, path.read_bytes()
            except OSError as error:
                raise DataError(f"{path}: cannot be read ({error}).") from error


def _read_zip(source: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with zipfile.ZipFile(source) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                kind = stat.S_IFMT(member.external_attr >> 16)
                name = safe_name(source, member.filename, kind in (0, stat.S_IFREG))
                _refuse_large(source, name, member.file_size)
                yield name, archive.read(member)
    except DAMAGED as error:
        raise damaged(source, error) from error


def _read_tar(source: Path) -> Iterator[tuple[str, bytes]]:
    try:
        # "|": read once from front to end; going back in a compressed file would start it anew
        with tarfile.open(source, "r|*") as archive:
            for member in archive:
                if member.isdir():
                    continue
                name = safe_name(source, member.name, member.isreg())
                _refuse_large(source, name, member.size)
                yield name, archive.extractfile(member).read()
            # a whole tar ends with empty blocks; one cut between two files just ends
            if archive.fileobj.tell() == archive.offset:
                raise EOFError("the end of the archive is missing")
    except DAMAGED as error:
        raise damaged(source, error) from error


def safe_name(source: Path, name: str, regular: bool) -> str:
    """Refuse a member that would lie outside its folder, or is no ordinary file.

    Args:
        source: the archive, for the message.
        name: the member's.
        regular: whether it is an ordinary file.

    Returns:
        The name without "./" and doubled "/".

    Raises:
        DataError: names archive and member.
    """
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\\" in name:
        raise DataError(
            f"{source}: '{name}' would lie outside the archive's folder. Get the archive again from"
            " its source."
        )
    if not regular:
        raise DataError(
            f"{source}: '{name}' is a link or no ordinary file, which is never unpacked. Get the"
            " archive again from its source."
        )
    return "/".join(parts)


def _refuse_large(source: Path, name: str, size: int) -> None:
    if size > LARGEST_FILE:
        limit = f"{LARGEST_FILE / 1e6:.0f} MB"
        raise DataError(f"{source}: '{name}' has {size / 1e6:.0f} MB, more than {limit}.")


def damaged(source: Path, error: BaseException) -> DataError:
    """Make the error for an archive that cannot be read.

    Args:
        source: the archive.
        error: what reading it raised, one of `DAMAGED`.
    """
    return DataError(f"{source}: damaged, truncated or encrypted ({error}); get it again.")
