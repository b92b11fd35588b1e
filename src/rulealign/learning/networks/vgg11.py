"""A deeper plain network: eight convolutions, five of them with max-pooling, and the logits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.learning.network import Layer, Normed, Width, widened
from rulealign.schema import Fraction

if TYPE_CHECKING:
    from rulealign.learning.chain import Chain

CHANNELS = (64, 128, 256, 256, 512, 512, 512, 512)
POOLED = (1, 2, 4, 6, 8)
"""Convolutions, counted from 1, that max-pooling follows."""


class Vgg11(Normed):
    """Eight convolutions with BatchNorm and ReLU, five of them with max-pooling, then the logits.

    Each is conv 3x3 (padding 1, no bias) -> BatchNorm -> ReLU, with 64, 128, 256, 256 and four
    times 512 channels; 2x2 max-pool follows the 1st, 2nd, 4th, 6th and 8th; then the average over
    positions, dropout and fc. PyTorch's default initialisation. Source: configuration A of
    Simonyan & Zisserman 2015 (arXiv 1409.1556), with one linear layer in place of three, as is
    usual for images of 32 px. Not for rules that teach a chain of conv blocks, which end in
    max-pooling.
    """

    smallest_image_side = 32

    kind: Literal["vgg11"] = Field(description="architecture; see docs/networks.md")
    width: Width = 1
    dropout: Fraction = Field(default=0, description="dropout probability of the inputs of fc")

    def layers(self) -> tuple[Layer, ...]:
        """List conv1 to conv8, read after the activation, and after pooling where there is one."""
        stride, found = 1, []
        for place in range(1, len(CHANNELS) + 1):
            stride *= 2 if place in POOLED else 1
            found.append(Layer(f"conv{place}", place / (len(CHANNELS) + 1), stride))
        return tuple(found)

    def no_blocks(self) -> str:
        """Say why rules that teach a chain of conv blocks cannot teach it."""
        return (
            "teaches a chain of conv blocks that end in max-pooling, and of the eight convolutions"
            f" of '{self.kind}' five do"
        )

    def build(self, classes: int) -> Chain:
        """Build the network; see `Network.build`."""
        from torch import nn

        from rulealign.learning.chain import Chain
        from rulealign.learning.norms import norm_layers

        norm = norm_layers(self.norm)
        parts: dict[str, nn.Module] = {}
        below = 3
        for place, channels in enumerate(CHANNELS, 1):
            above = widened(channels, self.width)
            parts[f"conv{place}"] = nn.Conv2d(below, above, 3, padding=1, bias=False)
            parts[f"norm{place}"] = norm(above)
            below = above
        parts["fc"] = nn.Linear(below, classes)
        places = range(1, len(CHANNELS) + 1)
        unpooled = [f"conv{place}" for place in places if place not in POOLED]
        return Chain(parts, 1, self.dropout, self.activation, unpooled)
