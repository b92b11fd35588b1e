"""The images themselves: RGB values at every place."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import LARGEST_SIDE, Control, Images, at_most


def features(images: Images) -> np.ndarray:
    """Take the pixels; of larger images than 64 px, means over 64 x 64 cells (see `at_most`).

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, 3 * side * side), 0 to 1.
    """
    return images.mean_features(lambda pixels: at_most(np.moveaxis(pixels, -1, 1)))


CONTROL = Control(
    features,
    distance="correlation",
    words=f"RGB values at every place, at most {LARGEST_SIDE} x {LARGEST_SIDE} places",
)
