"""Reading one picture, whole and RGB, from a file or from memory."""

from __future__ import annotations

import struct
import warnings
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from rulealign.errors import DataError

# others are rare, or read by programs outside of this one (EPS by Ghostscript)
_FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "GIF", "PPM", "WEBP")

_UNREADABLE = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning),
)

_AS_STORED = (None, 1)


def read_rgb(
    file: Path | BinaryIO,
    what: str,
    *,
    size: int | None = None,
    grey: bool = False,
    convert: bool = False,
) -> Image.Image:
    """Read a picture whose stored pixels are, without any choice, what networks should see.

    Args:
        file: the file, or its contents.
        what: its name, for messages.
        size: pixels per side that a training image must have; by default any size.
        grey: whether it is one of a published set, as subjects saw it: a grey picture (mode L) is
            taken too, as three equal channels, which is what a screen shows of it; and a tag of
            its orientation is ignored, as stimulus software does.
        convert: whether pictures of other colour modes are taken, too: greys as three equal
            channels, palettes as their colours, 16 bits as 8, CMYK by Pillow without a
            colour profile, and transparent pixels on grey (128).

    Returns:
        The picture, RGB, 8 bits per channel; pixels as stored.

    Raises:
        DataError: it is broken, no picture, too large to be a stimulus, of another size, or not
            8-bit RGB; has a transparent colour or an orientation to be applied; or is several.
    """
    try:
        with warnings.catch_warnings(), Image.open(file, formats=_FORMATS) as image:
            # a picture big enough for this warning is no stimulus
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            if size is not None and image.size != (size, size):
                raise DataError(
                    f"{what}: is {image.width} x {image.height} pixels, training_set.image_size is"
                    f" {size}. Set training_set.resize to crop, or resize them yourself."
                )
            deep = _is_cut_to_8_bits(image)  # known only before the pixels are read
            image.load()
            kept = convert and image.mode in _TAKEN
            fault = ("" if kept else _fault(image, deep, grey)) or _unclear(image, grey)
    except _UNREADABLE as error:
        # Pillow's own words for this one name an address in memory
        unknown = isinstance(error, UnidentifiedImageError)
        why = f"it is none of {', '.join(_FORMATS)}" if unknown else error
        raise DataError(
            f"{what}: cannot be read as an image ({why}). Get the file again from its source."
        ) from error
    if fault:
        raise DataError(f"{what}: {fault}")
    return (_converted(image) if convert else image).convert("RGB")


def _converted(image: Image.Image) -> Image.Image:
    """Take other colour modes as `read_rgb` says."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in _SEEN_THROUGH or "transparency" in image.info:
        below = Image.new("RGBA", image.size, (*_BEHIND, 255))
        return Image.alpha_composite(below, image.convert("RGBA"))
    return image


_BEHIND = (128, 128, 128)
_SEEN_THROUGH = ("RGBA", "LA", "PA")
_TAKEN = ("RGB", "L", "1", "P", "CMYK", "I;16", "I;16B", "I;16L", *_SEEN_THROUGH)
_CHOICES = {
    **dict.fromkeys(_SEEN_THROUGH, "what lies behind transparent pixels"),
    "L": "which colour stands for a grey",
    "P": "which colours its palette stands for",
    "CMYK": "the colour profile",
}
"""Colour mode of Pillow -> what is to be chosen on the way to RGB."""


def _is_cut_to_8_bits(image: Image.Image) -> bool:
    # RGB of 16 bits becomes RGB of 8 without a word: only how it is decoded tells, such as
    # RGB;16B of a PNG, and of a PPM its highest value
    for _, _, _, how in image.tile:
        raw, *more = how if isinstance(how, tuple) else (how,)
        if str(raw).startswith("RGB") and ";16" in raw:
            return True
        if image.format == "PPM" and more and more[0] > 255:
            return True
    return False


def _fault(image: Image.Image, deep: bool, grey: bool) -> str:
    # why the stored pixels are not what networks should see; "" where they are
    if deep:
        return "has 16 bits per channel, and networks see 8. Convert it, so that you choose how."
    if image.mode != "RGB" and not (image.mode == "L" and grey):
        how = _CHOICES.get(image.mode, "how its values become 8 bits per channel")
        return (
            f"its colour mode is {image.mode}, not RGB. Convert it, so that you choose {how}; or"
            " set `convert: rgb` there."
        )
    if "transparency" in image.info:
        return "has a transparent colour. Convert it, so that you choose what lies behind."
    return ""


def _unclear(image: Image.Image, grey: bool) -> str:
    # why one picture cannot be told from the file, or its upright; "" where they can
    if (count := getattr(image, "n_frames", 1)) > 1:
        return f"holds {count} pictures. Save the one that you mean."
    turned = image.getexif().get(ExifTags.Base.Orientation)
    if turned not in _AS_STORED and not grey:
        return (
            f"its pixels are stored turned (EXIF orientation {turned}): viewers turn them back,"
            " networks would not. Save it as it should be seen, in Python:"
            " PIL.ImageOps.exif_transpose(PIL.Image.open(file)).save(file)."
        )
    return ""
