"""One variable of a MATLAB file, or an error that says what the file has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.io import loadmat, whosmat
from scipy.io.matlab import MatReadError

from rulealign.errors import DataError

_UNREADABLE = (OSError, ValueError, TypeError, MatReadError, NotImplementedError)


def load_mat(path: Path, key: str) -> np.ndarray:
    """Read one variable of a MATLAB file (version 7 or earlier).

    Args:
        path: the .mat file.
        key: the variable's name.

    Returns:
        The variable as scipy reads it: an array, or a structured array of objects for a struct.

    Raises:
        DataError: the file is missing, broken or of version 7.3 (HDF5), or has no such variable;
            lists those it has.
    """
    try:
        names = [name for name, *_ in whosmat(path)]
        found = loadmat(path, variable_names=[key]) if key in names else {}
    except _UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as a MATLAB file ({error}). Get it again from its source; a"
            " file of version 7.3 must be saved anew with `save -v7`."
        ) from error
    if key not in found:
        raise DataError(f"{path}: has no variable '{key}'; it has {names}.")
    return found[key]
