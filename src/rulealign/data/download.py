"""One download over HTTP: resumed where it broke off, retried, checked, and said aloud."""

from __future__ import annotations

import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from rulealign.errors import DataError

if TYPE_CHECKING:
    import requests

    from rulealign.data.registry import RemoteFile

ATTEMPTS = 5
"""Tries in a row that bring nothing new before an address is given up."""
FIRST_WAIT = 1.0
"""Seconds before the second try; doubled before each further one."""
TIMEOUT = (15, 60)
"""Seconds to wait for a connection, and for the next bytes."""

_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_CHUNK = 1 << 16  # bytes; what a cut connection can lose
_REPORT_EVERY = 5.0


class Unavailable(Exception):
    """An address does not give the file; `answered` tells whether there was a server at all."""

    def __init__(self, reason: str, answered: bool) -> None:
        super().__init__(reason)
        self.answered = answered


def shown(url: str) -> str:
    """Write a URL for messages and logs, without the secrets that it may carry.

    Args:
        url: any URL.

    Returns:
        The URL without user, password, query and fragment.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def wrong_bytes(place: str, file: RemoteFile, found: str, remedy: str) -> DataError:
    """Make the error for a file whose checksum is not the registry's.

    Args:
        place: where the bytes came from, a path or URL.
        file: what was expected.
        found: the checksum found, hexadecimal, by the same algorithm.
        remedy: what the user can do.

    Returns:
        The error, to be raised.
    """
    algorithm = file.checksum.partition(":")[0]
    return DataError(
        f"{place}: these are not the expected bytes: expected {file.checksum} ({file.bytes} bytes),"
        f" found {algorithm}:{found}. {remedy}"
    )


@dataclass
class Download:
    """A downloader for `pooch.retrieve` that continues a broken download.

    What has arrived lies in `part` until it is complete and has the right checksum; a later call,
    in this process or another, asks only for the rest (HTTP Range). A server that cannot do so
    begins again.

    Attributes:
        name: the file's name, for messages.
        file: what is expected.
        part: where unfinished bytes are kept, on the same disk as the result.
        session: the HTTP session, shared by the files of a dataset.
    """

    name: str
    file: RemoteFile
    part: Path
    session: requests.Session

    def __call__(self, url: str, output_file: str, _pooch: Any = None) -> None:
        """Download one file.

        Args:
            url: its address.
            output_file: where to put it when it is complete and checked.

        Raises:
            Unavailable: the address does not give the file.
            DataError: it gives other bytes; they are deleted.
            OSError: the disk is full.
        """
        resumed = self._size() > 0
        found = self._complete(url)
        if found != self._expected and resumed:
            print(f"{self.name}: the resumed download is wrong; downloading it anew", flush=True)
            self.part.unlink()
            found = self._complete(url)
        if found != self._expected:
            self.part.unlink()
            raise wrong_bytes(
                shown(url),
                self.file,
                found,
                f"'{self.name}' was deleted. A proxy or login page may have answered instead of the"
                " server: open the address in a browser, then type the same command again.",
            )
        self.part.replace(output_file)

    @property
    def _expected(self) -> str:
        return self.file.checksum.partition(":")[2]

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _complete(self, url: str) -> str:
        import pooch

        most, failures = self._size(), 0
        print(f"{self.name}: {self.file.bytes / 1e6:.1f} MB from {shown(url)}", flush=True)
        while (problem := self._once(url)) is not None:
            failures = 1 if self._size() > most else failures + 1
            most = max(most, self._size())
            if failures == ATTEMPTS:
                raise Unavailable(*problem)
            wait = FIRST_WAIT * 2 ** (failures - 1)
            have = f"{self._size() / 1e6:.1f} MB are here"
            print(f"{self.name}: {problem[0]}; {have}, next try in {wait:g} s", flush=True)
            time.sleep(wait)
        return pooch.file_hash(str(self.part), alg=self.file.checksum.partition(":")[0])

    def _once(self, url: str) -> tuple[str, bool] | None:
        """Make one request; None when the file is complete, else the reason and `answered`."""
        import requests

        if self._size() > self.file.bytes:
            self.part.unlink()
        if self._size() == self.file.bytes:
            return None
        # Compressed transfer would make the offset of a Range ambiguous.
        headers = {"Accept-Encoding": "identity"}
        if offset := self._size():
            headers["Range"] = f"bytes={offset}-"
        try:
            with self.session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
                return self._take(answer, offset)
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise Unavailable(f"no usable address ({type(error).__name__})", False) from error
            cause = _cause(error)
            reason = f"no answer, or cut ({type(cause).__name__}: {cause})"
            if isinstance(cause, socket.gaierror):
                # no network, or a name that does not exist: some seconds do not change that
                raise Unavailable(reason, False) from error
            return reason, self._size() > offset

    def _take(self, answer: requests.Response, offset: int) -> tuple[str, bool] | None:
        status = f"the server answers {answer.status_code} {answer.reason}"
        if answer.status_code in _TRY_AGAIN:
            return status, True
        begin = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if answer.status_code == 416 or (
            answer.status_code == 206 and (begin is None or int(begin[1]) != offset)
        ):
            self.part.unlink(missing_ok=True)
            return "the server cannot resume there; from the start", True
        if answer.status_code not in (200, 206):
            raise Unavailable(status, True)
        return self._receive(answer, offset if answer.status_code == 206 else 0)

    def _receive(self, answer: requests.Response, offset: int) -> tuple[str, bool] | None:
        size, last = offset, time.monotonic()
        with self.part.open("ab" if offset else "wb") as handle:
            for chunk in answer.iter_content(_CHUNK):
                handle.write(chunk)
                size += len(chunk)
                if size > self.file.bytes:
                    return None  # not the file; the checksum will say so
                if time.monotonic() - last > _REPORT_EVERY:
                    last = time.monotonic()
                    done = f"{size / 1e6:.1f} of {self.file.bytes / 1e6:.1f} MB"
                    print(f"{self.name}: {done}", flush=True)
        if size == self.file.bytes or _ended_as_announced(answer, size - offset):
            return None
        return "the connection was cut", True


def _ended_as_announced(answer: requests.Response, received: int) -> bool:
    if answer.headers.get("Transfer-Encoding") == "chunked":
        return True  # a missing last chunk is an error of its own
    length = answer.headers.get("Content-Length")
    return length is not None and received >= int(length)


def _cause(error: BaseException) -> BaseException:
    """Find the reason under requests' and urllib3's wrappers; it names no URL."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
