"""RDMs in MATLAB files of any version: plain arrays, and the structures of the RSA toolbox.

The toolbox (Nili et al. 2014) keeps RDMs in an array of structures with the fields `RDM`, `name`
and `color`; where there are sessions, its rows are subjects and its columns sessions.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np

from rulealign.data.mat import FIELD, NAMES, load_mat
from rulealign.data.rdm_formats.stored import StoredRdms
from rulealign.errors import DataError
from rulealign.store import open_h5


def mat_rdms(path: Path, key: str | None) -> StoredRdms:
    """Read a variable: an array, or structures with a field `RDM`; see `stored_rdms`.

    Of structures, the numbers have the axes of the array of structures (without those of length 1)
    before those of the RDMs, and the texts of the field `name` are in the order of that array.
    """
    if not h5py.is_hdf5(path):
        return StoredRdms(*load_mat(path, key))
    with open_h5(path) as file:
        variables = [name for name in file if not name.startswith("#")]
        if key not in variables:
            wanted = f"has no variable '{key}'" if key else "name the array in it with `key`"
            raise DataError(f"{path}: {wanted}; it has {variables}.")
        texts = {name: _texts(file[name]) for name in variables}
        node = file[key]
        if isinstance(node, h5py.Group):
            if FIELD not in node:
                raise DataError(f"{path}: {key} is a struct without a field `{FIELD}`.")
            texts[NAMES] = _texts(node["name"]) if "name" in node else []
            node = node[FIELD]
        numbers = _each(node, lambda one: one[()].T)
        return StoredRdms(numbers, {name: found for name, found in texts.items() if found})


def _each(node: h5py.Dataset, read: Callable[[h5py.Dataset], np.ndarray]) -> np.ndarray:
    """Read a dataset, or all that an array of references points to; axes in MATLAB's order."""
    if node.dtype != h5py.ref_dtype:
        return read(node)
    references = node[()].T
    found = np.stack([read(node.file[one]) for one in references.ravel()])
    return found.reshape(*(size for size in references.shape if size > 1), *found.shape[1:])


def _texts(node: h5py.Dataset | h5py.Group) -> list[str]:
    """Give the texts of a variable, or of what it refers to; [] where it has anything else."""
    if not isinstance(node, h5py.Dataset):
        return []
    if node.dtype == h5py.ref_dtype:
        parts = [_texts(node.file[one]) for one in node[()].T.ravel() if one]
        return [part[0] for part in parts] if all(len(part) == 1 for part in parts) else []
    if node.attrs.get("MATLAB_class") != b"char" or node.attrs.get("MATLAB_empty"):
        return []
    return ["".join(map(chr, row)) for row in np.atleast_2d(node[()].T)]
