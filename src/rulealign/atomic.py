"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rulealign.errors import StoreError


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Write a file whole or not at all: a temporary file beside it, renamed at the end.

    Args:
        path: the file to make; its folder is made if need be.

    What a killed process left of the same file is removed, so do not write one file from two
    processes at a time: Snakemake's lock on the working folder sees to that.

    Yields:
        The temporary path to write to (same folder, same ending).

    Raises:
        StoreError: the disk is full; names the file and the space left. Nothing stays behind.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in _left_behind(path):
        left.unlink(missing_ok=True)
    temporary = _temporary(path)
    try:
        temporary.touch(exist_ok=False)  # with the mode that the umask gives, like any new file
        yield temporary
        # else a power cut may leave the new name and not the bytes
        with temporary.open("rb") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        if _disk_is_full(error):
            raise StoreError(_full_disk_message(path)) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def workshop(path: Path) -> Iterator[Path]:
    """Give a folder to work in for a while, beside what is made of it; it goes at the end.

    Args:
        path: what is made; the folder that it lies in is made if need be.

    What a killed process left of the same path is removed, so do not make one from two processes
    at a time; as in `whole`.

    Yields:
        An empty folder on the same disk. It may be renamed to the path.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for left in _left_behind(path):
        shutil.rmtree(left)
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def require_room(path: Path, size: int) -> None:
    """Refuse to write what does not fit on the disk, before anything of it is written.

    HDF5 may crash the whole process when it runs out of space in the middle of a file.

    Args:
        path: the file to make; its folder is there.
        size: bytes that it will have, at least.

    Raises:
        StoreError: the disk is full; names the file and the space left.
    """
    if shutil.disk_usage(path.parent).free < size:
        raise StoreError(_full_disk_message(path))


def _temporary(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}{path.suffix}")


def _left_behind(path: Path) -> list[Path]:
    # eight characters are what `_temporary` puts between prefix and ending
    pattern = f".{glob.escape(path.name)}.{'?' * 8}{glob.escape(path.suffix)}"
    return sorted(path.parent.glob(pattern))


def _disk_is_full(error: BaseException | None) -> bool:
    # HDF5 may hide ENOSPC in the text of an error, or in the error that it followed from.
    while error is not None:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return True
        if "No space left on device" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _full_disk_message(path: Path) -> str:
    free = shutil.disk_usage(path.parent).free / 1e6
    return (
        f"{path}: the disk is full ({free:.1f} MB free), the file was not written and nothing of it"
        " is left. Free some space and rerun the command: finished results are kept."
    )
