"""Stimulus images: read exactly those named, resized and cropped as networks are shown them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from rulealign.data.file_names import ENDINGS, is_hidden, is_image
from rulealign.data.ids import pattern_ids
from rulealign.data.images.cutouts import background, border, on_grey, silhouettes
from rulealign.data.images.pictures import read_rgb
from rulealign.data.images.resize import prepare
from rulealign.data.mat import load_mat_struct
from rulealign.data.simulated.objects import CLASSES, draw_object
from rulealign.data.things.images import images_password, open_images
from rulealign.errors import DataError
from rulealign.provenance import derive_seed
from rulealign.reasons import MissingValue
from rulealign.store import refuse_duplicates, require_same_ids, write_h5

BOOKKEEPING = ("fetched.json",)
"""Files that are no images and may lie in a folder of stimuli: what a download leaves there."""

Stimulus = tuple[str, Image.Image]


def read_stimuli(
    settings: Mapping[str, Any], source: Path | None, ids: Sequence[str] | None
) -> Iterator[Stimulus]:
    """Read a stimulus set at its own size, one image at a time.

    Args:
        settings: the stimulus set's section: `kind` (folder, mat, brain, brain-others or
            synthetic-objects) and its other values.
        source: folder: one image file per stimulus; mat: the .mat file; brain and brain-others:
            the folder or zip of `<concept>/<stimulus>` files (an encrypted zip opens with the
            password in the environment, see `things_licence`); synthetic-objects: None.
        ids: brain and brain-others: the ordered names of the images (needed); else the ids that
            must be found, or None to take them as they are.

    Yields:
        Id and image in order; RGB, pixels as stored (EXIF orientation is not applied).

    Raises:
        DataError: an image is missing, unreadable or not RGB, an id appears twice, or the ids are
            not the expected ones; names the file.
    """
    if settings["kind"] in ("brain", "brain-others"):
        yield from _brain(Path(source), ids)
        return
    names = []
    read = _READERS[settings["kind"]](source, settings)
    for name, image in read:
        names.append(name)
        yield name, image
    if ids is not None:
        require_same_ids(names, ids, f"{source}: the images found", "the stimuli expected")


def write_stimuli(
    settings: Mapping[str, Any],
    source: Path | None,
    output: Path,
    *,
    ids: Sequence[str] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Write one stimulus set as networks are shown it.

    Args:
        settings: as in `read_stimuli`, with `px`, `background` and `as_shown`; with `level` objects
            are cut out and put on that grey (see `cutouts.on_grey`); silhouettes stay the same.
        source: as in `read_stimuli`.
        output: the HDF5 file: `images` uint8 (stimuli, px, px, 3) RGB, with the ids `stimulus`
            and the attributes kind, px, background and as_shown. Where a stimulus is several
            images, as a concept is, `images` has one row per image, the ids `image` name the rows,
            and `stimulus_of_image` int64 (images,) holds each one's place among the stimuli.
            `silhouettes` uint8 (images, px, px) are cut out of the pictures at their own size (see
            `cutouts.silhouettes`); where they have no uniform background, the attribute
            `no_silhouettes` says so.
        ids: as in `read_stimuli`.
        groups: for the kind brain, in place of `ids`: stimulus -> names of its images, as given by
            `stimulus_sets.stimulus_images`. If each stimulus is the one image of its name, the file
            is the same as with `ids`.

    Raises:
        DataError: as in `read_stimuli`; or objects are to be cut out of no uniform background.
        StoreError: the disk is full.
    """
    if groups is not None:
        ids = [image for images in groups.values() for image in images]
    px, level = settings["px"], settings.get("level")
    change = None
    if level is not None:
        around = background(
            {name: border(one) for name, one in read_stimuli(settings, source, ids)}
        )
        change = partial(on_grey, colour=around, level=level)
    pixels, borders = _prepare_all(read_stimuli(settings, source, ids), px, change)
    shown = list(borders)
    arrays, named = {"images": pixels}, {"stimulus": shown}
    about = {name: settings[name] for name in ("kind", "px", "background", "as_shown")}
    try:
        colour = background(borders)
    except MissingValue as missing:
        about["no_silhouettes"] = missing.reason
    else:  # read again: pictures at their own size are too many to hold
        again = (image for _, image in read_stimuli(settings, source, ids))
        arrays["silhouettes"] = silhouettes(again, colour, px)
    if groups is not None and list(groups) != shown:
        arrays["stimulus_of_image"] = _places(groups)
        named = {"stimulus": list(groups), "image": shown}
    write_h5(
        output,
        arrays,
        ids=named,
        settings=settings,
        attributes=about,
    )


