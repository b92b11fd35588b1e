"""What the jobs of the report are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.arm import Mapped
from rulealign.config.evaluation import View
from rulealign.plan.lines import lines
from rulealign.settings import Sectioned

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class FigureSettings(Sectioned):
    """What the figures show, and in which order.

    Attributes:
        rules: labels.
        lines: those that are drawn by themselves, at most eight; the others are a band.
        layer_map: the comparisons named in advance, of every network; one panel each.
        views: what is shown, two figures each; the report's own first.
    """

    rules: list[str]
    lines: list[str]
    layer_map: list[Mapped]
    views: list[View]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            rules=list(study.rules),
            lines=lines(study),
            layer_map=study.mapped(),
            views=study.views(),
        )


@dataclass(frozen=True, kw_only=True)
class ShownRdmsSettings(Sectioned):
    """What the RDMs that a reader can look through use; which arms and epochs files tell.

    Attributes:
        study_seed: draws the stimuli that are shown, where there are too many.
        view: the setting that is shown.
        layer_map: the comparisons named in advance, of every network.
    """

    study_seed: int
    view: View
    layer_map: list[Mapped]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(study_seed=study.seed, view=study.report.view, layer_map=study.mapped())
