"""A chain of conv blocks under a readout, as networks are that local rules may teach."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import pairwise
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from rulealign.learning.norms import activations

Part = TypeVar("Part", bound=nn.Module)


class ConvBlock(NamedTuple):
    """A conv block: convolution -> norm layer -> activation -> 2x2 max-pool."""

    name: str
    conv: nn.Conv2d
    norm: nn.Module


class Chain(nn.Module):
    """Conv blocks, each convolution -> norm layer -> activation -> 2x2 max-pool, then a readout.

    The readout averages the last map to a fixed side, and has a hidden layer with the activation,
    or none, then dropout and the layer of the logits.

    Args:
        parts: name -> module, in the order of computation: a convolution and its norm layer for
            each block, then one or two linear layers. Blocks have the names of their convolutions.
        map_side: positions per side of the map that the readout reads.
        dropout: probability that an input of the logits is silenced in training.
        activation: as in `network.Normed`.
        unpooled: blocks without max-pooling.
    """

    def __init__(
        self,
        parts: Mapping[str, nn.Module],
        map_side: int,
        dropout: float,
        activation: str = "relu",
        unpooled: Collection[str] = (),
    ) -> None:
        super().__init__()
        for name, part in parts.items():
            self.add_module(name, part)
        self.map_side = map_side
        self.activation = activation
        self.unpooled = frozenset(unpooled)
        self.dropout = nn.Dropout(dropout)

    def blocks(self) -> tuple[ConvBlock, ...]:
        """List name, convolution and norm layer of the conv blocks, in the order of computation."""
        pairs = pairwise(self.named_children())
        return tuple(
            ConvBlock(name, part, norm) for (name, part), (_, norm) in pairs if _is_conv(part)
        )

    def linear(self) -> dict[str, nn.Linear]:
        """Give the linear layers, name -> layer: a hidden one, if any, then that of the logits."""
        return self._parts(nn.Linear)

    def norms(self) -> dict[str, nn.BatchNorm2d]:
        """Give the BatchNorm behind each convolution, name of the convolution -> layer."""
        blocks = self.blocks()
        return {one.name: one.norm for one in blocks if isinstance(one.norm, nn.BatchNorm2d)}

    def error_path(self) -> dict[str, nn.Module]:
        """Give the layers that send an error back, name -> layer: all but the first."""
        return dict(list((self._parts(nn.Conv2d) | self.linear()).items())[1:])

    def _parts(self, kind: type[Part]) -> dict[str, Part]:
        return {name: part for name, part in self.named_children() if isinstance(part, kind)}

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the readable layers.

        Args:
            images: float32, shape (batch, 3, height, width), normalised.

        Returns:
            The map of each block, as `maps`, and the hidden layer, as `hidden`.
        """
        maps = self.maps(images)
        return maps | self.hidden(self.last(maps))

    def maps(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the conv stack.

        Args:
            images: as in `layers`.

        Returns:
            Block -> its map after pooling, shape (batch, channels, height, width).
        """
        read = {}
        values = images
        for block in self.blocks():
            values = read[block.name] = self.map_of(block, values)
        return read

    def map_of(self, block: ConvBlock, below: Tensor) -> Tensor:
        """Compute one block.

        Args:
            block: one of `blocks`.
            below: the map of the block below, or images, shape (batch, channels, height, width).

        Returns:
            Its map after pooling.
        """
        values = block.norm(block.conv(below))
        return self._activated(values) if block.name in self.unpooled else self._pooled(values)

    def _activated(self, values: Tensor) -> Tensor:
        return activations(self.activation)(values)

    def _pooled(self, values: Tensor) -> Tensor:
        if self.activation == "relu":
            # ReLU after pooling instead of before it: the same values and gradients, as ReLU keeps
            # order and lets no gradient through where a whole window is negative; 10% faster
            return functional.relu(functional.max_pool2d(values, 2))
        return functional.max_pool2d(self._activated(values), 2)

    def last(self, maps: Mapping[str, Tensor]) -> Tensor:
        """Give the map of the last block, which the readout reads, of what `maps` computes."""
        return maps[self.blocks()[-1].name]

    def hidden(self, features: Tensor) -> dict[str, Tensor]:
        """Compute the hidden layer, name -> values, as it is read; {} where there is none."""
        *hidden, _ = self.linear()
        return {name: self.read_out(features) for name in hidden}

    def read_out(self, features: Tensor) -> Tensor:
        """Compute what the logits are made of, from the last map.

        Args:
            features: float32, shape (batch, channels, height, width), after pooling.

        Returns:
            Hidden units after the activation, or the values of the averaged map where there are
            none; before dropout, shape (batch, units).
        """
        *hidden, _ = self.linear().values()
        values = _averaged(features, self.map_side).flatten(1)
        for layer in hidden:
            values = self._activated(layer(values))
        return values

    def decide(self, hidden: Tensor) -> Tensor:
        """Compute the logits, shape (batch, classes), from what `read_out` gives."""
        *_, logits = self.linear().values()
        return logits(self.dropout(hidden))

    def forward(self, images: Tensor) -> Tensor:
        """Classify images.

        Args:
            images: as in `layers`.

        Returns:
            Logits, float32, shape (batch, classes).
        """
        return self.decide(self.read_out(self.last(self.maps(images))))


def _is_conv(part: nn.Module) -> bool:
    return isinstance(part, nn.Conv2d)


def _averaged(values: Tensor, side: int) -> Tensor:
    # A map that has this side already is left alone: that keeps the gradient of the pool, which is
    # not deterministic on a GPU, out of training.
    if values.shape[-2:] == torch.Size((side, side)):
        return values
    return functional.adaptive_avg_pool2d(values, side)
