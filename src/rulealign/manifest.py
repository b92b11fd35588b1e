"""One manifest per result: what tells that it is whole, and which code and settings made it.

The manifest of `results/<study>/<name>` is `results/<study>/manifests/<name>.json`. Results say
nothing about code themselves, so that they keep their bytes when code that makes the same numbers
is written anew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rulealign.atomic import whole
from rulealign.errors import StoreError
from rulealign.provenance import file_sha256, fingerprint

RESULTS = "results"
FOLDER = "manifests"
NO_RESULTS = (FOLDER, "logs")
"""Folders of a study with files that are no results: they have no manifest."""


def is_result(path: str | Path) -> bool:
    """Tell whether a path, relative to the working folder, names a result of a study."""
    parts = Path(path).parts
    return len(parts) > 2 and parts[0] == RESULTS and parts[2] not in NO_RESULTS


def manifest_path(result: str | Path) -> Path:
    """Name the manifest of a result.

    Args:
        result: a path, or a pattern of paths, that `is_result` accepts.

    Returns:
        The path of its manifest.
    """
    results, study, *names = Path(result).parts
    return Path(results, study, FOLDER, *names[:-1], f"{names[-1]}.json")


_TIME_STAMP = ".snakemake_timestamp"
"""Snakemake puts this file into a folder that is an output, after its job has ended."""


def write_manifests(outputs: Iterable[str], params: Mapping[str, Any]) -> None:
    """Write the manifests of what a job has made.

    Args:
        outputs: all outputs of the job; those that are no results are passed over.
        params: name -> what the job was told; under `code` the fingerprint of its code.

    Raises:
        StoreError: the disk is full.
    """
    made = made_by(params)
    for output in filter(is_result, outputs):
        entry = {"result": Path(output).name, **_content(Path(output)), **made}
        with whole(manifest_path(output)) as temporary:
            temporary.write_text(json.dumps(entry, indent=1, sort_keys=True) + "\n")


def made_by(params: Mapping[str, Any]) -> dict[str, str]:
    """Give what a manifest says of the code and the settings that made a result.

    Args:
        params: as in `write_manifests`.

    Returns:
        `code` and `settings`, 16 hexadecimal digits each.
    """
    rest = {name: value for name, value in params.items() if name != "code"}
    return {"code": str(params.get("code", "")), "settings": fingerprint(rest)}


def verify(paths: Iterable[str]) -> None:
    """Refuse results that are not what their jobs have written.

    Args:
        paths: what a job reads; what is no result is passed over.

    Raises:
        StoreError: a result was changed or cut, or has no manifest; names it and the remedy.
    """
    for path in filter(is_result, paths):
        written = read_manifest(path)
        found = _content(Path(path))
        if wrong := [name for name in found if found[name] != written.get(name)]:
            raise StoreError(
                f"{path}: was changed after it had been written"
                f" ({_difference(wrong, written, found)}). Delete it and rerun the command."
            )


def read_manifest(result: str | Path) -> dict[str, Any]:
    """Read the manifest of a result.

    Args:
        result: a path that `is_result` accepts.

    Returns:
        What the manifest says: `sha256`, `bytes`, `code`, `settings`, and of a table its `rows`.

    Raises:
        StoreError: the manifest is missing or damaged; names the result and the remedy.
    """
    path = manifest_path(result)
    try:
        entry = json.loads(path.read_text(encoding="utf-8"))
        if entry["result"] == Path(result).name:
            return entry
        lack = f"is the manifest of {entry['result']}"
    except FileNotFoundError:
        lack = "is missing"
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        lack = "cannot be read"
    raise StoreError(
        f"{result}: cannot be checked, because {path} {lack}. Delete both and rerun the command."
    )


def _content(path: Path) -> dict[str, Any]:
    if path.is_dir():
        # hidden files are not the job's: Snakemake puts its time stamp into a folder
        files = sorted(one for one in path.rglob("*") if one.is_file() and one.name[0] != ".")
        files = [file for file in files if file.name != _TIME_STAMP]
        hashes = [[file.relative_to(path).as_posix(), file_sha256(file)] for file in files]
        return {"sha256": fingerprint(hashes), "files": len(files)}
    content = {"sha256": file_sha256(path), "bytes": path.stat().st_size}
    return content | ({"rows": _rows(path)} if path.suffix == ".csv" else {})


def _rows(path: Path) -> int:
    with path.open("rb") as file:
        return max(sum(1 for _ in file) - 1, 0)


def _difference(wrong: Iterable[str], written: Mapping[str, Any], found: Mapping[str, Any]) -> str:
    counts = [name for name in wrong if name != "sha256"]
    changes = [f"{written.get(name)} {name} then, {found[name]} now" for name in counts]
    return "; ".join(changes) or "same size, other SHA-256"
