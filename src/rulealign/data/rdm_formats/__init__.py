"""The formats of files of RDMs: a small reader each, found by the ending of the file's name."""

from __future__ import annotations

from pathlib import Path

from rulealign.data.rdm_formats.hdf5 import hdf5_rdms
from rulealign.data.rdm_formats.matlab import mat_rdms
from rulealign.data.rdm_formats.numpy_files import npy_rdms, npz_rdms
from rulealign.data.rdm_formats.stored import StoredRdms
from rulealign.data.rdm_formats.text_table import table_rdms
from rulealign.errors import DataError

READERS = {
    ".npy": npy_rdms,
    ".npz": npz_rdms,
    ".mat": mat_rdms,
    ".csv": table_rdms,
    ".tsv": table_rdms,
    ".hdf5": hdf5_rdms,
    ".h5": hdf5_rdms,
}
"""Ending of a name, in small letters -> what reads such a file."""


def stored_rdms(path: Path, key: str | None) -> StoredRdms:
    """Read what a file holds of RDMs; nothing pickled is ever loaded.

    Args:
        path: a file whose name ends as one of `READERS`.
        key: the name of the array in the file, where it has several; else None.

    Returns:
        The numbers, axes as they are stored, and the texts beside them.

    Raises:
        DataError: there is no reader; the file or the array is missing (lists those there are);
            the file is damaged, or holds anything but real numbers.
        StoreError: an HDF5 file is damaged, or not self-contained.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path}: RDMs are read from {', '.join(READERS)} files only.")
    if not path.is_file():
        raise DataError(f"{path}: there is no such file. Correct `source`, or put it there.")
    found = reader(path, key)
    if found.numbers.dtype.kind not in "fiu":
        raise DataError(f"{path}: holds {found.numbers.dtype}, not real numbers.")
    return found
