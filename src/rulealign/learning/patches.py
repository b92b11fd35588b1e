"""Patches of images and maps, for rules that learn from what a filter sees at random places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.errors import ConfigurationError
from rulealign.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def draw_patches(maps: Tensor, side: int, count: int, *, in_turn: bool = False) -> Tensor:
    """Cut squares out of each map at random places, none of them over the edge.

    Args:
        maps: shape (batch, channels, height, width), any float dtype.
        side: positions per side of a square.
        count: squares per map; places are drawn from the CPU's global random state, so that they
            are the same for every device.
        in_turn: one square of every map, then the next of every map; by default all squares of the
            first map come first.

    Returns:
        Shape (batch * count, channels * side * side), in the order of a filter's weights.

    Raises:
        ConfigurationError: the maps are smaller than a square.
    """
    batch, _, height, width = maps.shape
    if min(height, width) < side:
        raise ConfigurationError(
            f"patches of {side} x {side} do not fit into a map of {height} x {width}; raise"
            " training_set.image_size."
        )
    top = torch.randint(height - side + 1, (batch * count,)).to(maps.device)
    left = torch.randint(width - side + 1, (batch * count,)).to(maps.device)
    each = torch.arange(batch, device=maps.device)
    which = each.repeat(count) if in_turn else each.repeat_interleave(count)
    windows = maps.unfold(2, side, 1).unfold(3, side, 1)
    return windows[which, :, top, left].flatten(1)
