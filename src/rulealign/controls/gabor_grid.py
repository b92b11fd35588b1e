"""Which orientations and spatial frequencies an image has, and where."""

from __future__ import annotations

import numpy as np

from rulealign.controls.control import Control, Images
from rulealign.controls.gabor import energy

GRID = 8
"""Cells per side."""


def features(images: Images) -> np.ndarray:
    """Compute Gabor energy in 8 x 8 cells of the image.

    Args:
        images: the stimuli.

    Returns:
        float64, shape (n_stimuli, filters * 64).
    """
    return images.mean_features(lambda pixels: energy(pixels, GRID))


CONTROL = Control(
    features, distance="correlation", words=f"Gabor energy in {GRID} x {GRID} cells of the image"
)
