"""The user's THINGS images, in a zip (encrypted or not) or a folder, found by their exact names.

Source of names and layout: Hebart et al. 2019, PLoS ONE 14(10):e0223792; an image is
`<concept>/<stimulus>`, such as `dog/dog_12s.jpg`. Planning imports this module, so what is slow to
import is imported where it is used.
"""

from __future__ import annotations

import io
import itertools
import os
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.data.file_names import concept_of
from rulealign.data.things.licence import LICENCE, PASSWORD_VARIABLE, images_password
from rulealign.errors import ConfigurationError, DataError
from rulealign.progress import REPORT_EVERY

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["check_images", "images_password", "open_images"]

_DEEPEST = 3
"""Folders between the user's folder and an image, at most: a/b/<concept>/<stimulus>."""

_NAMED = 20


@dataclass(frozen=True)
class Listing:
    """What lies in a zip or folder, and a way to read some of it."""

    names: list[str]
    """Paths with "/"; a zip may have a name twice."""
    read: Callable[[Sequence[int]], Iterator[bytes]]
    """Places in `names` -> contents, one after another, in this order."""


def check_images(source: str | None) -> None:
    """Check, without reading images, that a study's THINGS images can be read; for planning.

    Args:
        source: `things.images` of the configuration: a zip or a folder.

    Raises:
        ConfigurationError: it is not set, is neither, or is encrypted and there is no password.
    """
    if source is None:
        raise ConfigurationError(
            "things.images: not set; give the path of images_THINGS.zip, or of the folder that it"
            f" unpacks to. {LICENCE}"
        )
    path = Path(source).expanduser()
    if path.is_dir():
        return
    try:
        with zipfile.ZipFile(path) as archive:
            encrypted = any(member.flag_bits & 1 for member in archive.infolist())
    except (OSError, zipfile.BadZipFile) as error:
        raise ConfigurationError(
            f"things.images '{source}': is neither a folder nor a zip that can be read ({error})."
            f" {LICENCE}"
        ) from error
    if encrypted and images_password() is None:
        raise ConfigurationError(
            f"things.images '{source}': is encrypted, and the environment variable"
            f" {PASSWORD_VARIABLE} is not set; put the password there. {LICENCE}"
        )


def open_images(
    source: Path, ids: Sequence[str], password: str | None
) -> Iterator[tuple[str, Image.Image]]:
    """Read images by name, one after another; nothing is unpacked to disk.

    An image is found by the last two parts of its path alone, exactly: whatever folder its concept
    lies in (`object_images/dog/dog_12s.jpg`, `dog/dog_12s.jpg`).

    Args:
        source: a folder (searched `a/b/<concept>/<stimulus>` deep) or a zip: not encrypted, AES or
            ZipCrypto.
        ids: the stimuli, such as dog_12s.jpg (of the concept "dog"), in the order wanted.
        password: of the zip, from `images_password`.

    Yields:
        Id and image in order; RGB, pixels as stored. A grey image has three equal channels.

    Raises:
        DataError: the source is neither, is damaged or does not open; images are missing (names
            them; another exemplar never takes their place), appear twice with different
            contents, or cannot be read.
    """
    from rulealign.data.images.pictures import read_rgb

    start = last = time.monotonic()
    with _opened(Path(source), password) as listing:
        found = _find(source, listing.names, ids)
        pairs = [(name, place) for name, places in found.items() for place in places]
        contents = listing.read([place for _, place in pairs])
        read = zip(pairs, contents, strict=True)
        grouped = itertools.groupby(read, key=lambda item: item[0][0])
        for count, (name, copies) in enumerate(grouped, start=1):
            place, image = _only(source, listing.names, list(copies))
            what = f"{source}: '{listing.names[place]}'"
            yield name, read_rgb(io.BytesIO(image), what, grey=True)
            if time.monotonic() - last > REPORT_EVERY:
                last = time.monotonic()
                print(f"{source}: {count} of {len(ids)} images, {last - start:.0f} s", flush=True)


@contextmanager
def _opened(source: Path, password: str | None) -> Iterator[Listing]:
    if source.is_dir():
        names = list(_files_below(source))
        yield Listing(names, lambda places: (_read_file(source / names[n]) for n in places))
        return
    if not source.is_file():
        raise DataError(f"{source}: there is no such file or folder of images. {LICENCE}")
    from rulealign.data.images.zipped_images import opened_zip

    with opened_zip(source, password) as (names, read):
        yield Listing(names, read)


def _files_below(folder: Path) -> Iterator[str]:
    # os.walk leaves out folders that may not be listed; images in them are then missing by name
    for place, folders, files in os.walk(folder, followlinks=True):
        here = Path(place).relative_to(folder)
        folders[:] = sorted(folders) if len(here.parts) < _DEEPEST else []
        for file in sorted(files):
            yield (here / file).as_posix()


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error}).") from error


def _find(source: Path, names: Sequence[str], ids: Sequence[str]) -> dict[str, list[int]]:
    wanted = {f"{concept_of(name)}/{name}": name for name in ids}
    found: dict[str, list[int]] = {name: [] for name in ids}
    for place, path in enumerate(names):
        last_two = "/".join(path.rsplit("/", 2)[-2:])
        if last_two in wanted:
            found[wanted[last_two]].append(place)
    missing = [name for name, places in found.items() if not places]
    if missing:
        more = "" if len(missing) <= _NAMED else f" and {len(missing) - _NAMED} more"
        raise DataError(
            f"{source}: {len(missing)} of {len(ids)} images are missing: {missing[:_NAMED]}{more}."
            " Each must lie at <concept>/<stimulus>, in whatever folder, by its exact name; another"
            " exemplar never takes its place."
        )
    return found


Copy = tuple[tuple[str, int], bytes]
"""Id and place of an image, and its contents."""


def _only(source: Path, names: Sequence[str], copies: Sequence[Copy]) -> tuple[int, bytes]:
    ((_, first), contents), *others = copies
    for (name, place), other in others:
        if other != contents:
            raise DataError(
                f"{source}: '{name}' appears twice with different contents, at '{names[first]}'"
                f" and '{names[place]}'; remove the one that subjects did not see."
            )
    return first, contents
