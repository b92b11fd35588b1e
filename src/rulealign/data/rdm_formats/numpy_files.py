"""RDMs in .npy and .npz files."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile

from rulealign.data.npz import UNREADABLE, array_header, member_array, whole_array
from rulealign.data.rdm_formats.stored import StoredRdms
from rulealign.data.things.pickled_labels import pickled_labels
from rulealign.errors import DataError

_LONGEST_NAME = 4096  # bytes; a longer one is no name
_MOST_NAMES = 10_000


def npy_rdms(path: Path, key: str | None) -> StoredRdms:
    """Read a .npy file; see `stored_rdms`. It has no `key`."""
    return _plain(path, lambda: StoredRdms(whole_array(path, key), {}))


def npz_rdms(path: Path, key: str | None) -> StoredRdms:
    """Read an array of a .npz file, and the texts in it; see `stored_rdms`."""

    def read() -> StoredRdms:
        with path.open("rb") as handle:  # numpy would leave a truncated .npz open
            content = np.load(handle, allow_pickle=False)
            if not isinstance(content, NpzFile):
                raise ValueError("it is no .npz")
            return StoredRdms(member_array(content, key, path), _texts(content))

    return _plain(path, read)


def _plain(path: Path, read: Callable[[], StoredRdms]) -> StoredRdms:
    try:
        return read()
    except UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as plain arrays ({error}). Get it again from its source; an"
            " array of Python objects is not loaded, because it may hold code."
        ) from error


def _texts(content: NpzFile) -> dict[str, list[str]]:
    members = content.zip.namelist()
    found = {key: _names(content, key) for key in content.files if f"{key}.npy" in members}
    return {key: names for key, names in found.items() if names}


def _names(content: NpzFile, key: str) -> list[str]:
    """Give the texts of an array along one axis; [] of any other. No pickle is run."""
    with content.zip.open(f"{key}.npy") as member:
        shape, dtype = array_header(member)
        count = math.prod(shape)
        if count != max(shape, default=0) or count > _MOST_NAMES:
            return []
        if dtype.hasobject:
            return list(map(str, pickled_labels(member.read(count * _LONGEST_NAME)) or []))
    if dtype.kind in "US" and dtype.itemsize <= _LONGEST_NAME:
        return content[key].astype(str).ravel().tolist()
    return []
