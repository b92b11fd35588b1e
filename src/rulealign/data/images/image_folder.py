"""Labelled images in folders `split/class/image`, on disk or in an archive."""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.images.archives import read_files
from rulealign.data.images.pictures import read_rgb
from rulealign.data.images.resize import prepare
from rulealign.errors import DataError
from rulealign.progress import REPORT_EVERY

if TYPE_CHECKING:
    from rulealign.data.training_set import Split


def read_splits(
    source: Path,
    size: int,
    splits: Sequence[str],
    *,
    convert: bool = False,
    resize: bool = False,
) -> tuple[list[str], dict[str, Split]]:
    """Read labelled images as they are, unless they are to be converted or resized.

    Args:
        source: a folder, .zip or .tar* of `split/class/image`.
        size: pixels per side that every image must have.
        splits: the splits to read; others are left out and said so.
        convert: whether other colour modes are taken, as by `pictures.read_rgb`.
        resize: whether images of another size are resized and cropped, as by `resize.prepare`.

    Returns:
        The classes, sorted; their places are the labels. Split -> images and labels, sorted by
        class and then by file name, in whatever order the source holds them.

    Raises:
        DataError: a file that is not `split/class/image`, an image of another size or that
            `pictures.read_rgb` refuses, a split that is missing, or splits with different classes.
    """
    images: dict[str, dict[tuple[str, str], np.ndarray]] = {split: {} for split in splits}
    others: dict[str, int] = {}
    start = last = time.monotonic()
    for name, contents in read_files(source):
        split, folder, file = _parts(source, name)
        if split not in images:
            others[split] = others.get(split, 0) + 1
            continue
        told = {"size": None if resize else size, "convert": convert}
        image = read_rgb(io.BytesIO(contents), f"{source}: '{name}'", **told)
        images[split][folder, file] = prepare(image, size) if resize else np.array(image)
        if time.monotonic() - last > REPORT_EVERY:
            last = time.monotonic()
            read = sum(map(len, images.values()))
            print(f"{source}: {read} images after {last - start:.0f} s", flush=True)
    for split, count in others.items():
        print(f"{source}: {count} files of the split '{split}' are not used")
    classes = _common_classes(
        source, {split: {key[0] for key in images[split]} for split in splits}
    )
    return classes, {split: _arrays(images.pop(split), classes) for split in splits}


def _parts(source: Path, name: str) -> list[str]:
    parts = name.split("/")
    if len(parts) != 3:
        raise DataError(
            f"{source}: '{name}' does not lie at split/class/image, such as train/cat/1.png;"
            " move it there or remove it."
        )
    return parts


def _common_classes(source: Path, found: dict[str, set[str]]) -> list[str]:
    for split, classes in found.items():
        if not classes:
            raise DataError(
                f"{source}: has no images in the split '{split}'; needs {list(found)}, each with"
                " the same class folders."
            )
        if odd := sorted(classes ^ set.union(*found.values())):
            raise DataError(f"{source}: the split '{split}' lacks the class '{odd[0]}'.")
    return sorted(classes)


def _arrays(images: dict[tuple[str, str], np.ndarray], classes: Iterable[str]) -> Split:
    place = {name: label for label, name in enumerate(classes)}
    order = sorted(images)
    labels = np.array([place[name] for name, _ in order], dtype=np.int64)
    return np.stack([images[key] for key in order]), labels
