"""Reads chosen files of a zip into memory: not encrypted, AES or ZipCrypto."""

from __future__ import annotations

import lzma
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyzipper

from rulealign.data.images.archives import LARGEST_FILE
from rulealign.data.things.licence import LICENCE, PASSWORD_VARIABLE
from rulealign.errors import DataError

_DAMAGED = (
    pyzipper.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,  # a method of packing that Python does not have
    RuntimeError,  # a wrong password
    OSError,
    ValueError,
)


@contextmanager
def opened_zip(
    source: Path, password: str | None
) -> Iterator[tuple[list[str], Callable[[Sequence[int]], Iterator[bytes]]]]:
    """Open a zip to read chosen files of it.

    Args:
        source: the zip.
        password: for its encrypted files, or None.

    Yields:
        The names of all files (no folders) in the zip's order, and a function that reads files by
        their places in this list, one after another.

    Raises:
        DataError: it is no zip, is truncated or damaged, or does not open with the password.
    """
    try:
        archive = pyzipper.AESZipFile(source)
    except _DAMAGED as error:
        raise _no_zip(source, error) from error
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir()]
        names = [member.filename for member in members]
        yield names, lambda places: _read(source, archive, [members[n] for n in places], password)


def _no_zip(source: Path, error: Exception) -> DataError:
    with source.open("rb") as file:
        begins = file.read(4) == b"PK\x03\x04"
    what = "is a zip whose end is missing or damaged" if begins else "is no zip"
    return DataError(f"{source}: {what} ({error}); get it again, whole. {LICENCE}")


def _read(
    source: Path, archive: Any, members: Sequence[Any], password: str | None
) -> Iterator[bytes]:
    locked = next((member for member in members if _is_encrypted(member)), None)
    if locked is not None and password is None:
        raise DataError(
            f"{source}: '{locked.filename}' is encrypted, and the environment variable"
            f" {PASSWORD_VARIABLE} is not set; put the password there. {LICENCE}"
        )
    for member in members:
        if member.file_size > LARGEST_FILE:
            raise DataError(
                f"{source}: '{member.filename}' has {member.file_size / 1e6:.0f} MB; that is no"
                " stimulus."
            )
    key = os.fsencode(password) if password else None
    for member in members:
        yield _read_member(source, archive, member, key)


def _is_encrypted(member: Any) -> bool:
    return bool(member.flag_bits & 1)


def _read_member(source: Path, archive: Any, member: Any, key: bytes | None) -> bytes:
    try:
        return archive.read(member, key)
    except _DAMAGED as error:
        if _is_encrypted(member):
            raise _not_opened(source, member) from error
        raise DataError(
            f"{source}: '{member.filename}' is damaged ({error}); get the zip again."
        ) from error


def _not_opened(source: Path, member: Any) -> DataError:
    return DataError(
        f"{source}: '{member.filename}' does not open with the password in {PASSWORD_VARIABLE}: it"
        f" is not the password of this zip, or the zip is damaged. {LICENCE}"
    )
