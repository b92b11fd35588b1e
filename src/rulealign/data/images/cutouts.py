"""Objects cut out of a uniform background, at the size of the pictures themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from PIL import Image
from scipy.ndimage import label

from rulealign.data.images.resize import prepare
from rulealign.reasons import MissingValue

TOLERANCE = 10
"""Steps of 255, in any channel, up to which a pixel counts as background: JPEG blurs edges."""

LEAST_BORDER = 0.25
"""Share of a picture's outermost pixels that must be background; objects may touch some sides."""


def border(image: Image.Image) -> np.ndarray:
    """Give the outermost pixels of a picture.

    Args:
        image: RGB, any size.

    Returns:
        uint8, shape (n, 3).
    """
    pixels = np.asarray(image)
    sides = (pixels[0], pixels[-1], pixels[1:-1, 0], pixels[1:-1, -1])
    return np.concatenate(sides)


def background(borders: Mapping[str, np.ndarray]) -> np.ndarray:
    """Find the uniform background of a set: the median colour of the borders of all pictures.

    Args:
        borders: name of a picture -> its outermost pixels, as `border` gives them.

    Returns:
        float64, shape (3,), 0 to 255.

    Raises:
        MissingValue: less than a quarter of some picture's border has that colour, as in
            photographs of scenes: there is nothing to cut out. Names the first such picture and
            counts them.
    """
    colour = np.median(np.concatenate(list(borders.values())), axis=0)
    shares = {name: 1 - differs(pixels, colour).mean() for name, pixels in borders.items()}
    without = [name for name, share in shares.items() if share < LEAST_BORDER]
    if without:
        raise MissingValue(
            f"{len(without)} of {len(shares)} images have no uniform background, such as"
            f" '{without[0]}' ({shares[without[0]]:.0%} of its border has the median colour of"
            " all borders): nothing can be cut out"
        )
    return colour


def differs(pixels: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Mark the pixels that differ from the background; holes are not filled.

    Args:
        pixels: uint8, shape (..., 3).
        colour: of the background, shape (3,), 0 to 255.

    Returns:
        bool, shape (...).
    """
    # a median may lie half a step off
    return np.abs(pixels - colour).max(axis=-1) > TOLERANCE + 0.5


def on_grey(image: Image.Image, colour: np.ndarray, level: int) -> Image.Image:
    """Put an object on another background, at the picture's own size.

    Background is what has its colour and is connected to the picture's border: grey parts of an
    object stay as they are, and so does background that an object encloses, as in a ring.

    Args:
        image: RGB, any size.
        colour: of its background, as `background` gives it.
        level: of the new background, all three channels, 0 to 255.

    Returns:
        RGB, of the same size.
    """
    pixels = np.array(image)
    parts, _ = label(~differs(pixels, colour))
    outside = np.unique(np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]]))
    pixels[np.isin(parts, outside[outside > 0])] = level
    return Image.fromarray(pixels)


def silhouettes(images: Iterable[Image.Image], colour: np.ndarray, size: int) -> np.ndarray:
    """Cut the objects out at the pictures' own size, and resize what was cut as pictures are.

    The other way round a blurred rim would count as object, and a thin rest of background along an
    edge would be lost: of the 92 objects on grey one has no background left at 32 px.

    Args:
        images: RGB, any size.
        colour: of their background, as `background` gives it.
        size: pixels per side of the result.

    Returns:
        uint8, shape (n, size, size): 0 (background) to 255 (object), the share that the object
        covers.
    """
    masks = (
        Image.fromarray(255 * differs(np.asarray(one), colour).astype(np.uint8)) for one in images
    )
    return np.fromiter((prepare(mask, size) for mask in masks), np.dtype((np.uint8, (size, size))))
