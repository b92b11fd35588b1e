"""Getting data: from mirrors first, then from the public place; checked before use."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO

from rulealign.atomic import whole
from rulealign.data.download.obtain import Obtainer, is_url
from rulealign.data.download.registry import Dataset, RemoteFile, load_registry
from rulealign.data.download.transfer import shown
from rulealign.errors import ConfigurationError, DataError
from rulealign.json_files import read_json

__all__ = [
    "check_source",
    "described",
    "fetch",
    "is_path",
    "load_registry",
    "mirrors_in_force",
    "resolve",
]

MIRRORS_VARIABLE = "RULEALIGN_DATA_MIRRORS"
RECORD = "fetched.json"
"""The file that tells that a dataset is complete; written last."""
WORKSHOP = ".partial"
"""Folder for unfinished downloads inside a dataset's folder; gone when the dataset is complete."""


def is_path(source: str) -> bool:
    """Tell a local path from the name of a dataset: a path has a "/".

    Args:
        source: as in a configuration.
    """
    return "/" in source


def check_source(source: str) -> None:
    """Check, without reading data, that a source can be there; for planning.

    Args:
        source: a local path (with a "/") or the name of a dataset.

    Raises:
        ConfigurationError: no such file or folder, or no such dataset (lists those there are).
    """
    if not is_path(source):
        _dataset(source)
    elif not Path(source).expanduser().exists():
        raise ConfigurationError(
            f"source '{source}': there is no such file or folder. Correct the path; it counts from"
            " the folder in which the study is run."
        )


def resolve(source: str, resources: Path) -> Path:
    """Find the data of a source that has been fetched, or that the user brought.

    Args:
        source: a local path (with a "/") or the name of a dataset.
        resources: the folder of downloads.

    Returns:
        The local path; of a dataset its only file, or its folder when it has several.

    Raises:
        ConfigurationError: as in `check_source`.
        DataError: the dataset is not complete in `resources`.
    """
    check_source(source)
    if is_path(source):
        return Path(source).expanduser()
    folder = Path(resources) / source
    if not (folder / RECORD).is_file():
        raise DataError(f"{folder}: dataset '{source}' is not there yet; fetch it first.")
    recorded = _recorded_files(folder / RECORD)
    dataset = _with_record(_dataset(source), recorded)
    files = dataset.files
    if recorded != _listing(dataset):
        raise DataError(
            f"{folder / RECORD}: the registry has changed since this was fetched. Delete this"
            " file and rerun the command: what changed will be fetched."
        )
    for name, file in files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != file.bytes:
            raise DataError(
                f"{path}: missing, or not {file.bytes} bytes long; delete {folder / RECORD} and"
                " rerun the command: it will be fetched anew."
            )
    return folder / next(iter(files)) if len(files) == 1 else folder


def described(sources: Sequence[str]) -> dict[str, dict[str, str]]:
    """Give what the registry says of datasets, apart from their files.

    Args:
        sources: names of datasets, and local paths, of which nothing is known.

    Returns:
        Name of the dataset -> title, licence and citation.

    Raises:
        ConfigurationError: there is no such dataset.
    """
    about = {"title", "licence", "citation"}
    return {name: _dataset(name).model_dump(include=about) for name in sources if "/" not in name}


def mirrors_in_force(configured: Sequence[str]) -> list[str]:
    """List the mirrors to ask, those of the environment first.

    Args:
        configured: `data_mirrors` of the study: folders or http(s) URLs. The variable
            RULEALIGN_DATA_MIRRORS holds more of them, separated by the system's path separator;
            in its URLs a ":" is read as part of the URL in front of "//" and a port.

    Returns:
        The mirrors in order, each once.

    Raises:
        ConfigurationError: a URL of another kind than http(s).
    """
    part = f"[^{re.escape(os.pathsep)}]"
    server = rf"(?:[^/@:]*:[^/@:]*@)?(?:\[[^\]]*\]|(?!/){part})*?(?::\d+)?"
    listed = re.findall(
        rf"[A-Za-z0-9+.-]+://{server}(?:/{part}*)?(?={re.escape(os.pathsep)}|$)|{part}+",
        os.environ.get(MIRRORS_VARIABLE, ""),
    )
    mirrors = [mirror.strip() for mirror in [*listed, *configured]]
    for mirror in mirrors:
        if "://" in mirror and not is_url(mirror):
            raise ConfigurationError(
                f"mirror '{shown(mirror)}': neither a folder nor an http(s) URL; see data_mirrors"
                f" and {MIRRORS_VARIABLE}."
            )
    return list(dict.fromkeys(mirror for mirror in mirrors if mirror))


