"""The small network of the published studies: three conv blocks and two linear layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from rulealign.learning.network import Block, Layer, Normed, Width, widened
from rulealign.schema import Fraction, whole

if TYPE_CHECKING:
    from rulealign.learning.chain import Chain

CONVOLUTIONS = ("conv1", "conv2", "conv3")
WITH_WEIGHTS = (*CONVOLUTIONS, "fc1", "fc2")

MAP_SIDE = 4
"""Positions per side of the map that fc1 reads; the map of conv3 at 32 px."""


class Cnn3(Normed):
    """Three blocks of convolution, BatchNorm, ReLU and max-pooling, then two linear layers.

    Each block is conv 3x3 (padding 1, no bias) -> BatchNorm -> ReLU -> 2x2 max-pool; then fc1,
    ReLU, dropout and fc2 (`norm` and `activation` name others). PyTorch's default initialisation
    throughout. Source: the network of the studies published in 2026 (arXiv 2605.30556, 2604.16875).
    See docs/networks.md.
    """

    smallest_image_side = 8

    kind: Literal["cnn3"] = Field(description="architecture; see docs/networks.md")
    channels: Annotated[list[whole(1, 4096)], Field(min_length=3, max_length=3)] = Field(
        default=[32, 64, 128], description="channels of conv1, conv2 and conv3"
    )
    hidden_units: whole(1, 65_536) = Field(default=512, description="units of fc1")
    width: Width = 1
    dropout: Fraction = Field(default=0.3, description="dropout probability between fc1 and fc2")

    def layers(self) -> tuple[Layer, ...]:
        """List conv1, conv2 and conv3, read after pooling, and fc1, after ReLU, before dropout."""
        strides = {block.name: block.stride for block in self.blocks()}
        return tuple(
            Layer(name, place / len(WITH_WEIGHTS), strides.get(name))
            for place, name in enumerate(WITH_WEIGHTS[:-1], 1)
        )

    def blocks(self) -> tuple[Block, ...]:
        """List conv1, conv2 and conv3; each halves its map, and drops an odd row and column."""
        wide = [widened(channels, self.width) for channels in self.channels]
        return tuple(
            Block(name, 3, 2**place, channels)
            for place, (name, channels) in enumerate(zip(CONVOLUTIONS, wide, strict=True), 1)
        )

    def build(self, classes: int) -> Chain:
        """Build the network; see `Network.build`."""
        from torch import nn

        from rulealign.learning.chain import Chain
        from rulealign.learning.norms import norm_layers

        norm = norm_layers(self.norm)
        one, two, three = (block.channels for block in self.blocks())
        hidden = widened(self.hidden_units, self.width)
        parts = {
            "conv1": nn.Conv2d(3, one, 3, padding=1, bias=False),
            "norm1": norm(one),
            "conv2": nn.Conv2d(one, two, 3, padding=1, bias=False),
            "norm2": norm(two),
            "conv3": nn.Conv2d(two, three, 3, padding=1, bias=False),
            "norm3": norm(three),
            "fc1": nn.Linear(three * MAP_SIDE**2, hidden),
            "fc2": nn.Linear(hidden, classes),
        }
        return Chain(parts, MAP_SIDE, self.dropout, self.activation)
