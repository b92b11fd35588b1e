"""Stimulus images as networks are shown them: exactly those asked for, resized and cropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from rulealign.data.images.cutouts import background, border, on_grey, silhouettes
from rulealign.data.images.resize import prepare
from rulealign.data.stimulus_sets import stimulus_set_class
from rulealign.reasons import MissingValue
from rulealign.store import write_h5

if TYPE_CHECKING:
    from rulealign.data.stimulus_set import Stimulus
    from rulealign.plan.settings.images import StimuliSettings

Groups = Mapping[str, Sequence[str]]
"""Stimulus id -> names of its images."""


def stimulus_groups(settings: StimuliSettings, trials: Path | None) -> Groups:
    """Find which images each stimulus is; see `StimulusSet.groups`.

    Args:
        settings: of the stimulus set.
        trials: a subject's table of trials, of brain data that come with images; else None.

    Returns:
        Stimulus id -> names of its images; {} where each image is a stimulus.

    Raises:
        DataError: the table is wrong, or has no such trials.
    """
    # the registry is asked, not the section: so the code of the kind is in the job's fingerprint
    return stimulus_set_class(settings.images.kind).groups(trials, settings.stimulus_set)


def read_stimuli(
    settings: StimuliSettings, source: Path | None, groups: Groups
) -> Iterator[Stimulus]:
    """Read a stimulus set at its own size, one image at a time; see `StimulusSet.pictures`.

    Args:
        settings: of the stimulus set.
        source: what its pictures are read from; None where they are generated.
        groups: as made by `stimulus_groups`.

    Yields:
        Id and image in order.

    Raises:
        DataError: an image is missing, unreadable or not RGB, or an id appears twice; names the
            file.
    """
    names = [image for images in groups.values() for image in images]
    read = stimulus_set_class(settings.images.kind).pictures
    yield from read(settings.images, source, names, settings.seed)


def write_stimuli(
    settings: StimuliSettings, size: int, source: Path | None, output: Path, groups: Groups
) -> None:
    """Write one stimulus set as networks are shown it.

    Args:
        settings: of the stimulus set; with `level` objects are cut out and put on that grey (see
            `cutouts.on_grey`), and silhouettes stay the same.
        size: pixels per side of the images shown.
        source: as in `read_stimuli`.
        output: the HDF5 file: `images` uint8 (stimuli, size, size, 3) RGB, with the ids `stimulus`
            and the attributes kind, size, background and as_shown. Where a stimulus is several
            images, as a concept is, `images` has one row per image, the ids `image` name the rows,
            and `stimulus_of_image` int64 (images,) holds each one's place among the stimuli.
            `silhouettes` uint8 (images, size, size) are cut out of the pictures at their own size
            (see `cutouts.silhouettes`); where they have no uniform background, the attribute
            `no_silhouettes` says so.
        groups: as made by `stimulus_groups`.

    Raises:
        DataError: as in `read_stimuli`; or objects are to be cut out of no uniform background.
        StoreError: the disk is full.
    """
    read = partial(read_stimuli, settings, source, groups)
    change = None
    if settings.level is not None:
        around = background({name: border(one) for name, one in read()})
        change = partial(on_grey, colour=around, level=settings.level)
    pixels, borders = _prepare_all(read(), size, change)
    shown = list(borders)
    arrays, named = {"images": pixels}, {"stimulus": shown}
    section = settings.images
    about = {"kind": section.kind, "size": size}
    about |= {"background": section.background, "as_shown": section.as_shown}
    try:
        colour = background(borders)
    except MissingValue as missing:
        about["no_silhouettes"] = missing.reason
    else:  # read again: pictures at their own size are too many to hold
        arrays["silhouettes"] = silhouettes((image for _, image in read()), colour, size)
    if groups and list(groups) != shown:
        arrays["stimulus_of_image"] = _places(groups)
        named = {"stimulus": list(groups), "image": shown}
    write_h5(output, arrays, ids=named, settings=settings.plain(), attributes=about)


def _prepare_all(
    stimuli: Iterator[Stimulus], size: int, change: Callable[[Image.Image], Image.Image] | None
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    borders: dict[str, np.ndarray] = {}

    def each() -> Iterator[np.ndarray]:
        for name, image in stimuli:
            borders[name] = border(image)
            yield prepare(change(image) if change else image, size)

    # one array that grows: thousands of images at 224 px are too many to hold twice
    return np.fromiter(each(), dtype=np.dtype((np.uint8, (size, size, 3)))), borders


def _places(groups: Groups) -> np.ndarray:
    images_each = [len(images) for images in groups.values()]
    return np.repeat(np.arange(len(groups), dtype=np.int64), images_each)
