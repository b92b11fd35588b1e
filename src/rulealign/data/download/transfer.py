"""What every transfer needs: when to try again, what to call an address, what to say of faults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit, urlunsplit

from rulealign.errors import DataError

if TYPE_CHECKING:
    from rulealign.data.download.registry import RemoteFile

LONGEST_WAIT = 300.0
"""Seconds that are waited at most where a server asks for a wait (Retry-After)."""
_RECORDED = (
    " The checksum is that of the first download, kept in fetched.json: if its publisher has"
    " replaced the file on purpose, delete fetched.json and the file to trust the new one."
)


class Unavailable(Exception):
    """An address does not give the file; `answered` tells whether there was a server at all."""

    def __init__(self, reason: str, answered: bool) -> None:
        super().__init__(reason)
        self.answered = answered


class Trouble(NamedTuple):
    """Why one request did not complete a file.

    `answered` tells whether there was a server at all; `wait` is what it asks for, in seconds.
    """

    reason: str
    answered: bool
    wait: float = 0.0


def shown(url: str) -> str:
    """Write a URL for messages and logs, without the secrets that it may carry.

    Args:
        url: any URL.

    Returns:
        The URL without user, password, query and fragment.
    """
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def asked_wait(headers: Mapping[str, str]) -> float:
    """Read how long a busy server asks to be left alone.

    Args:
        headers: those of its answer; Retry-After holds seconds, or an HTTP date.

    Returns:
        Seconds, not negative; 0 where nothing is asked for or it cannot be understood.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isdigit():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def wait_before(first: float, attempt: int, asked: float) -> tuple[float, str]:
    """Choose how long to wait before the next try.

    Args:
        first: seconds before the second try; doubled before each further one.
        attempt: tries so far that brought nothing, from 1.
        asked: seconds that the server asks for, or 0.

    Returns:
        Seconds, growing with each attempt; and what to say of the server's wish, or "".
    """
    own = first * 2 ** (attempt - 1)
    said = f" (the server asks for {asked:.0f} s"
    said += f"; {LONGEST_WAIT:.0f} s is the most)" if asked > LONGEST_WAIT else ")"
    return max(own, min(asked, LONGEST_WAIT)), said if asked else ""


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
        f" found {algorithm}:{found}. {remedy}{_RECORDED if file.first_use else ''}"
    )


def first_cause(error: BaseException) -> BaseException:
    """Find the reason under the wrappers of requests, urllib3 or botocore; it names no URL.

    Args:
        error: as it was caught.
    """
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return error
