"""What the jobs of the report are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.config.evaluation import LayerRoi, View
from rulealign.settings import Sectioned

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class FigureSettings(Sectioned):
    """What the figures show, and in which order.

    Attributes:
        rules: labels.
        layer_map: the comparisons named in advance, one panel each.
        views: what is shown, two figures each; the report's own first.
    """

    rules: list[str]
    layer_map: list[LayerRoi]
    views: list[View]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(rules=list(study.rules), layer_map=study.layer_map, views=study.views())
