"""Rows of a large array that lies in one piece in a remote file: as few bytes as they need."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.download.space import megabytes
from rulealign.data.things.s3 import Found, read_range
from rulealign.progress import REPORT_EVERY

if TYPE_CHECKING:
    from s3fs import S3FileSystem

PIECE = 4 * 2**20
"""Bytes that are asked for at once; one row at least."""


@dataclass(frozen=True)
class Rows:
    """Where an array lies in a file: first byte, shape (rows, columns), dtype with byte order."""

    offset: int
    shape: tuple[int, int]
    dtype: np.dtype

    @property
    def row_bytes(self) -> int:
        """Give the size of a row."""
        return self.shape[1] * self.dtype.itemsize


def merged(rows: np.ndarray, spare: int) -> list[tuple[int, int]]:
    """Join neighbouring rows to stretches, across gaps where these are small.

    Args:
        rows: increasing row numbers, shape (n,), n > 0.
        spare: how many rows may be read that are not asked for; the smallest gaps are bridged.

    Returns:
        (first row, row after the last) of each stretch.
    """
    gaps = np.diff(rows) - 1
    order = np.argsort(gaps, kind="stable")
    bridged = np.zeros(len(gaps), dtype=bool)
    bridged[order[np.cumsum(gaps[order]) <= spare]] = True
    breaks = np.flatnonzero(~bridged) + 1
    return [(int(part[0]), int(part[-1]) + 1) for part in np.split(rows, breaks)]


def pieces(stretches: list[tuple[int, int]], row_bytes: int) -> list[tuple[int, int]]:
    """Cut stretches of rows into pieces of `PIECE` bytes at most, or one row.

    Args:
        stretches: from `merged`.
        row_bytes: size of a row.

    Returns:
        (first row, row after the last) of each piece.
    """
    step = max(1, PIECE // row_bytes)
    return [
        (first, min(first + step, end))
        for start, end in stretches
        for first in range(start, end, step)
    ]


def fetch_rows(
    files: S3FileSystem,
    found: Found,
    array: Rows,
    rows: np.ndarray,
    out: np.ndarray,
    spare: float,
    parallel: int,
    what: str = "",
) -> None:
    """Read some rows of a remote array, several pieces at a time.

    Memory beyond `out` is `parallel` pieces.

    Args:
        files: from `s3.connected`.
        found: the version of the file.
        array: where the array lies in it.
        rows: increasing row numbers, int64, shape (n,), n > 0.
        out: shape (n, columns), of any dtype that the array's can be turned into; it is filled.
        spare: bytes that may be read beyond those of the rows.
        parallel: requests at a time.
        what: what is read, for lines of progress; "" for none.

    Raises:
        DataError: the file cannot be read, or changed.
    """
    todo = pieces(merged(rows, int(spare // array.row_bytes)), array.row_bytes)
    total = sum(end - first for first, end in todo) * array.row_bytes
    if what:
        needed = megabytes(len(rows) * array.row_bytes)
        print(
            f"{what}: {needed} needed, {megabytes(total)} to read in {len(todo)} pieces, of"
            f" {megabytes(found.bytes)}",
            flush=True,
        )

    def fill(first: int, end: int) -> int:
        begin = array.offset + first * array.row_bytes
        raw = read_range(files, found, begin, begin + (end - first) * array.row_bytes)
        read = np.frombuffer(raw, dtype=array.dtype).reshape(end - first, array.shape[1])
        start, stop = np.searchsorted(rows, (first, end))
        out[start:stop] = read[rows[start:stop] - first]
        return len(raw)

    _work_off(fill, todo, parallel, total, what)


def _work_off(fill, todo: list[tuple[int, int]], parallel: int, total: int, what: str) -> None:
    done, last = 0, time.monotonic()
    with ThreadPoolExecutor(parallel) as pool:
        try:
            for future in as_completed([pool.submit(fill, *piece) for piece in todo]):
                done += future.result()
                if what and (done == total or time.monotonic() - last > REPORT_EVERY):
                    last = time.monotonic()
                    print(f"{what}: {done / 1e6:.1f} of {megabytes(total)}", flush=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
