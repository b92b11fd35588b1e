"""An HDF5 file on S3 as h5py can read it, a few kilobytes of it where a few will do.

h5py holds a lock of its own while it reads. Were the network asked from inside that read, its
thread could need the same lock (when it collects garbage that h5py has left), and both would wait
for ever. So what is not here yet ends the read with `_Missing`; it is fetched, and the read is done
again (`RemoteHdf5.reading`).
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import h5py
import numpy as np

from rulealign.data.things.s3 import Found, read_range
from rulealign.errors import DataError
from rulealign.self_contained import require_self_contained

if TYPE_CHECKING:
    from s3fs import S3FileSystem

PAGE = 2**13
"""Bytes that are asked for at once where HDF5 looks for its arrays."""
BAND = 32 * 2**20
"""Bytes of unpacked chunks that are read at once, or one row of chunks."""

_CHUNK_CACHE = 64 * 2**20
_Range = tuple[int, int]
_Result = TypeVar("_Result")


class _Missing(Exception):
    """A read needs these ranges of bytes, which are not here yet."""

    def __init__(self, ranges: list[_Range]) -> None:
        super().__init__(ranges)
        self.ranges = ranges


class _Held(io.RawIOBase):
    """What has been fetched of a file: pages, and longer ranges as they were asked for."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size, self._place = size, 0
        self.ranges: dict[_Range, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}
        self._place = base[whence] + offset
        return self._place

    def readinto(self, buffer: memoryview) -> int:
        end = min(self._place + len(buffer), self._size)
        contents = self._between(self._place, end) if end > self._place else b""
        buffer[: len(contents)] = contents
        self._place += len(contents)
        return len(contents)

    def _between(self, start: int, end: int) -> bytes:
        if (start, end) in self.ranges:
            return self.ranges[start, end]
        if end - start >= PAGE:
            raise _Missing([(start, end)])
        begins = range(start // PAGE * PAGE, end, PAGE)
        pages = [(begin, min(begin + PAGE, self._size)) for begin in begins]
        if missing := [page for page in pages if page not in self.ranges]:
            raise _Missing(missing)
        joined = b"".join(self.ranges[page] for page in pages)
        return joined[start - begins[0] : end - begins[0]]


class RemoteHdf5:
    """One open remote file; see `open_remote`.

    Attributes:
        file: the h5py file; only to be used inside of `reading`.
        found: the version of the file.
    """

    def __init__(self, files: S3FileSystem, found: Found, parallel: int) -> None:
        self._files, self.found, self._parallel = files, found, parallel
        self._held = _Held(found.bytes)
        self.file = self.reading(
            lambda: h5py.File(self._held, "r", rdcc_nbytes=_CHUNK_CACHE)  # closed by open_remote
        )

    def reading(self, action: Callable[[], _Result]) -> _Result:
        """Do something with the file, as often as it takes until all it needs is here.

        Args:
            action: reads from `file` and changes nothing else.

        Returns:
            What the action returns.

        Raises:
            DataError: the service does not answer, or the file changed.
        """
        while True:
            try:
                return action()
            except _Missing as missing:
                ranges = missing.ranges
            self._fetch(ranges)

    def _fetch(self, ranges: Iterable[_Range]) -> None:
        wanted = [range_ for range_ in ranges if range_ not in self._held.ranges]
        with ThreadPoolExecutor(self._parallel) as pool:
            read = pool.map(lambda range_: read_range(self._files, self.found, *range_), wanted)
            self._held.ranges.update(zip(wanted, read, strict=True))

    def chunked_rows(self, name: str, rows: np.ndarray, out: np.ndarray) -> None:
        """Read rows of an array that is kept in chunks: those chunks, and no others.

        Memory beyond `out` is `BAND` bytes of unpacked chunks, and the same packed.

        Args:
            name: of the dataset, (rows, columns).
            rows: increasing row numbers, int64, shape (n,).
            out: shape (n, columns); it is filled.
        """
        dataset = self.reading(lambda: self.file[name])
        high, wide = dataset.chunks
        step = high * max(1, BAND // (high * dataset.shape[1] * dataset.dtype.itemsize))
        for first in np.unique(rows // step) * step:
            end = min(int(first) + step, dataset.shape[0])
            start, stop = np.searchsorted(rows, (first, end))
            chosen = rows[start:stop] - first
            tops = [int(first) + top for top in np.unique(chosen // high) * high]
            corners = [(top, left) for top in tops for left in range(0, dataset.shape[1], wide)]
            places = self.reading(lambda corners=corners: list(_places(dataset, corners)))
            before = set(self._held.ranges)
            self._fetch(places)
            for top in tops:
                inside = (rows >= top) & (rows < top + high)
                band = self.reading(lambda top=top: dataset[top : top + high])
                out[inside] = band[rows[inside] - top]
            self._held.ranges = {key: self._held.ranges[key] for key in before}


def _places(dataset: h5py.Dataset, corners: list[_Range]) -> Iterator[_Range]:
    for corner in corners:
        info = dataset.id.get_chunk_info_by_coord(corner)
        if info.byte_offset is not None:  # one that was never written takes no place
            yield info.byte_offset, info.byte_offset + info.size


@contextmanager
def open_remote(files: S3FileSystem, found: Found, parallel: int) -> Iterator[RemoteHdf5]:
    """Open an HDF5 file on S3.

    Args:
        files: from `s3.connected`.
        found: the version of the file.
        parallel: requests at a time.

    Yields:
        The open file.

    Raises:
        DataError: it is truncated, damaged or no HDF5 file, or the service does not answer.
        StoreError: it is not self-contained.
    """
    try:
        remote = RemoteHdf5(files, found, parallel)
        with remote.file as file:
            own = partial(require_self_contained, file, found.address, found.bytes)
            remote.reading(own)
            yield remote
    except (OSError, RuntimeError, KeyError) as error:  # what h5py says of damage
        raise DataError(
            f"{found.address}: cannot be read as HDF5 ({error}): it is cut off or another kind of"
            " file. Look at the dataset's page for news, or set `things.form: tables` and"
            " `things.root` to a whole copy."
        ) from error
