"""The section of the network that every rule trains."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rulealign.schema import (
    Closed,
    Fraction,
    whole,
)

LAYERS = {"cnn3": ("conv1", "conv2", "conv3", "fc1")}
"""The readable layers of each network, in order."""

VECTORS = {"cnn3": ("fc1",)}
"""Those of them that have no positions, and so no descriptor to choose."""


def map_side(place: int, px: int) -> int:
    """Give the positions per side of a layer's map, at a size of images.

    Args:
        place: the layer's place among those with positions, from 0.
        px: pixels per side of the images.

    Returns:
        The positions.
    """
    return px // 2 ** (place + 1)  # each block halves its map, and drops an odd row and column


class Network(Closed):
    """The network that every rule trains."""

    kind: Literal["cnn3"] = Field(description="architecture; see docs/networks.md")
    channels: Annotated[list[whole(1, 4096)], Field(min_length=3, max_length=3)] = Field(
        description="channels of conv1, conv2 and conv3"
    )
    hidden_units: whole(1, 65_536) = Field(description="units of fc1")
    dropout: Fraction = Field(description="dropout probability between fc1 and fc2")
