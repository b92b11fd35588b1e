"""One download over HTTP: resumed where it broke off, retried, checked, and said aloud."""

from __future__ import annotations

import json
import re
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulealign.data.download.space import megabytes, require_space
from rulealign.data.download.transfer import (
    Trouble,
    Unavailable,
    asked_wait,
    first_cause,
    shown,
    wait_before,
    wrong_bytes,
)
from rulealign.json_files import read_json
from rulealign.progress import REPORT_EVERY

if TYPE_CHECKING:
    import requests

    from rulealign.data.download.registry import RemoteFile

ATTEMPTS = 5
"""Tries in a row that bring nothing new before an address is given up."""
FIRST_WAIT = 1.0
"""Seconds before the second try; doubled before each further one."""
TIMEOUT = (15, 60)
"""Seconds to wait for a connection, and for the next bytes."""

_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_CHUNK = 1 << 16  # bytes; what a cut connection can lose


@dataclass
class Download:
    """A download that continues where a broken one stopped; also a downloader for `pooch.retrieve`.

    What has arrived lies in `part` until it is complete and has the right checksum; a later call,
    in this process or another, asks only for the rest (HTTP Range). A server that cannot do so
    begins again.

    Of a file without a published checksum (`first_use`), the server's first answer tells the size,
    and the space is checked then. Size and version (ETag, else Last-Modified) are noted beside
    `part`, so that a later call never joins parts of two versions (HTTP If-Range).

    Attributes:
        name: the file's name, for messages.
        file: what is expected; its size is filled in where it had to be learned.
        part: where unfinished bytes are kept, on the same disk as the result.
        session: the HTTP session, shared by the files of a dataset.
        digest: checksum of the complete file, hexadecimal; "" before.
    """

    name: str
    file: RemoteFile
    part: Path
    session: requests.Session
    digest: str = ""

    def __call__(self, url: str, output_file: str | Path, _pooch: Any = None) -> None:
        """Download one file.

        Args:
            url: its address.
            output_file: where to put it when it is complete and checked.

        Raises:
            Unavailable: the address does not give the file.
            DataError: it gives other bytes; they are deleted.
            StoreError: there is no space for a file whose size had to be learned.
            OSError: the disk is full.
        """
        resumed = self._size() > 0
        self.digest = self._complete(url)
        if self._expected not in (self.digest, None) and resumed:
            print(f"{self.name}: the resumed download is wrong; downloading it anew", flush=True)
            self._forget()
            self.digest = self._complete(url)
        if self._expected not in (self.digest, None):
            self._forget()
            raise wrong_bytes(
                shown(url),
                self.file,
                self.digest,
                f"'{self.name}' was deleted. A proxy or login page may have answered instead of the"
                " server: open the address in a browser, then rerun the command.",
            )
        self.part.replace(output_file)
        self._forget()

    @property
    def _expected(self) -> str | None:
        return self.file.checksum and self.file.checksum.partition(":")[2]

    @property
    def _note(self) -> Path:
        return self.part.with_name(f"{self.part.name}.json")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _complete(self, url: str) -> str:
        import pooch

        most, failures = self._size(), 0
        size = megabytes(self.file.bytes) if self.file.bytes else "size not known yet"
        print(f"{self.name}: {size}, from {shown(url)}", flush=True)
        while (problem := self._once(url)) is not None:
            failures = 1 if self._size() > most else failures + 1
            most = max(most, self._size())
            if failures == ATTEMPTS:
                raise Unavailable(problem.reason, problem.answered)
            wait, wish = wait_before(FIRST_WAIT, failures, problem.wait)
            have = f"{megabytes(self._size())} are here"
            print(
                f"{self.name}: {problem.reason}; {have}, next try in {wait:g} s{wish}", flush=True
            )
            time.sleep(wait)
        return pooch.file_hash(str(self.part), alg=(self.file.checksum or "sha256:").split(":")[0])

    def _once(self, url: str) -> Trouble | None:
        """Make one request; None when the file is complete, else what was wrong."""
        import requests

        version = self._noted_version()
        if self.file.bytes is not None and self._size() > self.file.bytes:
            self.part.unlink()
        if self._size() == self.file.bytes:
            return None
        # Compressed transfer would make the offset of a Range ambiguous.
        headers = {"Accept-Encoding": "identity"}
        if offset := self._size():
            headers["Range"] = f"bytes={offset}-"
            headers |= {"If-Range": version} if version else {}
        try:
            with self.session.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
                return self._take(answer, offset)
        except requests.RequestException as error:
            if isinstance(error, ValueError):
                raise Unavailable(f"no usable address ({type(error).__name__})", False) from error
            cause = first_cause(error)
            reason = f"no answer, or cut ({type(cause).__name__}: {cause})"
            if isinstance(cause, socket.gaierror):
                # no network, or a name that does not exist: some seconds do not change that
                raise Unavailable(reason, False) from error
            return Trouble(reason, self._size() > offset)

    def _take(self, answer: requests.Response, offset: int) -> Trouble | None:
        status = f"the server answers {answer.status_code} {answer.reason}"
        if answer.status_code in _TRY_AGAIN:
            return Trouble(status, True, asked_wait(answer.headers))
        begin = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
        if answer.status_code == 416 or (
            answer.status_code == 206 and (begin is None or int(begin[1]) != offset)
        ):
            self._forget()
            return Trouble("the server cannot resume there; from the start", True)
        if answer.status_code not in (200, 206):
            raise Unavailable(status, True)
        if self.file.checksum is None and (problem := self._learn(answer)) is not None:
            return problem
        return self._receive(answer, offset if answer.status_code == 206 else 0)

    def _noted_version(self) -> str:
        """Read what an earlier call learned; without it an unpublished file starts anew."""
        if self.file.checksum is not None:
            return ""
        if not self._note.exists():
            self._forget()
            return ""
        noted = read_json(self._note, "bytes", "version")
        self.file = self.file.seen(noted["bytes"])
        return noted["version"]

    def _learn(self, answer: requests.Response) -> Trouble | None:
        """Take the size from an answer that is about to be received; check the space once."""
        whole = answer.status_code == 200
        size = answer.headers.get("Content-Length" if whole else "Content-Range", "")
        size = size.rpartition("/")[2]
        if not size.isdigit():
            raise Unavailable("the server does not say how large the file is", True)
        if not whole and self.file.bytes not in (int(size), None):
            self._forget()
            return Trouble("the size of the file has changed; starting again", True)
        if whole:
            self.part.unlink(missing_ok=True)
            require_space(self.part.parent, int(size), self.name)
        version = answer.headers.get("ETag", "")
        version = version if version.startswith('"') else answer.headers.get("Last-Modified", "")
        self._note.write_text(json.dumps({"bytes": int(size), "version": version}) + "\n")
        self.file = self.file.seen(int(size))
        return None

    def _receive(self, answer: requests.Response, offset: int) -> Trouble | None:
        size, last = offset, time.monotonic()
        with self.part.open("ab" if offset else "wb") as handle:
            for chunk in answer.iter_content(_CHUNK):
                handle.write(chunk)
                size += len(chunk)
                if size > self.file.bytes:
                    return None  # not the file; the checksum will say so
                if time.monotonic() - last > REPORT_EVERY:
                    last = time.monotonic()
                    done = f"{size / 1e6:.1f} of {megabytes(self.file.bytes)}"
                    print(f"{self.name}: {done}", flush=True)
        if size == self.file.bytes:
            return None
        if self.file.checksum is not None and _ended_as_announced(answer, size - offset):
            return None
        return Trouble("the connection was cut", True)


def _ended_as_announced(answer: requests.Response, received: int) -> bool:
    if answer.headers.get("Transfer-Encoding") == "chunked":
        return True  # a missing last chunk is an error of its own
    length = answer.headers.get("Content-Length")
    return length is not None and received >= int(length)
