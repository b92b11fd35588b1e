"""Checksums inside of HDF5 files: a file that was copied alone still tells when it was damaged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from rulealign.errors import StoreError
from rulealign.provenance import fingerprint

CHUNK = 2**20
"""Bytes that share a checksum; HDF5 reads them as one, and keeps as many in memory."""

_CONTENT_HASH = "content_hash"


def with_checksums(shape: Sequence[int], dtype: np.dtype) -> dict[str, Any]:
    """Give the options of a dataset of which each stretch of rows has its own checksum.

    Args:
        shape: its shape; the first axis are its rows.
        dtype: its type.

    Returns:
        Options of h5py's `create_dataset`; {} for what cannot have any: a scalar, no values, text.
    """
    size = math.prod(shape) * dtype.itemsize
    if not shape or not size or dtype.kind not in "biufc":
        return {}
    parts = min(shape[0], math.ceil(size / CHUNK))
    return {"chunks": (math.ceil(shape[0] / parts), *shape[1:]), "fletcher32": True}


def add_content_hash(file: h5py.File) -> None:
    """Add the attribute `content_hash`, of all that HDF5 keeps no checksum of.

    These are the attributes, and datasets without `with_checksums`, such as ids and other text.

    Args:
        file: an open file, when it has its attributes and those datasets.
    """
    file.attrs[_CONTENT_HASH] = _content_hash(file)


def require_content(file: h5py.File) -> None:
    """Refuse a file whose attributes or text are not those of its `content_hash`.

    Args:
        file: an open file; one without that attribute is passed over.

    Raises:
        StoreError: names the file and the remedy.
    """
    written = file.attrs.get(_CONTENT_HASH)
    if written is not None and written != _content_hash(file):
        raise StoreError(
            f"{file.filename}: its ids or attributes were changed after it had been written. If it"
            " is a result, delete it and rerun the command; if it is yours, get it again from its"
            " source."
        )


def _content_hash(file: h5py.File) -> str:
    # of all that has no checksum of HDF5: attributes, and text, which lies outside of its dataset
    found = {f"@{name}": _plain_text(file.attrs[name]) for name in file.attrs}
    found.pop(f"@{_CONTENT_HASH}", None)

    def add(name: str, node: h5py.Group | h5py.Dataset) -> None:
        if isinstance(node, h5py.Dataset) and not node.fletcher32:
            found[name] = _plain_text(node[()])

    file.visititems(add)
    return fingerprint(found)


def _plain_text(value: Any) -> str:
    # as Python writes it: numpy's own words change from version to version
    return repr(value.tolist() if isinstance(value, np.ndarray | np.generic) else value)
