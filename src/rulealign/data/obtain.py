"""One file of a dataset: from a mirror, else from its public place, checked before it is used."""

from __future__ import annotations

import errno
import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.atomic import whole
from rulealign.data.download import Download, Unavailable, shown, wrong_bytes
from rulealign.data.registry import RemoteFile
from rulealign.errors import DataError, StoreError

if TYPE_CHECKING:
    import requests


def is_url(place: str) -> bool:
    """Tell an http(s) URL from a folder.

    Args:
        place: a mirror, or the address of a file.
    """
    return place.startswith(("http://", "https://"))


def checksum(path: Path, file: RemoteFile) -> str:
    """Hash a file with the algorithm of its registry entry.

    Args:
        path: an existing file.
        file: its entry.

    Returns:
        Hexadecimal digits.
    """
    import pooch

    return pooch.file_hash(str(path), alg=file.checksum.partition(":")[0])


@dataclass
class Obtainer:
    """What is needed to get the files of one dataset.

    Attributes:
        dataset: its name, for messages.
        folder: where its files go.
        workshop: a folder on the same disk for unfinished work.
        mirrors: folders or base URLs, asked in this order; one whose server does not answer is
            said and not asked again.
        session: the HTTP session.
    """

    dataset: str
    folder: Path
    workshop: Path
    mirrors: list[str]
    session: requests.Session

    def obtain(self, name: str, file: RemoteFile) -> None:
        """Make sure that one file is there with the right bytes.

        Args:
            name: the file's name.
            file: its entry in the registry.

        Raises:
            DataError: it cannot be got, or a mirror or server gives other bytes.
            StoreError: the disk is full.
        """
        target = self.folder / name
        if target.exists():
            found = checksum(target, file)
            if file.checksum.endswith(f":{found}"):
                print(f"{name}: is there, checksum right", flush=True)
                return
            print(f"{target}: damaged ({found}, not {file.checksum}); getting it again", flush=True)
        tried: list[str] = []
        for place in [*self.mirrors, None]:
            for address in file.urls if place is None else [_below(place, file)]:
                if (problem := self._try(address, place, target, file)) is None:
                    return
                tried.append(f"{shown(address) if is_url(address) else address}: {problem}")
                print(f"{name}: not from {tried[-1]}", flush=True)
        raise DataError(self._nowhere(name, file, tried))

    def _try(self, address: str, mirror: str | None, target: Path, file: RemoteFile) -> str | None:
        """Get the file from one place; None when it is there, else why it is not."""
        made = self.workshop / target.name
        try:
            with whole(made) as temporary:
                if is_url(address):
                    self._download(address, temporary, target.name, file)
                else:
                    self._copy(Path(address), temporary, file)
        except Unavailable as error:
            if mirror is not None and not error.answered:
                self.mirrors = [other for other in self.mirrors if other != mirror]
            return str(error)
        except StoreError:
            self._part(target.name).unlink(missing_ok=True)
            raise
        made.replace(target)
        self._part(target.name).unlink(missing_ok=True)
        return None

    def _part(self, name: str) -> Path:
        return self.workshop / f"{name}.part"

    def _download(self, url: str, temporary: Path, name: str, file: RemoteFile) -> None:
        import pooch

        part = self._part(name)
        _require_space(self.workshop, file.bytes - (part.stat().st_size if part.exists() else 0))
        pooch.get_logger().setLevel(logging.WARNING)  # it would print URLs with their secrets
        pooch.retrieve(
            url,
            known_hash=file.checksum,
            fname=temporary.name,
            path=temporary.parent,
            downloader=Download(name, file, part, self.session),
        )

    def _copy(self, path: Path, temporary: Path, file: RemoteFile) -> None:
        try:
            source = path.open("rb")
        except OSError as error:
            raise Unavailable(f"cannot be read ({error.strerror})", True) from error
        with source, temporary.open("wb") as copy:
            _require_space(self.workshop, file.bytes)
            shutil.copyfileobj(source, copy)
        if not file.checksum.endswith(f":{(found := checksum(temporary, file))}"):
            remedy = "Delete it from the mirror, or replace it with the published file."
            raise wrong_bytes(str(path), file, found, remedy)
        print(f"{path.name}: {file.bytes / 1e6:.1f} MB copied from {path}", flush=True)

    def _nowhere(self, name: str, file: RemoteFile, tried: list[str]) -> str:
        lines = [f"dataset '{self.dataset}': '{name}' cannot be got. Tried:"]
        lines += [f"  - {line}" for line in tried] or ["  - nothing: no mirror and no public URL"]
        if file.by_hand:
            lines.append(file.by_hand)
        lines.append(
            f"To bring it by hand, put it at <folder>/{file.mirror} ({file.bytes} bytes,"
            f" {file.checksum}) and name <folder> in the variable RULEALIGN_DATA_MIRRORS or in"
            " data_mirrors of the study."
        )
        if len(list(self.workshop.glob("*.part"))):
            lines.append("What has arrived is kept: the same command continues from there.")
        return "\n".join(lines)


def _below(mirror: str, file: RemoteFile) -> str:
    if is_url(mirror):
        return f"{mirror.rstrip('/')}/{file.mirror}"
    return str(Path(mirror).expanduser() / file.mirror)


def _require_space(folder: Path, needed: int) -> None:
    if shutil.disk_usage(folder).free < needed:
        raise OSError(errno.ENOSPC, f"{needed / 1e6:.1f} MB are needed")
