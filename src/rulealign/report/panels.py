"""What panels of pairs of layer and ROI are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulealign.arm import Mapped


def panel_names(layer_map: Sequence[Mapped]) -> list[str]:
    """Name one panel per pair of layer and ROI; and its network, where there are several."""
    return [
        "--".join([*prefix, pair.layer, pair.roi])
        for prefix, pair in zip(_prefixes(layer_map), layer_map, strict=True)
    ]


def titles(layer_map: Sequence[Mapped]) -> list[str]:
    """Write each pair as the title of its panel or column; with its network, where several."""
    return [
        " ".join([*prefix, f"{pair.layer} → {pair.roi}"])
        for prefix, pair in zip(_prefixes(layer_map), layer_map, strict=True)
    ]


def _prefixes(layer_map: Sequence[Mapped]) -> list[list[str]]:
    several = len({pair.network for pair in layer_map}) > 1
    return [[pair.network] if several else [] for pair in layer_map]
