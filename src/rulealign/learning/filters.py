"""The filters of a network's first layer, kept as they are at every checkpoint, to be looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from torch import nn

from rulealign.learning.weights import carries_weights
from rulealign.store import write_h5

COLOURS = 3
"""Channels of an image: only filters over these can be looked at as small pictures."""


class FirstFilters(NamedTuple):
    """The filters of a network's first layer.

    Attributes:
        layer: its name.
        weights: float32, shape (filters, height, width, 3).
    """

    layer: str
    weights: np.ndarray


def first_filters(network: nn.Module) -> FirstFilters | None:
    """Give the filters of the first layer with weights.

    Args:
        network: any network.

    Returns:
        Its filters; None where the layer is no convolution over the three channels of an image.
    """
    layers = ((name, one) for name, one in network.named_modules() if carries_weights(one))
    name, first = next(layers, ("", None))
    if not isinstance(first, nn.Conv2d) or first.weight.shape[1] != COLOURS:
        return None
    return FirstFilters(name, first.weight.detach().cpu().numpy().transpose(0, 2, 3, 1).copy())


def write_filters(
    out: Path,
    seen: Mapping[int, FirstFilters | None],
    *,
    settings: Mapping[str, object],
    attributes: Mapping[str, Any],
) -> None:
    """Write the filters of all checkpoints of one network.

    Args:
        out: the HDF5 file: `filters` float32 (epochs, filters, height, width, 3), with the ids
            `epoch` and the attribute `layer`. Without the dataset where there are no such filters.
        seen: epoch -> filters, increasing.
        settings: of the checkpoints.
        attributes: which network it is.

    Raises:
        StoreError: the disk is full.
    """
    found = [one for one in seen.values() if one is not None]
    arrays = {"filters": np.stack([one.weights for one in found])} if found else {}
    layer = {"layer": found[0].layer} if found else {}
    ids = {"epoch": [str(epoch) for epoch in seen]}
    write_h5(out, arrays, ids=ids, settings=settings, attributes={**attributes, **layer})
