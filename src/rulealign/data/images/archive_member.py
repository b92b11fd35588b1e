"""Members of large archives: only those that are wanted, streamed to disk or read in place."""

from __future__ import annotations

import bz2
import difflib
import gzip
import lzma
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable, Collection
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO

from rulealign.atomic import whole
from rulealign.data.download.space import megabytes, require_space
from rulealign.data.file_names import is_hidden
from rulealign.data.images.archives import DAMAGED, damaged, safe_name
from rulealign.errors import DataError

Wanted = Callable[[str], bool] | Collection[str]

_PIECE = 2**20


def extract_members(archive: Path, wanted: Wanted, folder: Path) -> dict[str, Path]:
    """Unpack some members of an archive, and nothing else of it.

    Every member is written under its name below `folder`, whole or not at all, and only after its
    checksum (of a .gz, .xz or .bz2: that of the whole stream) was found right. Hidden files (a part
    of the name begins with ".") and `__MACOSX` are never wanted by a function.

    Args:
        archive: a .zip, or a tar, compressed or not; only read.
        wanted: the members' names, or a function that tells of a name whether it is wanted.
        folder: where they go, with their folders; made if need be.

    Returns:
        Name in the archive -> its file, in the order of the archive.

    Raises:
        DataError: the archive is missing, damaged or encrypted, lacks a wanted member (names the
            nearest) or has it twice, or a wanted name would leave the folder.
        StoreError: what is wanted does not fit on the disk; nothing half-written is left.
    """
    archive, folder = Path(archive), Path(folder)
    if not archive.is_file():
        raise DataError(f"{archive}: there is no such archive.")
    folder.mkdir(parents=True, exist_ok=True)
    names: list[str] = []
    is_zip = zipfile.is_zipfile(archive)
    try:
        made = (_from_zip if is_zip else _from_tar)(
            archive, _Choice(archive, wanted, names), folder
        )
    except DAMAGED as error:
        raise damaged(archive, error) from error
    _require_all(archive, wanted, made, names)
    return made


class _Choice:
    """Decides which members are wanted, and refuses unsafe and repeated ones."""

    def __init__(self, archive: Path, wanted: Wanted, names: list[str]) -> None:
        self._archive, self._wanted, self.names = archive, wanted, names
        self._taken: set[str] = set()

    def takes(self, member: str, regular: bool) -> bool:
        name = plain(member)
        self.names.append(name)
        if callable(self._wanted):
            if is_hidden(name) or not self._wanted(name):
                return False
        elif name not in self._wanted:
            return False
        safe_name(self._archive, member, regular)
        if name in self._taken:
            raise DataError(f"{self._archive}: '{name}' appears twice; download it again.")
        self._taken.add(name)
        return True


def _require_all(archive: Path, wanted: Wanted, made: dict[str, Path], names: list[str]) -> None:
    missing = [] if callable(wanted) else [name for name in wanted if name not in made]
    if missing:
        nearest = difflib.get_close_matches(missing[0], names, n=3, cutoff=0.4)
        raise DataError(
            f"{archive}: lacks {missing}; near '{missing[0]}' it has {nearest}. Is it the right"
            " archive?"
        )
    if not made:
        raise DataError(
            f"{archive}: has nothing of what is wanted; it begins with {names[:5]}. Is it the right"
            " archive?"
        )


def _from_zip(archive: Path, choice: _Choice, folder: Path) -> dict[str, Path]:
    with zipfile.ZipFile(archive) as file:
        members = [member for member in file.infolist() if not member.is_dir()]
        chosen = [m for m in members if choice.takes(m.filename, _is_regular(m))]
        what = f"{len(chosen)} of {len(members)} files of {archive.name}"
        require_space(folder, sum(member.file_size for member in chosen), what)
        made = {plain(member.filename): folder / plain(member.filename) for member in chosen}
        for member, target in zip(chosen, made.values(), strict=True):
            with file.open(member) as source, whole(target) as temporary:
                _copy(source, temporary, member.file_size)
    return made


def _is_regular(member: zipfile.ZipInfo) -> bool:
    return stat.S_IFMT(member.external_attr >> 16) in (0, stat.S_IFREG)


def _from_tar(archive: Path, choice: _Choice, folder: Path) -> dict[str, Path]:
    made = {}
    free, size = shutil.disk_usage(folder).free, archive.stat().st_size
    print(
        f"{archive.name}: {megabytes(size)} packed, {megabytes(free)} free; a tar has no table of"
        " contents, so what is wanted is measured file by file",
        flush=True,
    )
    # "|": read once from front to end; going back in a compressed file would start it anew
    with (
        _unpacked(archive) as stream,
        tarfile.open(fileobj=stream, mode="r|") as file,
        ExitStack() as unfinished,
    ):
        for member in file:
            if member.isdir() or not choice.takes(member.name, member.isreg()):
                continue
            name = plain(member.name)
            require_space(folder, member.size, f"{name} of {archive.name}", say=False)
            made[name] = folder / name
            # renamed only when the whole stream was read, and its checksum with it
            temporary = unfinished.enter_context(whole(made[name]))
            _copy(file.extractfile(member), temporary, member.size)
        _read_to_end(file)
    return made


def _unpacked(archive: Path) -> IO[bytes]:
    # tarfile's own unpacking does not look at the checksum of a .gz
    with archive.open("rb") as handle:
        start = handle.read(6)
    for magic, module in ((b"\x1f\x8b", gzip), (b"BZh", bz2), (b"\xfd7zXZ\0", lzma)):
        if start.startswith(magic):
            return module.open(archive, "rb")
    return archive.open("rb")


def _read_to_end(file: tarfile.TarFile) -> None:
    # a whole tar ends with empty blocks; one cut between two files just ends
    if file.fileobj.tell() == file.offset:
        raise EOFError("the end of the archive is missing")
    while piece := file.fileobj.read(_PIECE):
        if piece.strip(b"\0"):
            raise tarfile.ReadError("something follows the end, or a member's header is damaged")


def _copy(source: IO[bytes], path: Path, size: int) -> None:
    with path.open("wb") as target:
        shutil.copyfileobj(source, target, _PIECE)
    if path.stat().st_size != size:
        raise EOFError(f"a member has {path.stat().st_size} bytes instead of {size}")


def plain(name: str) -> str:
    """Write a member's name without "./" and doubled "/".

    Args:
        name: as in the archive.
    """
    return "/".join(PurePosixPath(name).parts)
