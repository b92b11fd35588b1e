"""The mean colour of an image."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import Control, Images


def features(images: Images) -> np.ndarray:
    """Average red, green and blue over the image.

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, 3), 0 to 1.
    """
    return images.mean_features(lambda pixels: pixels.mean(axis=(1, 2)))


# Pearson's r of three numbers takes few values apart from extremes, and sees no brightness
CONTROL = Control(features, distance="euclidean", words="mean red, green and blue of the image")
