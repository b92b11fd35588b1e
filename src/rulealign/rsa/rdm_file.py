"""What reading any file of RDMs needs: its attributes, its datasets and their size."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from rulealign.errors import DataError, StoreError
from rulealign.store import refuse_duplicates


def require_files(files: Sequence[Path], kind: str) -> None:
    """Refuse an empty list of files, or one that names a file twice.

    Args:
        files: RDM files.
        kind: whose RDMs they hold, for the message.

    Raises:
        DataError: there is no file, or one is listed twice.
    """
    if not files:
        raise DataError(f"there are no {kind} RDM files to read.")
    refuse_duplicates([str(path) for path in files], f"{kind} RDM files")


def read_attributes(file: h5py.File, keys: Sequence[str]) -> dict[str, Any]:
    """Read attributes of an open file as plain values.

    Args:
        file: an open file made by `write_h5`.
        keys: the attributes that it must have.

    Returns:
        Key -> text, number or boolean.

    Raises:
        StoreError: an attribute is missing; names it.
    """
    missing = [key for key in keys if key not in file.attrs]
    if missing:
        raise StoreError(
            f"{file.filename}: lacks the attribute '{missing[0]}'; it was not made by this"
            " pipeline, or by another version of it. Delete it and rerun the command."
        )
    return {key: _plain(file.attrs[key]) for key in keys}


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


def require_size(rdm: np.ndarray, ids: Sequence[str], what: str) -> None:
    """Refuse a condensed RDM that has not one value for each pair of its stimuli.

    Args:
        rdm: shape (n_pairs,).
        ids: the stimuli's ids.
        what: the file and dataset, for the message.

    Raises:
        DataError: the size differs.
    """
    pairs = len(ids) * (len(ids) - 1) // 2
    if rdm.shape != (pairs,):
        raise DataError(
            f"{what}: has shape {rdm.shape}, but {len(ids)} stimuli have {pairs} pairs."
        )


def dataset_names(file: h5py.File, depth: int) -> list[str]:
    """List the datasets of a file that lie at one depth, ids apart.

    Args:
        file: an open file made by `write_h5`.
        depth: parts of the name, such as 3 for `<layer>/<descriptor>/<centring>`.

    Returns:
        The names, sorted.

    Raises:
        StoreError: there is none, or a dataset lies at another depth.
    """
    found: list[str] = []
    file.visititems(lambda name, node: found.append(name) if _is_data(name, node) else None)
    wrong = [name for name in found if name.count("/") != depth - 1]
    if wrong or not found:
        raise StoreError(
            f"{file.filename}: expected datasets with names of {depth} parts, found"
            f" {wrong or 'none'}; it was not made by this pipeline."
        )
    return sorted(found)


def _is_data(name: str, node: Any) -> bool:
    return isinstance(node, h5py.Dataset) and not name.startswith("ids/")
