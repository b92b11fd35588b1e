"""How bright an image is, everything else set aside."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import Control, Images, luminance


def features(images: Images) -> np.ndarray:
    """Average luminance over the image.

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, 1), 0 to 1.
    """
    return images.mean_features(lambda pixels: luminance(pixels).mean(axis=(1, 2)))


CONTROL = Control(features, distance="difference", words="mean luminance of the image")
