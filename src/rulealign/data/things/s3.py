"""Objects on S3, read without an account: their size and version, and ranges of their bytes.

The endpoint is Amazon's, or what the standard variable AWS_ENDPOINT_URL names. Every request
belongs to one version of its object (If-Match with its ETag), is checked by length, and is tried
again, after a growing wait, when it fails in passing.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rulealign.data.download.transfer import asked_wait, first_cause, wait_before
from rulealign.errors import DataError

if TYPE_CHECKING:
    from s3fs import S3FileSystem

ATTEMPTS = 5
"""Tries in a row that bring nothing before an object is given up."""
FIRST_WAIT = 0.5
"""Seconds before the second try; doubled before each further one."""
_TRY_AGAIN = (None, 408, 429, 500, 502, 503, 504)  # None: there was no answer
_TIMEOUTS = {"connect_timeout": 15, "read_timeout": 60}
_REMEDY = (
    "Where there is no network, bring the files by other means and set `things.form: tables` and"
    " `things.root` to their folder."
)
_Result = TypeVar("_Result")


class NoSuchObject(DataError):
    """There is no such object, or it is not public."""


@dataclass(frozen=True)
class Found:
    """One version of an object: `address` (s3://bucket/key), size in bytes, ETag with quotes."""

    address: str
    bytes: int
    etag: str
    md5: str | None

    @property
    def place(self) -> tuple[str, str]:
        """Give bucket and key."""
        bucket, _, key = self.address.removeprefix("s3://").partition("/")
        return bucket, key


@contextmanager
def connected(endpoint: str | None = None, parallel: int = 1) -> Iterator[S3FileSystem]:
    """Open a connection without an account.

    Args:
        endpoint: URL of the service; None for AWS_ENDPOINT_URL, and without that Amazon's.
        parallel: requests at a time.

    Yields:
        The file system of s3fs; each request is sent once, trying again is `persistently`'s.
    """
    from s3fs import S3FileSystem

    config = {**_TIMEOUTS, "retries": {"total_max_attempts": 1}, "max_pool_connections": parallel}
    files = S3FileSystem(
        anon=True, endpoint_url=endpoint, config_kwargs=config, skip_instance_cache=True
    )
    files.retries = 1
    try:
        yield files
    finally:
        if files._s3 is not None:  # s3fs itself closes connections only when it is collected
            files.close_session(files.loop, files._s3creator)


def look_up(files: S3FileSystem, address: str) -> Found:
    """Ask for the size and version of an object.

    Args:
        files: from `connected`.
        address: `s3://<bucket>/<key>`.

    Returns:
        What was found; `md5` where the ETag is one (not after an upload in parts).

    Raises:
        DataError: there is no such object, it is not public, or the service does not answer.
    """
    about = persistently(address, lambda: files.info(address, refresh=True))
    if about["type"] != "file":
        raise DataError(f"{address}: is a folder, not an object.")
    etag = about["ETag"].strip('"')
    md5 = etag if re.fullmatch("[0-9a-f]{32}", etag) else None
    return Found(address, int(about["size"]), f'"{etag}"', md5)


def read_range(files: S3FileSystem, found: Found, start: int, end: int) -> bytes:
    """Read some bytes of an object, exactly as many as asked for.

    Args:
        files: from `connected`; may be shared by threads.
        found: the version that was looked up.
        start: first byte.
        end: byte after the last.

    Returns:
        The bytes.

    Raises:
        DataError: the object has changed since it was looked up, or the service does not answer.
    """
    from fsspec.asyn import sync

    def once() -> bytes:
        return sync(files.loop, _range, files, found, start, end)

    return persistently(found.address, once)


async def _range(files: S3FileSystem, found: Found, start: int, end: int) -> bytes:
    bucket, key = found.place
    asked = {"Range": f"bytes={start}-{end - 1}", "IfMatch": found.etag}
    answer = await files._call_s3("get_object", Bucket=bucket, Key=key, **asked)
    async with answer["Body"] as body:
        announced = answer["ContentLength"]
        contents = await body.read() if announced == end - start else b""
    if len(contents) != end - start:
        raise OSError(f"{announced} bytes came where {end - start} were asked for")
    return contents


def persistently(address: str, action: Callable[[], _Result]) -> _Result:
    """Do something with an object, again and again when it fails in passing.

    Args:
        address: the object, for messages.
        action: what to do.

    Returns:
        What the action returns.

    Raises:
        DataError: it failed for good; names the address and the remedy.
    """
    from aiohttp import ClientError as ConnectionTrouble
    from botocore.exceptions import BotoCoreError, ClientError

    for attempt in range(1, ATTEMPTS + 1):
        try:
            return action()
        except (OSError, BotoCoreError, ClientError, ConnectionTrouble) as error:
            reason, wish = _reason(address, error)
        if attempt < ATTEMPTS:
            wait, said = wait_before(FIRST_WAIT, attempt, wish)
            print(f"{address}: {reason}; next try in {wait:g} s{said}", flush=True)
            time.sleep(wait)
    raise DataError(f"{address}: {reason}, {ATTEMPTS} times in a row. {_REMEDY}")


def _reason(address: str, error: Exception) -> tuple[str, float]:
    """Say what went wrong, and how long the service asks to wait; raise what is final."""
    answer = getattr(error.__cause__, "response", None) or getattr(error, "response", None) or {}
    about = answer.get("ResponseMetadata", {})
    status = about.get("HTTPStatusCode")
    if status in (403, 404) or isinstance(error, FileNotFoundError | PermissionError):
        raise NoSuchObject(
            f"{address}: there is no such public object ({status or error}). Check the address"
            f" (AWS_ENDPOINT_URL, where it is set) and the subject (brain.subjects). {_REMEDY}"
        ) from error
    if status == 412:
        raise DataError(
            f"{address}: changed while it was read; delete what was made from it and rerun the"
            " command."
        ) from error
    cause = first_cause(error)
    if isinstance(cause, socket.gaierror):
        raise DataError(f"{address}: no network, or no such server ({error}). {_REMEDY}") from error
    if status not in _TRY_AGAIN:
        raise DataError(f"{address}: the service answers {status} ({error}). {_REMEDY}") from error
    if status is not None:
        return f"the service answers {status}", asked_wait(_capitalised(about["HTTPHeaders"]))
    return f"no answer, or cut ({type(cause).__name__}: {cause or error})", 0.0


def _capitalised(headers: dict[str, str]) -> dict[str, str]:
    return {name.title(): value for name, value in headers.items()}
