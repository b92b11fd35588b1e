"""Gradients at a network's layers: of losses that need no label, one stimulus per loss.

The network is evaluated, so that no stimulus has a part in another one's loss, and the gradient of
the sum of all losses holds each stimulus' own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from rulealign.lazy import functional, torch

if TYPE_CHECKING:
    from torch import Tensor, nn


class Pass(NamedTuple):
    """One pass through a network, with its graph.

    Attributes:
        layers: readable layer -> values, shape (n, channels, height, width) or (n, units).
        hidden: what the logits are made of, shape (n, units).
        logits: shape (n, classes).
    """

    layers: dict[str, Tensor]
    hidden: Tensor
    logits: Tensor


def passed(network: nn.Module, images: Tensor) -> Pass:
    """Compute layers and logits in one graph.

    Args:
        network: as `Network.build` makes it, with `maps`, `last`, `read_out`, `decide`, `linear`.
        images: float32, shape (n, 3, height, width), normalised.

    Returns:
        What was computed. Not for networks that are read at nodes.
    """
    maps = network.maps(images)
    hidden = network.read_out(network.last(maps))
    *units, _ = network.linear()
    return Pass(maps | dict.fromkeys(units, hidden), hidden, network.decide(hidden))


def own_decision(_network: nn.Module, _images: Tensor, seen: Pass) -> Tensor:
    """Give the cross-entropy to the class that the network decides for, nats, shape (n,)."""
    return functional.cross_entropy(seen.logits, seen.logits.argmax(1), reduction="none")


def entropy(_network: nn.Module, _images: Tensor, seen: Pass) -> Tensor:
    """Give the entropy of the network's output, nats, shape (n,)."""
    log = seen.logits.log_softmax(1)
    return -(log.exp() * log).sum(1)


def two_view(network: nn.Module, images: Tensor, seen: Pass) -> Tensor:
    """Give how far the hidden values are from those of the mirrored image: 1 - cosine, shape (n,).

    The mirrored view is the target, and gets no gradient (as in Chen & He 2021, CVPR, without a
    predictor).
    """
    with torch.no_grad():
        target = passed(network, images.flip(-1)).hidden
    return 1 - functional.cosine_similarity(seen.hidden, target)


Loss = Callable[["nn.Module", "Tensor", Pass], "Tensor"]
"""A network, images and their pass -> the loss of each."""

LOSSES: dict[str, Loss] = {
    "own-decision": own_decision,
    "entropy": entropy,
    "two-view": two_view,
}
"""Name in a study -> the loss."""


def one_by_one(images: Tensor, errors: Callable[[Tensor], dict[str, Tensor]]) -> dict[str, Tensor]:
    """Compute errors of each image alone, for what would settle otherwise in a batch.

    Args:
        images: float32, shape (n, 3, height, width).
        errors: one image, as a batch of one -> layer -> its error; autograd is on.

    Returns:
        Layer -> the errors of all images, without a graph.
    """
    with torch.enable_grad():
        found = [errors(image) for image in images.split(1)]
    return {name: torch.cat([one[name].detach() for one in found]) for name in found[0]}


def layer_gradients(network: nn.Module, images: Tensor, loss: str) -> dict[str, Tensor]:
    """Give dL/da at every readable layer, as the network's layers send errors back.

    Args:
        network: evaluated; parameters and statistics stay as they are.
        images: as in `passed`.
        loss: a key of `LOSSES`.

    Returns:
        Layer -> gradient of each stimulus' own loss, of the shape of the layer's values. At a layer
        a = phi(x) it holds nothing of phi' at x itself, but of all activations above.
    """
    with torch.enable_grad():
        seen = passed(network, images)
        total = LOSSES[loss](network, images, seen).sum()
        found = torch.autograd.grad(total, list(seen.layers.values()))
    return dict(zip(seen.layers, (one.detach() for one in found), strict=True))
