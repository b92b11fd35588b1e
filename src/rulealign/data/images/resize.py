"""Resizing a picture to what a network is shown."""

from __future__ import annotations

import numpy as np
from PIL import Image


def prepare(image: Image.Image, px: int) -> np.ndarray:
    """Resize the shorter side to px (bilinear, antialiased) and crop the centre.

    The same pixels as torchvision's `Resize(px)` and `CenterCrop(px)` on a PIL image.

    Args:
        image: RGB, or a mask (mode L); any size.
        px: pixels per side of the result.

    Returns:
        uint8, shape (px, px, 3), RGB; of a mask shape (px, px).
    """
    short = min(image.size)
    width, height = (int(px * side / short) for side in image.size)
    left, top = round((width - px) / 2), round((height - px) / 2)
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((left, top, left + px, top + px)))
