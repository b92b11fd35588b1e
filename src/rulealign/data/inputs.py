"""What a study reads from outside, with checksums: for the record of what its results rest on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rulealign.atomic import whole
from rulealign.data.download.fetch import RECORD, is_path, load_registry
from rulealign.json_files import read_json
from rulealign.provenance import file_sha256, fingerprint

READ_UP_TO = 1_000_000_000
"""Bytes of one source that are read anew for every record; the checksum of more is remembered."""

FIRST = "no published checksum: that of the first download, which every later one must equal"
ROWS = (
    "remote: only the rows of the ROIs are read, so there is no checksum of the file; each job"
    " reads one version of it (If-Match with its ETag), every range is checked by its length, and"
    " the voxels of the rows are compared with the table of voxels"
)
"""Notes: how it is known that bytes of which no checksum is published are the right ones."""


def published(sources: Iterable[str]) -> dict[str, dict[str, Any]]:
    """List the files of datasets as the registry has them: no other bytes are used.

    Args:
        sources: as in a configuration; local paths are left out.

    Returns:
        Dataset -> file -> `checksum` ("sha256:..." or "md5:...") and `bytes`; both are None of a
        file that the registry cannot vouch for; `records` takes them from `fetched.json`.
    """
    registry = load_registry()
    return {
        name: {
            file: {"checksum": known.checksum, "bytes": known.bytes}
            for file, known in registry[name].files.items()
        }
        for name in sorted(set(sources))
        if not is_path(name)
    }


def first_used(datasets: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Name the datasets whose checksums are known from the first download alone.

    Args:
        datasets: as `published` gives them.
    """
    return [
        name
        for name, files in datasets.items()
        if any(file["checksum"] is None for file in files.values())
    ]


def records(
    datasets: Mapping[str, Mapping[str, Any]],
    own: Mapping[str, Sequence[str] | None],
    resources: Path,
    remember: Path,
) -> list[dict[str, Any]]:
    """Record a study's inputs, a row each.

    Args:
        datasets: as `published` gives them.
        own: the user's own files and folders -> the files below that are read; None: all.
        resources: the folder of downloads, whose records have what the registry does not know.
        remember: the folder in which checksums of large sources are kept from record to record.

    Returns:
        `source`, `files`, `bytes`, `checksum` and `note` of each. Of one file the checksum is the
        file's; of several it is the SHA-256 of the lines "<checksum>  <name>", sorted by name.
        What is not known is None, and `note` says why.

    Raises:
        OSError: a file cannot be read.
        StoreError: a record is damaged; names it and the remedy.
    """
    learned = {}
    for name in first_used(datasets):
        record = Path(resources) / name / RECORD
        learned[name] = read_json(record, "files")["files"]
    rows = [
        _dataset(name, learned.get(name, files), FIRST if name in learned else "")
        for name, files in sorted(datasets.items())
    ]
    return rows + [_own(source, read, remember) for source, read in sorted(own.items())]


def remote_records(remote: Mapping[str, str]) -> list[dict[str, Any]]:
    """Record files on a server of which only rows are read, and the tables fetched with them.

    Args:
        remote: address -> the folder of its tables, each with a record `<table>.fetched.json`.

    Returns:
        Rows as in `records`; `note` says how what came was checked.

    Raises:
        StoreError: a record cannot be read; names it and the remedy.
    """
    rows = []
    for address, folder in sorted(remote.items()):
        for path in sorted(Path(folder).glob("*.fetched.json")):
            table = read_json(path, "address", "bytes", "sha256")
            checksum = f"sha256:{table['sha256']}"
            rows.append(_row(table["address"], 1, table["bytes"], checksum, FIRST))
        rows.append(_row(address, 1, None, None, ROWS))
    return rows


def _dataset(name: str, files: Mapping[str, Any], note: str) -> dict[str, Any]:
    size = sum(file["bytes"] for file in files.values())
    sums = {file: known["checksum"] for file, known in files.items()}
    return _row(name, len(files), size, _together(sums), note)


def _own(source: str, read: Sequence[str] | None, remember: Path) -> dict[str, Any]:
    place = Path(source).expanduser()
    if not place.is_dir():
        files = {place.name: place}
    else:
        paths = place.rglob("*") if read is None else map(Path, read)
        files = {str(path.relative_to(place)): path for path in paths if path.is_file()}
    states = {name: path.stat() for name, path in sorted(files.items())}
    size = sum(state.st_size for state in states.values())
    if size <= READ_UP_TO:
        checksum = _checksum(files)
    else:
        listing = [[name, one.st_size, one.st_mtime_ns] for name, one in states.items()]
        kept = Path(remember) / fingerprint([str(place.absolute()), listing])
        if not kept.is_file():
            kept.parent.mkdir(parents=True, exist_ok=True)
            with whole(kept) as temporary:
                temporary.write_text(_checksum(files))
        checksum = kept.read_text()
    return _row(source, len(files), size, checksum, "" if files else "an empty folder")


def _checksum(files: Mapping[str, Path]) -> str | None:
    return _together({name: f"sha256:{file_sha256(path)}" for name, path in files.items()})


def _together(sums: Mapping[str, str]) -> str | None:
    if len(sums) <= 1:
        return next(iter(sums.values()), None)
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _row(
    source: str, files: int, size: int | None, checksum: str | None, note: str = ""
) -> dict[str, Any]:
    return {"source": source, "files": files, "bytes": size, "checksum": checksum, "note": note}
