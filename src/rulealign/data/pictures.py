"""Reading one picture, whole and RGB, from a file or from memory."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from rulealign.data.image_folder import UNREADABLE
from rulealign.errors import DataError


def read_rgb(file: Path | BinaryIO, what: str, *, grey: bool = False) -> Image.Image:
    """Read a picture; pixels as stored (EXIF orientation is not applied).

    Args:
        file: the file, or its contents.
        what: its name, for messages.
        grey: whether a grey picture (mode L) is taken too, as three equal channels: what a screen
            shows of it, without a choice to make.

    Returns:
        The picture, RGB.

    Raises:
        DataError: it is broken, no picture, too large to be a stimulus, or not RGB.
    """
    try:
        with warnings.catch_warnings(), Image.open(file) as image:
            # a picture big enough for this warning is no stimulus
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image.load()
    except (*UNREADABLE, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DataError(
            f"{what}: cannot be read as an image ({error}). Get the file again from its source."
        ) from error
    if image.mode == "L" and grey:
        return image.convert("RGB")
    if image.mode != "RGB":
        raise DataError(
            f"{what}: its mode is {image.mode}, not RGB. Convert it yourself, so that what stands"
            " behind transparent or grey pixels is your choice."
        )
    return image
