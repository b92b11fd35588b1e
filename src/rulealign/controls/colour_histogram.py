"""Which colours an image has, wherever they are."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import Control, Images

BINS = 4
"""Bins per channel, equally wide."""


def features(images: Images) -> np.ndarray:
    """Count the pixels in 4 x 4 x 4 bins of red, green and blue together.

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, 64): shares of an image's pixels.
    """
    return images.mean_features(_shares)


def _shares(pixels: np.ndarray) -> np.ndarray:
    count, bins = len(pixels), BINS**3
    # white belongs to the last bin
    levels = np.minimum((pixels * BINS).astype(np.int64), BINS - 1)
    place = levels @ np.array([BINS**2, BINS, 1])
    place = place.reshape(count, -1) + bins * np.arange(count)[:, np.newaxis]
    counts = np.bincount(place.ravel(), minlength=count * bins).reshape(count, bins)
    return counts / counts.sum(axis=1, keepdims=True)


CONTROL = Control(
    features,
    distance="correlation",
    words=f"shares of pixels in {BINS} x {BINS} x {BINS} bins of red, green and blue",
)
