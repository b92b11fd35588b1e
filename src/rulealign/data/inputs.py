"""What a study reads from outside, with checksums: for the record of what its results rest on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rulealign.data.fetch import is_path, load_registry
from rulealign.provenance import file_sha256

READ_UP_TO = 1_000_000_000
"""Bytes of one source that are read for its checksum; of a larger one the sizes are recorded."""


def published(sources: Iterable[str]) -> dict[str, dict[str, Any]]:
    """List the files of datasets as the registry has them: no other bytes are used.

    Args:
        sources: as in a configuration; local paths are left out.

    Returns:
        Dataset -> file -> `checksum` ("sha256:..." or "md5:...") and `bytes`; both are None of a
        file that the registry cannot vouch for: see `fetched.json` of the dataset.
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


def records(datasets: Mapping[str, Mapping[str, Any]], own: Iterable[str]) -> list[dict[str, Any]]:
    """Record a study's inputs, a row each.

    Args:
        datasets: as `published` gives them.
        own: paths of the user's own files and folders.

    Returns:
        `source`, `files`, `bytes`, `checksum` and `note` of each. Of one file the checksum is the
        file's; of several it is the SHA-256 of the lines "<checksum>  <name>", sorted by name.
        What is not known is None, and `note` says why.

    Raises:
        OSError: a file cannot be read.
    """
    rows = [_dataset(name, files) for name, files in sorted(datasets.items())]
    return rows + [_own(source) for source in sorted(set(own))]


def _dataset(name: str, files: Mapping[str, Any]) -> dict[str, Any]:
    if any(file["checksum"] is None for file in files.values()):
        note = f"no published checksum; that of the first download: resources/{name}/fetched.json"
        return _row(name, len(files), None, None, note)
    size = sum(file["bytes"] for file in files.values())
    return _row(name, len(files), size, _together({k: f["checksum"] for k, f in files.items()}))


def _own(source: str) -> dict[str, Any]:
    place = Path(source).expanduser()
    found = {str(path.relative_to(place)): path for path in place.rglob("*") if path.is_file()}
    files = found if place.is_dir() else {place.name: place}
    size = sum(path.stat().st_size for path in files.values())
    if size > READ_UP_TO:
        return _row(source, len(files), size, None, "not read for a checksum: over 1 GB")
    sums = {name: f"sha256:{file_sha256(path)}" for name, path in files.items()}
    return _row(source, len(files), size, _together(sums), "" if sums else "an empty folder")


def _together(sums: Mapping[str, str]) -> str | None:
    if len(sums) <= 1:
        return next(iter(sums.values()), None)
    lines = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    return f"sha256:{hashlib.sha256(lines.encode()).hexdigest()}"


def _row(
    source: str, files: int, size: int | None, checksum: str | None, note: str = ""
) -> dict[str, Any]:
    return {"source": source, "files": files, "bytes": size, "checksum": checksum, "note": note}
