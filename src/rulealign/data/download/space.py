"""Space on the disk: needed against free, said before anything is written."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rulealign.errors import StoreError


def megabytes(size: float) -> str:
    """Write a size in bytes for readers, such as "12.3 MB" or "40.1 GB".

    Args:
        size: bytes.
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e10 else f"{size / 1e6:.1f} MB"


def require_space(folder: Path, needed: int, what: str, say: bool = True) -> None:
    """Say how much space something needs and how much is free; refuse what does not fit.

    Args:
        folder: where it will lie; it exists.
        needed: bytes that are still to be written.
        what: what will be written, for the messages.
        say: whether to print the numbers where it fits.

    Raises:
        StoreError: it does not fit; the message has both numbers.
    """
    free = shutil.disk_usage(folder).free
    numbers = f"{megabytes(needed)} needed, {megabytes(free)} free"
    if free < needed:
        raise StoreError(
            f"{what}: the disk is full: {numbers} in {folder}. Nothing of it was written. Free some"
            " space, or put the folder on another disk, and rerun the command."
        )
    if say:
        print(f"{what}: {numbers}", flush=True)


@contextmanager
def named_when_full(path: Path) -> Iterator[None]:
    """Turn "no space left" into an error that names the file.

    Args:
        path: what is being written; it is left as it is, to be continued.

    Raises:
        StoreError: the disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        free = megabytes(shutil.disk_usage(path.parent).free)
        raise StoreError(
            f"{path}: the disk is full ({free} free). Free some space and rerun the"
            " command: what has arrived is kept."
        ) from error
