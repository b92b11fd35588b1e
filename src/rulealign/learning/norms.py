"""What follows a convolution: norm layers and activations by the names that networks use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from math import gcd

from torch import Tensor, nn
from torch.nn import functional

GROUPS = 32


class Unnormed(nn.Module):
    """Stands where a norm layer would, and passes on a copy of what a convolution gives.

    Blocks of torchvision overwrite what they take from there. What the convolution gives would be
    lost to whoever reads it, and no rule could send another error back through it.
    """

    def forward(self, values: Tensor) -> Tensor:
        """Copy values, of any shape."""
        return values.clone()


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
        "none": lambda _: Unnormed(),
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


@contextmanager
def statistics_kept(network: nn.Module) -> Iterator[None]:
    """Let BatchNorm normalise by the batch, and leave its running statistics as they are.

    For passes beyond the one that a step owes them (guard 27: they are updated once a step).

    Args:
        network: in training mode.
    """
    layers = [one for one in network.modules() if isinstance(one, nn.BatchNorm2d)]
    for layer in layers:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in layers:
            layer.track_running_stats = True
