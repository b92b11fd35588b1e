"""What to say of a file that cannot be read: whose fault it may be, and what to do."""

from __future__ import annotations

import errno
from pathlib import Path

from rulealign.errors import StoreError

HELD = {errno.EAGAIN, errno.EDEADLK, errno.ENOLCK}
"""Errors of locks (11, 35 and 37 on Linux): the file itself may be whole."""


def unreadable(path: str | Path, kind: str, error: Exception) -> StoreError:
    """Make the error for a file that cannot be read.

    Args:
        path: the file.
        kind: what it cannot be read as, such as "a table".
        error: what reading it raised.

    Returns:
        The error to raise; it names the file, the reason and the remedy.
    """
    reason = (str(error).splitlines() or [""])[0]
    if not isinstance(error, OSError | ValueError):  # a KeyError says only which key
        reason = f"{type(error).__name__}: {reason}"
    return StoreError(f"{path}: cannot be read as {kind} ({reason}). {_remedy(error)}")


def _remedy(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "If it is a result, rerun the command, which makes it."
    if isinstance(error, PermissionError):
        return "Give yourself permission to read it, and rerun the command."
    if getattr(error, "errno", None) in HELD:
        return (
            "Another program holds it: a viewer or notebook that has it open, or another run."
            " Close it there and rerun the command. If nobody has it open, its disk grants no locks"
            " (some network disks): set HDF5_USE_FILE_LOCKING=FALSE and rerun the command."
        )
    return (
        "If it is a result, delete it and rerun the command; if it is yours, get it again from its"
        " source."
    )