def fetch(name: str, resources: Path, mirrors: Sequence[str]) -> Path:
    """Get a dataset: what is there and right is left as it is, the rest is got and checked.

    Of a file without a published checksum (`first_use`) the first complete copy is trusted; its
    size and SHA-256 are kept in `fetched.json`, and compared by every later call.

    Args:
        name: a dataset of the registry.
        resources: the folder of downloads; nothing is written outside `resources/<name>/`.
        mirrors: folders or base URLs that are asked before the public places, in this order.

    Returns:
        The folder `resources/<name>/`: the dataset's files, and `fetched.json`, written last.

    Raises:
        ConfigurationError: there is no such dataset.
        DataError: a file could not be downloaded, or its bytes are not those of the registry.
        StoreError: the disk is full; nothing half-written stays.
    """
    import requests

    folder = Path(resources) / name
    dataset = _with_record(_dataset(name), _recorded_files(folder / RECORD))
    with _alone(folder) as workshop, requests.Session() as session:
        obtainer = Obtainer(name, folder, workshop, list(mirrors), session)
        for file_name, file in dataset.files.items():
            obtainer.obtain(file_name, file)
        _write_record(folder / RECORD, name, _with_files(dataset, obtainer.learned))
    return folder


def _dataset(name: str) -> Dataset:
    registry = load_registry()
    if name not in registry:
        slashed = name.replace("\\", "/")
        path = slashed if "/" in slashed else f"./{name}"
        raise ConfigurationError(
            f"there is no dataset '{name}'; there are: {sorted(registry)}."
            f" A local file or folder is written with a '/', such as {path}"
        )
    return registry[name]


def _recorded_files(record: Path) -> dict[str, Any]:
    if not record.is_file():
        return {}
    return read_json(record, "files")["files"]


def _with_record(dataset: Dataset, recorded: dict[str, Any]) -> Dataset:
    """Complete the files that have no published checksum by what was recorded of them."""
    learned = {
        name: file.seen(recorded[name]["bytes"], recorded[name]["checksum"].partition(":")[2])
        for name, file in dataset.files.items()
        if file.first_use and name in recorded
    }
    return _with_files(dataset, learned)


def _with_files(dataset: Dataset, files: dict[str, RemoteFile]) -> Dataset:
    return dataset.model_copy(update={"files": {**dataset.files, **files}})


def _listing(dataset: Dataset) -> dict[str, dict[str, str | int]]:
    return {
        name: {"checksum": file.checksum, "bytes": file.bytes}
        for name, file in dataset.files.items()
    }


def _write_record(path: Path, name: str, dataset: Dataset) -> None:
    about = {"dataset": name, **dataset.model_dump(include={"title", "licence", "citation"})}
    text = json.dumps(about | {"files": _listing(dataset)}, indent=2, ensure_ascii=False) + "\n"
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def _alone(folder: Path) -> Iterator[Path]:
    """Keep other processes from fetching into the same folder; yield a place for unfinished work.

    Snakemake's lock is not enough. A fetch outlives a run that is killed (`kill -9`), and is still
    writing when the rerun fetches; and several working directories may share one `resources/`
    through a link, each with a lock of its own.

    The lock lies in the workshop, which goes when all is done.
    """
    workshop = folder / WORKSHOP
    while (handle := _locked(workshop)) is None:
        pass
    with handle:
        yield workshop
        shutil.rmtree(workshop, ignore_errors=True)


def _locked(workshop: Path) -> TextIO | None:
    """Open and lock the lock file; None when it was removed while this process waited for it."""
    workshop.mkdir(parents=True, exist_ok=True)
    lock = workshop / "lock"
    try:
        handle = lock.open("w")
    except FileNotFoundError:
        return None
    _wait_for(handle, workshop.parent)
    with suppress(FileNotFoundError):
        if os.path.samestat(lock.stat(), os.fstat(handle.fileno())):
            return handle
    handle.close()
    return None


def _wait_for(handle: TextIO, folder: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{folder}: another process is fetching this dataset; waiting for it", flush=True)
        fcntl.flock(handle, fcntl.LOCK_EX)
