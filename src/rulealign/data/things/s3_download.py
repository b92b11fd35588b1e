"""Whole objects from S3 to disk: resumed, checked, and compared with what came the first time."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.atomic import whole
from rulealign.data.download.space import megabytes, named_when_full, require_space
from rulealign.data.things.s3 import Found, look_up, read_range
from rulealign.errors import DataError
from rulealign.json_files import read_json
from rulealign.progress import REPORT_EVERY

if TYPE_CHECKING:
    from s3fs import S3FileSystem

BLOCK = 8 * 2**20
"""Bytes that are asked for at once; what a killed download can lose."""


def record_path(target: Path) -> Path:
    """Give the file beside a fetched object that tells where it came from, and its checksum.

    Args:
        target: the fetched file.
    """
    return target.with_name(f"{target.name}.fetched.json")


def fetch_object(files: S3FileSystem, address: str, target: Path) -> None:
    """Get one object whole.

    What has arrived lies in `<target>.<version>.part` until it is complete; a later call, in this
    process or another, asks for the rest of the same version only. No checksum is published: that
    of the first complete download is trusted, kept beside the file (`record_path`), and compared
    by every later call. A file that is there and right is not asked for again.

    Args:
        files: from `s3.connected`.
        address: `s3://<bucket>/<key>`.
        target: where to put it.

    Raises:
        DataError: there is no such object, no network, or the bytes are wrong or other ones.
        StoreError: it does not fit on the disk.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    known = _recorded(target)
    if known and target.exists():
        if _digest(target, "sha256") == known["sha256"]:
            print(f"{target.name}: is there, checksum right", flush=True)
            return
        print(f"{target}: damaged; getting it again", flush=True)
    found = look_up(files, address)
    part = _part(target, found)
    have = part.stat().st_size if part.exists() else 0
    require_space(target.parent, found.bytes - have, f"{target.name} from {address}")
    with named_when_full(part):
        _receive(files, found, part)
    sha256 = _checked(found, part, known)
    part.replace(target)
    _record(target, found, sha256)
    for other in target.parent.glob(f"{target.name}.*.part"):
        other.unlink()


def _part(target: Path, found: Found) -> Path:
    # a part of another version has another name, and is never continued
    version = hashlib.sha256(f"{found.etag} {found.bytes}".encode()).hexdigest()[:16]
    return target.with_name(f"{target.name}.{version}.part")


def _receive(files: S3FileSystem, found: Found, part: Path) -> None:
    last = time.monotonic()
    with part.open("ab") as handle:
        while (have := handle.tell()) < found.bytes:
            handle.write(read_range(files, found, have, min(have + BLOCK, found.bytes)))
            handle.flush()
            if time.monotonic() - last > REPORT_EVERY:
                last = time.monotonic()
                print(f"{found.address}: {have / 1e6:.1f} of {megabytes(found.bytes)}", flush=True)


def _checked(found: Found, part: Path, known: dict[str, str]) -> str:
    """Give the checksum of a complete download; one with wrong bytes is deleted."""
    sha256 = _digest(part, "sha256")
    if found.md5 not in (None, md5 := _digest(part, "md5")):
        part.unlink()
        raise DataError(
            f"{found.address}: the bytes that came have the MD5 {md5}, its ETag is {found.md5};"
            " they were deleted. Rerun the command."
        )
    if known and known["sha256"] != sha256:
        part.unlink()
        raise DataError(
            f"{found.address}: is no longer what was fetched first: sha256:{sha256}, and then"
            f" sha256:{known['sha256']}. If its publisher has replaced it on purpose, delete the"
            " file and its .fetched.json, and rerun the command."
        )
    return sha256


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, algorithm).hexdigest()


def _recorded(target: Path) -> dict[str, str]:
    path = record_path(target)
    return read_json(path) if path.is_file() else {}


def _record(target: Path, found: Found, sha256: str) -> None:
    about = {"address": found.address, "bytes": found.bytes, "etag": found.etag, "sha256": sha256}
    with whole(record_path(target)) as temporary:
        temporary.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
