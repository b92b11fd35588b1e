"""Resizing a picture to what a network is shown."""

from __future__ import annotations

import numpy as np
from PIL import Image


def prepare(image: Image.Image, size: int) -> np.ndarray:
    """Resize the shorter side to `size` (bilinear, antialiased) and crop the centre.

    The same pixels as torchvision's `Resize(size)` and `CenterCrop(size)` on a PIL image.

    Args:
        image: RGB, or a mask (mode L); any size.
        size: pixels per side of the result.

    Returns:
        uint8, shape (size, size, 3), RGB; of a mask shape (size, size).
    """
    short = min(image.size)
    width, height = (int(size * side / short) for side in image.size)
    left, top = round((width - size) / 2), round((height - size) / 2)
    resized = image.resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(resized.crop((left, top, left + size, top + size)))
