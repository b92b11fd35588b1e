"""One variable of a MATLAB file, or an error that says what the file has.

scipy may read beyond its memory where a file is damaged, which ends the whole process. So a process
of its own reads the file (this module, run as a program) and hands over plain arrays.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from rulealign.errors import DataError

_READER = [sys.executable, "-m", __spec__.name]
_REMEDY = "Get it again from its source."
_ENTRY, _TEXTS, _SHAPE = "entry ", "texts ", "shape"  # names of what is handed over

FIELD = "RDM"
"""The field of the RSA toolbox's structures that holds an RDM."""

NAMES = "name"
"""The field that says whose it is."""


def load_mat(path: Path, key: str | None) -> tuple[np.ndarray, dict[str, list[str]]]:
    """Read one array of a MATLAB file (version 7 or earlier), and the texts beside it.

    Args:
        path: the .mat file.
        key: the variable's name; None is refused with the names there are. Of an array of
            structures with a field `RDM`, that field is read.

    Returns:
        The array, as scipy reads it; of structures, their RDMs behind the axes of their array,
        without those of length 1. And name of a variable -> its texts, which may end in blanks:
        cells of texts, and arrays of characters row by row; of structures, `name` has their names.

    Raises:
        DataError: the file is missing, broken or of version 7.3 (HDF5), or has no such variable
            (lists those it has), or the variable is no array of numbers, or the RDMs of structures
            differ in shape.
    """
    handed = _read(path, key)
    entries = _entries(handed)
    if len({entry.shape for entry in entries}) > 1:
        raise DataError(f"{path}: the RDMs of {key} differ in shape; save them as one array.")
    array = np.stack(entries).reshape(*handed[_SHAPE], *entries[0].shape)
    texts = {name: found.tolist() for name, found in handed.items() if name.startswith(_TEXTS)}
    return array, {name.removeprefix(_TEXTS): found for name, found in texts.items()}


def load_mat_struct(path: Path, key: str, field: str) -> list[np.ndarray]:
    """Read one field of a struct array of a MATLAB file.

    Args:
        path: the .mat file.
        key: the name of the struct array.
        field: the field.

    Returns:
        The field's array of each entry, in the order of the struct array's rows.

    Raises:
        DataError: as in `load_mat`, or the variable is no struct array with that field.
    """
    return _entries(_read(path, key, field))


def _read(path: Path, key: str | None, field: str = "") -> dict[str, np.ndarray]:
    with tempfile.TemporaryDirectory(prefix="rulealign-mat-") as folder:
        output = Path(folder) / "arrays.npz"
        command = [*_READER, str(path), key or "", field, str(output)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DataError(f"{path}: {_reason(done)}")
        with np.load(output, allow_pickle=False) as arrays:
            return dict(arrays)


def _entries(handed: dict[str, np.ndarray]) -> list[np.ndarray]:
    return [array for name, array in handed.items() if name.startswith(_ENTRY)]


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode > 0:
        return done.stderr.strip()
    return (
        f"cannot be read as a MATLAB file (signal {-done.returncode} ended its reader): it is"
        f" damaged, or needs more memory than there is. {_REMEDY}"
    )


def _hand_over(path: str, key: str, field: str, output: str) -> str | None:
    """Write one variable as plain arrays; give what is wrong where that is not possible."""
    from scipy.io import loadmat, whosmat

    try:
        kinds = {name: kind for name, _, kind in whosmat(path)}
        of_text = [name for name, kind in kinds.items() if kind in ("cell", "char")]
        read = loadmat(path, variable_names=[key, *of_text]) if key in kinds else {}
    except Exception as error:  # whatever scipy says of damage
        return f"cannot be read as a MATLAB file ({type(error).__name__}: {error}). {_REMEDY}"
    if key not in read:
        wanted = f"has no variable '{key}'" if key else "name the array in it with `key`"
        return f"{wanted}; it has {list(kinds)}."
    found, texts = read[key], {name: _texts(read[name]) for name in of_text}
    fields = found.dtype.names or ()
    if field and (field not in fields or found.size == 0):
        return f"{key} is no struct array with a field `{field}`."
    if NAMES in fields and not field:
        texts[NAMES] = _texts(found[NAMES])
    given = found[field or FIELD].ravel() if field or (FIELD in fields and found.size) else [found]
    entries = list(map(np.asarray, given))
    if any(array.dtype.hasobject for array in entries):
        return f"{key} is a sparse array, a cell or a struct; save it as a full array of numbers."
    arrays = {f"{_TEXTS}{name}": np.array(cells) for name, cells in texts.items() if cells}
    arrays[_SHAPE] = [size for size in found.shape if size > 1] if fields else []
    np.savez(output, **arrays, **{f"{_ENTRY}{place}": one for place, one in enumerate(entries)})
    return None


def _texts(cells: np.ndarray) -> list[str]:
    """Give the texts of cells, or of rows of characters; [] where a cell has anything else."""
    contents = [np.asarray(cell) for cell in np.ravel(cells)]
    single = all(content.dtype.kind == "U" and content.size == 1 for content in contents)
    return [str(content.ravel()[0]) for content in contents] if single else []


if __name__ == "__main__":
    sys.exit(_hand_over(*sys.argv[1:]))
