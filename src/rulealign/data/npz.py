"""Plain arrays of .npz and .npy files: checked against the size of the file before they are read.

Nothing pickled is ever loaded.
"""

from __future__ import annotations

import math
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib.format import read_array_header_1_0, read_array_header_2_0, read_magic
from numpy.lib.npyio import NpzFile

from rulealign.errors import DataError
from rulealign.self_contained import MOST_PACKED
from rulealign.wrong_values import meant

UNREADABLE = (
    *(OSError, ValueError, KeyError, EOFError, OverflowError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, NotImplementedError),
    *(SyntaxError, tokenize.TokenError),  # numpy reads a header as Python
)
"""What numpy raises of a file that is damaged, or holds anything but plain arrays."""


def array_header(member: IO[bytes]) -> tuple[tuple[int, ...], np.dtype]:
    """Read shape and type of an array, and nothing else of it.

    Args:
        member: an open .npy file, at its beginning.

    Raises:
        ValueError: it is no .npy file.
    """
    new = read_magic(member) > (1, 0)
    shape, _, dtype = (read_array_header_2_0 if new else read_array_header_1_0)(member)
    return shape, dtype


def whole_array(path: Path, key: str | None) -> np.ndarray:
    """Read the array of a .npy file.

    Args:
        path: the file.
        key: must be None, for the array has no name.

    Raises:
        DataError: there is a key.
        ValueError: the file is shorter or longer than its array. Others of `UNREADABLE` where it
            is damaged in another way.
    """
    # mapped, so that a header which claims more than the file has takes no memory
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    end = array.offset + array.nbytes
    if end != (size := path.stat().st_size):
        raise ValueError(f"its array ends at byte {end:,}, the file at byte {size:,}")
    if key is not None:
        raise DataError(f"{path}: holds one array without a name; set `key` to null, not '{key}'.")
    return array


def member_array(content: NpzFile, key: str | None, path: Path) -> np.ndarray:
    """Read an array of a .npz file.

    Args:
        content: the open file.
        key: the name of the array.
        path: the file, for messages.

    Raises:
        DataError: there is no key, or no such array; lists those there are.
        ValueError: the array claims more than the file can hold. Others of `UNREADABLE` where it
            is damaged in another way.
    """
    if key is None:
        raise DataError(f"{path}: name the array in it with `key`; it has {content.files}.")
    if key not in content.files:
        near = meant(key, content.files) or "."
        raise DataError(f"{path}: has no array '{key}'; it has {content.files}{near}")
    with content.zip.open(f"{key}.npy") as member:
        shape, dtype = array_header(member)
    claimed, size = math.prod(shape) * dtype.itemsize, path.stat().st_size
    if claimed > MOST_PACKED * size:
        raise ValueError(f"'{key}' claims {claimed:,} bytes, in a file of {size:,}")
    return content[key]
