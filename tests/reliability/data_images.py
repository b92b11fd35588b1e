"""Faults of a folder of images, and what lies in it unasked."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from reliability.bad_data import Case
from reliability.data_rdms import content, cut, flip


def image(number: int) -> str:
    """Give the place of one image."""
    return f"images/image_{number:02d}.png"


def _pixels(mode: str) -> Callable[[Path], None]:
    def plant(folder: Path) -> None:
        rng = np.random.default_rng(5)
        picture = Image.fromarray(rng.integers(0, 255, (40, 44, 3), dtype=np.uint8))
        picture.convert(mode).save(folder / image(3))

    return plant


def _sixteen_bits(folder: Path) -> None:
    values = np.random.default_rng(5).integers(0, 65535, (40, 44), dtype=np.uint16)
    Image.fromarray(values).save(folder / image(3))


def _zip_as_folder(folder: Path) -> None:
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        for path in sorted((folder / "images").iterdir()):
            archive.write(path, path.name)


def _twice(folder: Path) -> None:
    (folder / image(4)).write_bytes((folder / image(3)).read_bytes())


def _other_suffix(folder: Path) -> None:
    Image.open(folder / image(3)).save(folder / "images/image_03.jpg")


def _hidden(name: str) -> Callable[[Path], object]:
    return content(f"images/{name}", lambda: b"\0\5\x16\7")


def _images(name: str) -> Callable[[dict], object]:
    return lambda study: study["stimuli"]["grey"].update(source=f"./{name}")


def image_cases() -> Iterator[Case]:
    """Yield the faults."""
    three = (r"image_03",)
    yield Case("images: one is missing", lambda f: (f / image(3)).unlink(), three)
    yield Case("images: one is empty", content(image(3), bytes), three)
    yield Case("images: one is text", content(image(3), lambda: b"no image"), three)
    yield Case("images: one is cut", cut(image(3), 0.5), three)
    yield Case("images: one byte wrong", flip(image(3), 0.5), three)
    yield Case("images: 16 bits per channel", _sixteen_bits, (*three, "16"))
    yield Case("images: transparent", _pixels("RGBA"), three)
    yield Case("images: CMYK as .jpg", _cmyk, three)
    yield Case("images: one is there under two ids", _twice, ("image_03", "image_04"))
    yield Case("images: one id, two files", _other_suffix, three)
    yield Case("images: one more", lambda f: _pixels("RGB")(f) or _more(f), ("image_13|ids",))
    yield Case("images: another name", _renamed, ("image_03|image_3|place 2",))
    yield Case("images: .DS_Store", _hidden(".DS_Store"), (), sound=True)
    yield Case("images: Thumbs.db", _hidden("Thumbs.db"), (), sound=True)
    yield Case("images: ._image_03.png", _hidden("._image_03.png"), (), sound=True)
    yield Case("images: a text file", content("images/README.txt", lambda: b"x"), ("README",))
    yield Case("images: a folder in the folder", _nested, ("more|folder|image_03",))
    yield Case("images: a zip as folder", _zip_as_folder, (r"images\.zip",), _images("images.zip"))
    yield Case("images: an empty folder", lambda f: (f / "no").mkdir(), ("no",), _images("no"))
    yield Case("images: no folder", lambda f: None, ("nowhere",), _images("nowhere"))
    yield Case("images: a link to nothing", _dangling, three)


def _cmyk(folder: Path) -> None:
    Image.new("CMYK", (44, 40), (10, 90, 0, 3)).save(folder / "images/image_03.jpg")
    (folder / image(3)).unlink()


def _more(folder: Path) -> None:
    Image.new("RGB", (44, 40), "red").save(folder / image(13))


def _renamed(folder: Path) -> None:
    (folder / image(3)).rename(folder / "images/image_3.png")


def _nested(folder: Path) -> None:
    (folder / "images/more").mkdir()
    (folder / image(3)).rename(folder / "images/more/image_03.png")


def _dangling(folder: Path) -> None:
    (folder / image(3)).unlink()
    (folder / image(3)).symlink_to(folder / "nothing.png")
