"""A chain whose blocks normalise what they see, and whose activation lets channels compete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from rulealign.learning.chain import Chain, ConvBlock

SILENT = 1e-6
"""Values up to this are 0: below a power of 1 their derivative would grow without bound."""


class TriangleChain(Chain):
    """Conv blocks of norm layer -> convolution -> triangle activation -> pooling, then a readout.

    Pooling is 4x4 max-pooling of stride 2, in the last block 2x2 averaging.

    Args:
        parts: as of `Chain`; the norm layer of a block comes before its convolution.
        map_side: as of `Chain`.
        dropout: as of `Chain`.
        powers: of each block's activation.
    """

    def __init__(
        self, parts: Mapping[str, nn.Module], map_side: int, dropout: float, powers: Sequence[float]
    ) -> None:
        super().__init__(parts, map_side, dropout)
        names = [block.name for block in self.blocks()]
        self.powers = dict(zip(names, powers, strict=True))

    def norms(self) -> dict[str, nn.BatchNorm2d]:
        """Give none: no norm layer follows a convolution."""
        return {}

    def map_of(self, block: ConvBlock, below: Tensor) -> Tensor:
        """Compute one block, as `Chain.map_of`."""
        responses = block.conv(block.norm(below))
        values = triangle(responses, self.powers[block.name])
        if block.name == self.blocks()[-1].name:
            return functional.avg_pool2d(values, 2)
        return functional.max_pool2d(values, 4, stride=2, padding=1)


def triangle(responses: Tensor, power: float) -> Tensor:
    """Compute max(0, u - mean of u over channels)^power (Coates, Ng & Lee 2011, with a power).

    Args:
        responses: u, shape (batch, channels, height, width).
        power: above 0.

    Returns:
        The same shape.
    """
    above = responses - responses.mean(1, keepdim=True)
    return torch.where(above > SILENT, above.clamp(min=SILENT) ** power, 0)