def _prepare_all(
    stimuli: Iterator[Stimulus], px: int, change: Callable[[Image.Image], Image.Image] | None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    borders: dict[str, np.ndarray] = {}

    def each() -> Iterator[np.ndarray]:
        for name, image in stimuli:
            borders[name] = border(image)
            yield prepare(change(image) if change else image, px)

    # one array that grows: thousands of images at 224 px are too many to hold twice
    return np.fromiter(each(), dtype=np.dtype((np.uint8, (px, px, 3)))), borders


def _places(groups: Mapping[str, Sequence[str]]) -> np.ndarray:
    images_each = [len(images) for images in groups.values()]
    return np.repeat(np.arange(len(groups), dtype=np.int64), images_each)


def _folder(folder: Path, _settings: Mapping[str, Any]) -> Iterator[Stimulus]:
    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder; a stimulus set of kind 'folder' needs one.")
    listed = sorted(path for path in folder.iterdir() if path.name not in BOOKKEEPING)
    files = [path for path in listed if not is_hidden(path.name)]
    if len(files) < len(listed):
        print(f"{folder}: {len(listed) - len(files)} files of the operating system left out")
    for path in files:
        if not path.is_file() or not is_image(path.name):
            raise DataError(
                f"{path}: is no image ({', '.join(ENDINGS)}); a folder of stimuli holds one image"
                " per stimulus and nothing else. Move it away."
            )
    if not files:
        raise DataError(
            f"{folder}: holds no images. Put them there ({', '.join(ENDINGS)}), or correct `source`"
            " of this stimulus set."
        )
    refuse_duplicates([path.stem for path in files], f"{folder}: file names without ending")
    for path in files:
        yield path.stem, read_rgb(path, str(path))


def _mat(path: Path, settings: Mapping[str, Any]) -> Iterator[Stimulus]:
    images = load_mat_struct(path, settings["key"], "image")
    for name, pixels in zip(pattern_ids(settings["ids"], len(images)), images, strict=True):
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
            raise DataError(
                f"{path}: {settings['key']}, {name}: `image` is {pixels.dtype} of shape"
                f" {pixels.shape}; it must be uint8, height x width x 3."
            )
        yield name, Image.fromarray(pixels)


def _brain(folder: Path, ids: Sequence[str] | None) -> Iterator[Stimulus]:
    if ids is None:
        raise DataError(f"{folder}: images of the brain data are found by their ids; none given.")
    refuse_duplicates(ids, f"{folder}: images asked for")
    yield from open_images(folder, ids, images_password())


def _generated(_source: None, settings: Mapping[str, Any]) -> Iterator[Stimulus]:
    surround = {"grey": 128, "white": 255}.get(settings["background"])
    for place in range(settings["count"]):
        rng = np.random.default_rng(derive_seed(settings["seed"], "calibration image", place))
        image, mask = draw_object(place % len(CLASSES), settings["image_size"], rng)
        if surround is not None:
            image[~mask] = surround
        yield f"generated_{place + 1:04d}", Image.fromarray(image)


_READERS = {"folder": _folder, "mat": _mat, "synthetic-objects": _generated}
