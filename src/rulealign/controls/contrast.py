"""How much luminance varies within an image."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import Control, Images, luminance


def features(images: Images) -> np.ndarray:
    """Compute RMS contrast: the standard deviation of luminance over the image (Peli 1990).

    Not divided by mean luminance: on a black background that would be undefined.

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, 1), 0 to 0.5.
    """
    return images.mean_features(lambda pixels: luminance(pixels).std(axis=(1, 2)))


CONTROL = Control(
    features, distance="difference", words="standard deviation of luminance over the image"
)
