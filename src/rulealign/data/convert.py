"""The key by which images of other colour modes than RGB are taken."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

Convert = Annotated[
    Literal["rgb"] | None,
    Field(
        description="null: images of other colour modes than RGB of 8 bits are refused; rgb: greys"
        " become three equal channels, palettes their colours, 16 bits 8, CMYK is taken without a"
        " colour profile, and transparent pixels lie on grey (128)"
    ),
]
"""What is done with images of other colour modes; see `images.pictures.read_rgb`."""
