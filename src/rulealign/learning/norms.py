"""What follows a convolution: norm layers and activations by the names that networks use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from math import gcd

from torch import Tensor, nn
from torch.nn import functional

GROUPS = 32


def norm_layers(norm: str) -> Callable[[int], nn.Module]:
    """Find a kind of norm layer.

    Args:
        norm: as in `network.Normed`.

    Returns:
        A function: number of channels -> the layer.
    """
    kinds = {
        "batch": nn.BatchNorm2d,
        "layer": partial(nn.GroupNorm, 1),
        "group": lambda channels: nn.GroupNorm(gcd(GROUPS, channels), channels),
        "none": nn.Identity,
    }
    return kinds[norm]


def activations(name: str) -> Callable[[Tensor], Tensor]:
    """Find an activation.

    Args:
        name: as in `network.Normed`.

    Returns:
        A function of values, of the same shape.
    """
    return {"relu": functional.relu, "gelu": functional.gelu}[name]
