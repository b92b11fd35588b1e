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
_TEXTS = "*"  # in place of a field, which has no such name
_REMEDY = "Get it again from its source; a file of version 7.3 must be saved anew with `save -v7`."


def load_mat(path: Path, key: str | None) -> np.ndarray:
    """Read one array of a MATLAB file (version 7 or earlier).

    Args:
        path: the .mat file.
        key: the variable's name; None is refused with the names there are.

    Returns:
        The array, as scipy reads it.

    Raises:
        DataError: the file is missing, broken or of version 7.3 (HDF5), or has no such variable
            (lists those it has), or the variable is no array.
    """
    return _read(path, key)[0]


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
    return _read(path, key, field)


def mat_texts(path: Path) -> list[tuple[str, list[str]]]:
    """Read all texts of a MATLAB file: cells of texts, and arrays of characters row by row.

    Args:
        path: the .mat file.

    Returns:
        Name of a variable and its texts, which may end in blanks.

    Raises:
        DataError: the file is missing, broken or of version 7.3 (HDF5).
    """
    names, *texts = _read(path, None, _TEXTS)
    return list(zip(names.tolist(), (array.tolist() for array in texts), strict=True))


def _read(path: Path, key: str | None, field: str = "") -> list[np.ndarray]:
    with tempfile.TemporaryDirectory(prefix="rulealign-mat-") as folder:
        output = Path(folder) / "arrays.npz"
        command = [*_READER, str(path), key or "", field, str(output)]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise DataError(f"{path}: {_reason(done)}")
        with np.load(output, allow_pickle=False) as arrays:
            return [arrays[str(place)] for place in range(len(arrays.files))]


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
        if field == _TEXTS:
            return _hand_over_texts(path, output)
        names = [name for name, *_ in whosmat(path)]
        found = loadmat(path, variable_names=[key])[key] if key in names else None
    except Exception as error:  # whatever scipy says of damage
        return f"cannot be read as a MATLAB file ({type(error).__name__}: {error}). {_REMEDY}"
    if found is None:
        wanted = f"has no variable '{key}'" if key else "name the array in it with `key`"
        return f"{wanted}; it has {names}."
    if field and (field not in (found.dtype.names or ()) or found.size == 0):
        return f"{key} is no struct array with a field `{field}`."
    arrays = [np.asarray(entry[field]) for entry in found.ravel()] if field else [np.asarray(found)]
    if any(array.dtype.hasobject for array in arrays):
        return f"{key} is a sparse array, a cell or a struct; save it as a full array of numbers."
    np.savez(output, **{str(place): array for place, array in enumerate(arrays)})
    return None


def _hand_over_texts(path: str, output: str) -> None:
    from scipy.io import loadmat, whosmat

    of_text = [name for name, _, kind in whosmat(path) if kind in ("cell", "char")]
    read = loadmat(path, variable_names=of_text) if of_text else {}
    found = {name: list(map(_text, read[name].ravel())) for name in of_text}
    texts = {name: cells for name, cells in found.items() if cells and None not in cells}
    arrays = [np.array(list(texts), dtype="U"), *map(np.array, texts.values())]
    np.savez(output, **{str(place): array for place, array in enumerate(arrays)})


def _text(cell: np.ndarray | str) -> str | None:
    """Give the text of a cell; None where it holds anything else."""
    content = np.asarray(cell)
    return str(content.ravel()[0]) if content.dtype.kind == "U" and content.size == 1 else None


if __name__ == "__main__":
    sys.exit(_hand_over(*sys.argv[1:]))
