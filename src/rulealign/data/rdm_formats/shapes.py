"""The shape of an array of RDMs, where it can be told without reading the array."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py

from rulealign.data.npz import UNREADABLE, array_header
from rulealign.errors import StoreError
from rulealign.store import open_h5

Shape = tuple[int, ...] | None


def stored_shape(path: Path, key: str | None) -> Shape:
    """Give the shape of an array in a .npy, .npz or HDF5 file.

    Args:
        path: the file.
        key: the name of the array, where it has one.

    Returns:
        The shape; None of other formats, which would have to be read, and of what is missing or
        damaged, which is refused when it is read.
    """
    read = _READERS.get(path.suffix.lower())
    try:
        return read(path, key) if read else None
    except (StoreError, *UNREADABLE):
        return None


def _npy(path: Path, _key: str | None) -> Shape:
    with path.open("rb") as file:
        return array_header(file)[0]


def _npz(path: Path, key: str | None) -> Shape:
    with zipfile.ZipFile(path) as file, file.open(f"{key}.npy") as member:
        return array_header(member)[0]


def _hdf5(path: Path, key: str | None) -> Shape:
    with open_h5(path) as file:
        node = file.get(key or "")
        return node.shape if isinstance(node, h5py.Dataset) else None


_READERS = {".npy": _npy, ".npz": _npz, ".hdf5": _hdf5, ".h5": _hdf5}
