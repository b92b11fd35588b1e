"""Reads chosen files of a zip into memory: not encrypted, AES or ZipCrypto."""

from __future__ import annotations

import lzma
import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyzipper

from rulealign.data import zipcrypto
from rulealign.data.archives import LARGEST_FILE
from rulealign.data.things_licence import LICENCE, PASSWORD_VARIABLE
from rulealign.errors import DataError

AT_ONCE = 128 * 2**20
"""Bytes of encrypted files that are held in memory at a time."""

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
_STORED, _DEFLATED = 0, 8


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
    for batch in _batches(members):
        decrypted = _decrypt(source, [member for member in batch if _is_zipcrypto(member)], key)
        for member in batch:
            if _is_zipcrypto(member):
                yield _unpack(source, member, next(decrypted))
            else:
                yield _read_member(source, archive, member, key)


def _is_encrypted(member: Any) -> bool:
    return bool(member.flag_bits & 1)


def _is_zipcrypto(member: Any) -> bool:
    by_aes = member.wz_aes_version is not None
    strong = member.flag_bits & 0x40
    packed = member.compress_type in (_STORED, _DEFLATED)
    return _is_encrypted(member) and packed and not by_aes and not strong


def _batches(members: Sequence[Any]) -> Iterator[list[Any]]:
    batch: list[Any] = []
    size = 0
    for member in members:
        if batch and size + member.compress_size > AT_ONCE:
            yield batch
            batch, size = [], 0
        batch.append(member)
        size += member.compress_size
    if batch:
        yield batch


def _read_member(source: Path, archive: Any, member: Any, key: bytes | None) -> bytes:
    try:
        return archive.read(member, key)
    except _DAMAGED as error:
        if _is_encrypted(member):
            raise _not_opened(source, member) from error
        raise DataError(
            f"{source}: '{member.filename}' is damaged ({error}); get the zip again."
        ) from error


def _decrypt(source: Path, members: Sequence[Any], key: bytes | None) -> Iterator[bytes]:
    if not members:
        return iter(())
    with source.open("rb") as file:
        ciphers = [_cipher(source, file, member) for member in members]
    # a wrong password is known from the first bytes of all, before the rest takes its time
    for member, start in zip(
        members, zipcrypto.decrypt([one[: zipcrypto.HEADER] for one in ciphers], key), strict=True
    ):
        if start[-1:] != _check_byte(member):
            raise _not_opened(source, member)
    return iter(zipcrypto.decrypt(ciphers, key))


def _cipher(source: Path, file: BinaryIO, member: Any) -> bytes:
    file.seek(member.header_offset)
    header = file.read(30)
    if header[:4] == b"PK\x03\x04" and len(header) == 30:
        file.seek(sum(struct.unpack("<HH", header[26:])), 1)  # its name and extra field
        cipher = file.read(member.compress_size)
        if len(cipher) == member.compress_size:
            return cipher
    raise DataError(f"{source}: damaged at '{member.filename}'; get the zip again, whole.")


def _check_byte(member: Any) -> bytes:
    if member.flag_bits & 8:  # written as a stream: the checksum was not known yet, the time was
        hour, minute = member.date_time[3:5]
        return bytes([hour << 3 | minute >> 3])
    return bytes([member.CRC >> 24])


def _unpack(source: Path, member: Any, decrypted: bytes) -> bytes:
    # One wrong password in 256 passes the check byte; it does not pass the checksum.
    packed = decrypted[zipcrypto.HEADER :]
    try:
        if member.compress_type == _DEFLATED:
            packed = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.file_size + 1)
    except zlib.error as error:
        raise _not_opened(source, member) from error
    if len(packed) != member.file_size or zlib.crc32(packed) != member.CRC:
        raise _not_opened(source, member)
    return packed


def _not_opened(source: Path, member: Any) -> DataError:
    return DataError(
        f"{source}: '{member.filename}' does not open with the password in {PASSWORD_VARIABLE}: it"
        f" is not the password of this zip, or the zip is damaged. {LICENCE}"
    )
