"""Gradients of the cross-entropy to labels that stimuli were given, one stimulus per loss."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rulealign.lazy import functional, torch
from rulealign.learning.signals import passed
from rulealign.provenance import derive_seed

if TYPE_CHECKING:
    from torch import Tensor, nn

GIVEN_LABEL, RANDOM_LABEL = "given-label", "random-label"
"""Names of losses in a study."""


def random_labels(study_seed: int, stimuli: Sequence[str], n_classes: int) -> np.ndarray:
    """Draw a class for each stimulus, whatever it shows: the control of gradients that have labels.

    What a gradient to such a label predicts, it owes to nothing that the label says. The labels are
    those of all networks of a study.

    Args:
        study_seed: the study's seed.
        stimuli: ids, in order.
        n_classes: of the training set.

    Returns:
        int64, shape (n_stimuli,); each depends on the stimulus' id alone.
    """
    drawn = [derive_seed(study_seed, "random label", name) % n_classes for name in stimuli]
    return np.array(drawn, dtype=np.int64)


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
