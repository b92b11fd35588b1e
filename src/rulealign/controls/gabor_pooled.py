"""Which orientations and spatial frequencies an image has, wherever they are."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import Control, Images
from rulealign.controls.gabor import energy


def features(images: Images) -> np.ndarray:
    """Compute Gabor energy over the whole image.

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, filters).
    """
    return images.mean_features(lambda pixels: energy(pixels, 1))


CONTROL = Control(features, distance="correlation", words="Gabor energy over the whole image")
