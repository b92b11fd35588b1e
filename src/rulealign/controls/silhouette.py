"""The object against its background: where, and of what outline, but nothing of its inside."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import Control, Images, at_most
from rulealign.errors import DataError

TOLERANCE = 10 / 255
"""Difference in any colour channel up to which a pixel counts as background: JPEG blurs edges."""

LEAST_BORDER = 0.25
"""Share of an image's outermost pixels that must be background; objects may touch some sides."""


def features(images: Images) -> np.ndarray:
    """Mark the pixels that differ from the background, which all images must share.

    Holes are not filled: what has the background's colour inside an object counts as background.
    Shares of cells where images are larger than 64 px (see `at_most`).

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, side * side), 0 (background) to 1 (object).

    Raises:
        DataError: there is no uniform background, as in photographs of scenes: the stimuli have no
            silhouette. Names the first such image and counts them.
    """
    uniform = background(images)
    return images.mean_features(lambda pixels: at_most(_differs(pixels, uniform).astype(float)))


def background(images: Images) -> np.ndarray:
    """Find the uniform background: the median colour of the outermost pixels of all images.

    Args:
        images: the stimuli.

    Returns:
        float64, shape (3,), 0 to 1.

    Raises:
        DataError: less than a quarter of some image's outermost pixels have that colour.
    """
    edges = np.concatenate([_border(pixels) for _, pixels in images.batches()])
    colour = np.median(edges.reshape(-1, 3), axis=0)
    shares = 1 - _differs(edges, colour).mean(axis=1)
    without = shares < LEAST_BORDER
    if without.any():
        first = int(np.argmax(without))
        raise DataError(
            f"{without.sum()} of {len(shares)} images have no uniform background, such as"
            f" '{images.names[first]}' ({shares[first]:.0%} of its border has the median colour of"
            " all borders): there is no silhouette"
        )
    return colour


def _border(pixels: np.ndarray) -> np.ndarray:
    sides = (pixels[:, 0], pixels[:, -1], pixels[:, 1:-1, 0], pixels[:, 1:-1, -1])
    return np.concatenate(sides, axis=1)


def _differs(pixels: np.ndarray, colour: np.ndarray) -> np.ndarray:
    # half a step above the tolerance, so that rounding of 8-bit values does not matter
    return np.abs(pixels - colour).max(axis=-1) > TOLERANCE + 0.5 / 255


CONTROL = Control(
    features,
    distance="correlation",
    words="mask of the object on a uniform background",
)
