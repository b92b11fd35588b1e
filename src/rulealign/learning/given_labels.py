"""Gradients of the cross-entropy to labels that stimuli were given, one stimulus per loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import functional, torch
from rulealign.learning.signals import passed

if TYPE_CHECKING:
    from torch import Tensor, nn

GIVEN_LABEL = "given-label"
"""Name of the loss in a study."""


def label_gradients(network: nn.Module, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Give dL/da at every readable layer, L the cross-entropy to a label that is not the network's.

    Args:
        network: evaluated; as in `signals.layer_gradients`.
        images: float32, shape (n, 3, height, width), normalised.
        labels: int64, shape (n,).

    Returns:
        Layer -> gradient of each stimulus' own loss, nats, of the shape of the layer's values.
    """
    with torch.enable_grad():
        seen = passed(network, images)
        total = functional.cross_entropy(seen.logits, labels, reduction="sum")
        found = torch.autograd.grad(total, list(seen.layers.values()))
    return dict(zip(seen.layers, (one.detach() for one in found), strict=True))
