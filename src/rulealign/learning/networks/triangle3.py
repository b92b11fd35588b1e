"""The network of soft Hebbian learning: three conv blocks with triangle activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from rulealign.learning.network import Block, Layer, Network, Width, widened
from rulealign.schema import Fraction, PositiveFloat, whole

if TYPE_CHECKING:
    from rulealign.learning.triangle import TriangleChain

KERNELS = {"conv1": 5, "conv2": 3, "conv3": 3}

MAP_SIDE = 4
"""Positions per side of the map that the logits read; the map of conv3 at 32 px."""

POWERS = (0.7, 1.4, 1.0)
"""Of the triangle activation of each block, as published."""


class Triangle3(Network):
    """Three blocks of BatchNorm, convolution, triangle activation and pooling, then the logits.

    Each block is BatchNorm without scale and shift -> conv (5x5, 3x3, 3x3; reflecting edges, no
    bias) -> max(0, u - mean of u over channels)^p, p = .7, 1.4, 1 -> 4x4 max-pool of stride 2 (the
    last: 2x2 average); then dropout and fc. Conv weights are drawn normal with standard deviation
    `initial_range` / sqrt(inputs), so that filters have about the length `initial_range`. The rule
    `softhebb` needs that, and a control with the same network shares it. Source: Journe, Garcia
    Rodriguez, Guo & Moraitis 2023 (ICLR), whose channels are 96, 384 and 1536. Not for comparing
    rules with those of another network: width and activation differ.
    """

    smallest_image_side = 8

    kind: Literal["triangle3"] = Field(description="architecture; see docs/networks.md")
    channels: Annotated[list[whole(1, 4096)], Field(min_length=3, max_length=3)] = Field(
        default=[48, 96, 192], description="channels of conv1, conv2 and conv3"
    )
    width: Width = 1
    initial_range: PositiveFloat = Field(
        default=25, description="length of the initial filters, on average"
    )
    dropout: Fraction = Field(default=0.5, description="dropout probability of the inputs of fc")

    def layers(self) -> tuple[Layer, ...]:
        """List conv1 to conv3, read after pooling."""
        return tuple(
            Layer(block.name, place / (len(KERNELS) + 1), block.stride)
            for place, block in enumerate(self.blocks(), 1)
        )

    def blocks(self) -> tuple[Block, ...]:
        """List conv1 to conv3; each halves its map, and drops an odd row and column."""
        wide = [widened(channels, self.width) for channels in self.channels]
        return tuple(
            Block(name, kernel, 2**place, channels)
            for place, ((name, kernel), channels) in enumerate(
                zip(KERNELS.items(), wide, strict=True), 1
            )
        )

    def no_chain(self) -> str:
        """Say why rules for blocks of BatchNorm and ReLU cannot teach it."""
        return "teaches conv blocks of BatchNorm and ReLU, and not of triangle activations"

    def build(self, classes: int) -> TriangleChain:
        """Build the network; see `Network.build`."""
        from torch import nn

        from rulealign.learning.triangle import TriangleChain

        parts: dict[str, nn.Module] = {}
        below = 3
        for place, (name, kernel) in enumerate(KERNELS.items()):
            above = widened(self.channels[place], self.width)
            how = {"padding": kernel // 2, "padding_mode": "reflect", "bias": False}
            parts[name] = conv = nn.Conv2d(below, above, kernel, **how)
            nn.init.normal_(conv.weight, std=self.initial_range / (below * kernel**2) ** 0.5)
            parts[f"norm{place + 1}"] = nn.BatchNorm2d(below, affine=False)
            below = above
        parts["fc"] = nn.Linear(below * MAP_SIDE**2, classes)
        return TriangleChain(parts, MAP_SIDE, self.dropout, POWERS)
