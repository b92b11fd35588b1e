"""The network of the predictive-coding benchmarks: four conv blocks and one linear layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.learning.network import Block, Layer, Normed, Width, widened
from rulealign.schema import Fraction

if TYPE_CHECKING:
    from rulealign.learning.chain import Chain

CHANNELS = {"conv1": 128, "conv2": 256, "conv3": 512, "conv4": 512}

MAP_SIDE = 2
"""Positions per side of the map that the logits read; the map of conv4 at 32 px."""


class Vgg5(Normed):
    """Four blocks of convolution, BatchNorm, ReLU and max-pooling, then the layer of the logits.

    Each block is conv 3x3 (padding 1, no bias) -> BatchNorm -> ReLU -> 2x2 max-pool, with 128, 256,
    512 and 512 channels; then dropout and fc. PyTorch's default initialisation. Source of the
    channels: the VGG5 of Pinchetti et al. 2024 (arXiv 2407.01163), which has biases and GELU in
    place of BatchNorm and ReLU: its accuracies are not to be expected here, nor with `norm: none`
    and `activation: gelu`, as convolutions have no biases.
    """

    smallest_image_side = 16

    kind: Literal["vgg5"] = Field(description="architecture; see docs/networks.md")
    width: Width = 1
    dropout: Fraction = Field(default=0, description="dropout probability of the inputs of fc")

    def layers(self) -> tuple[Layer, ...]:
        """List conv1 to conv4, read after pooling."""
        return tuple(
            Layer(block.name, place / (len(CHANNELS) + 1), block.stride)
            for place, block in enumerate(self.blocks(), 1)
        )

    def blocks(self) -> tuple[Block, ...]:
        """List conv1 to conv4; each halves its map, and drops an odd row and column."""
        return tuple(
            Block(name, 3, 2**place, widened(channels, self.width))
            for place, (name, channels) in enumerate(CHANNELS.items(), 1)
        )

    def build(self, classes: int) -> Chain:
        """Build the network; see `Network.build`."""
        from torch import nn

        from rulealign.learning.chain import Chain
        from rulealign.learning.norms import norm_layers

        norm = norm_layers(self.norm)
        parts: dict[str, nn.Module] = {}
        below = 3
        for place, (name, channels) in enumerate(CHANNELS.items(), 1):
            above = widened(channels, self.width)
            parts[name] = nn.Conv2d(below, above, 3, padding=1, bias=False)
            parts[f"norm{place}"] = norm(above)
            below = above
        parts["fc"] = nn.Linear(below * MAP_SIDE**2, classes)
        return Chain(parts, MAP_SIDE, self.dropout, self.activation)
