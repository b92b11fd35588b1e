"""One file of a dataset: from a mirror, else from its public place, checked before it is used."""

from __future__ import annotations

import logging
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.atomic import whole
from rulealign.data.download.http import Download
from rulealign.data.download.registry import RemoteFile
from rulealign.data.download.space import megabytes, require_space
from rulealign.data.download.transfer import Unavailable, shown, wrong_bytes
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
    """Hash a file with the algorithm of its registry entry, SHA-256 where that has none.

    Args:
        path: an existing file.
        file: its entry.

    Returns:
        Hexadecimal digits.
    """
    import pooch

    return pooch.file_hash(str(path), alg=(file.checksum or "sha256:").partition(":")[0])


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
        learned: the entries of `first_use` files, completed by size and checksum.
    """

    dataset: str
    folder: Path
    workshop: Path
    mirrors: list[str]
    session: requests.Session
    learned: dict[str, RemoteFile] = field(default_factory=dict)

    def obtain(self, name: str, file: RemoteFile) -> None:
        """Make sure that one file is there with the right bytes.

        Of a file without a published checksum, what comes first is trusted, which is printed.

        Args:
            name: the file's name.
            file: its entry in the registry; of a `first_use` file completed from the record of an
                earlier fetch, if there is one.

        Raises:
            DataError: it could not be downloaded, or a mirror or server gives other bytes.
            StoreError: the disk is full.
        """
        target = self.folder / name
        if file.first_use:
            self.learned[name] = file
        if target.exists():
            found = checksum(target, file)
            if file.checksum is None:
                print(f"{target}: is there", flush=True)
                self._trust(name, file, target.stat().st_size, found)
                return
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
                    self._copy(Path(address), temporary, target.name, file)
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
        download = Download(name, file, part, self.session)
        if file.checksum is None:  # pooch would hash it twice to say its checksum
            download(url, temporary)
            self._trust(name, file, download.file.bytes, download.digest)
            return
        have = part.stat().st_size if part.exists() else 0
        require_space(self.workshop, max(0, file.bytes - have), name)
        pooch.get_logger().setLevel(logging.WARNING)  # it would print URLs with their secrets
        pooch.retrieve(
            url,
            known_hash=file.checksum,
            fname=temporary.name,
            path=temporary.parent,
            downloader=download,
        )

    def _copy(self, path: Path, temporary: Path, name: str, file: RemoteFile) -> None:
        try:
            source = path.open("rb")
        except OSError as error:
            raise Unavailable(f"cannot be read ({error.strerror})", True) from error
        with source, temporary.open("wb") as copy:
            require_space(self.workshop, file.bytes or path.stat().st_size, name)
            shutil.copyfileobj(source, copy)
        found = checksum(temporary, file)
        if file.checksum is None:
            self._trust(name, file, temporary.stat().st_size, found)
        elif not file.checksum.endswith(f":{found}"):
            remedy = "Delete it from the mirror, or replace it with the published file."
            raise wrong_bytes(str(path), file, found, remedy)
        size = megabytes(temporary.stat().st_size)
        print(f"{path.name}: {size} copied from {path}", flush=True)

    def _trust(self, name: str, file: RemoteFile, size: int, sha256: str) -> None:
        print(
            f"{name}: no checksum of it is published; this first copy is trusted, and compared"
            f" from now on ({size} bytes, sha256:{sha256})",
            flush=True,
        )
        self.learned[name] = file.seen(size, sha256)

    def _nowhere(self, name: str, file: RemoteFile, tried: list[str]) -> str:
        lines = [f"dataset '{self.dataset}': '{name}' could not be downloaded. Tried:"]
        lines += [f"  - {line}" for line in tried] or ["  - nothing: no mirror and no public URL"]
        if file.by_hand:
            lines.append(file.by_hand)
        known = f" ({file.bytes} bytes, {file.checksum})" if file.checksum else ""
        lines.append(
            f"To bring it by hand, put it at <folder>/{file.mirror}{known} and name <folder> in the"
            " variable RULEALIGN_DATA_MIRRORS or in data_mirrors of the study."
        )
        if len(list(self.workshop.glob("*.part"))):
            lines.append("What has arrived is kept: rerun the command, which continues from there.")
        return "\n".join(lines)


def _below(mirror: str, file: RemoteFile) -> str:
    if is_url(mirror):
        return f"{mirror.rstrip('/')}/{file.mirror}"
    return str(Path(mirror).expanduser() / file.mirror)
