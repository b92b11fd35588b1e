"""Files that are read by place: a part of a file, or a remote one, as h5py can open it."""

from __future__ import annotations

import io
from abc import abstractmethod
from pathlib import Path


class ByPlace(io.RawIOBase):
    """A file-like object over something that can be read from one place to another.

    Args:
        size: bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size, self._place = size, 0

    @abstractmethod
    def _between(self, start: int, end: int) -> bytes:
        """Read from a place to another, inside the size."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def seekable(self) -> bool:
        """Tell that it has places."""
        return True

    def tell(self) -> int:
        """Give the place."""
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}
        self._place = base[whence] + offset
        return self._place

    def readinto(self, buffer) -> int:
        """Read on from the place."""
        end = min(self._place + len(buffer), self._size)
        contents = self._between(self._place, end) if end > self._place else b""
        buffer[: len(contents)] = contents
        self._place += len(contents)
        return len(contents)


class Window(ByPlace):
    """A part of a file on disk.

    Args:
        path: the file.
        offset: first byte of the part.
        size: bytes.
    """

    def __init__(self, path: Path, offset: int, size: int) -> None:
        super().__init__(size)
        self._offset = offset
        self._file = Path(path).open("rb", buffering=0)  # noqa: SIM115 (see close)

    def _between(self, start: int, end: int) -> bytes:
        self._file.seek(self._offset + start)
        return self._file.read(end - start)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
