"""The figures of the report, by name and all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rulealign.report.accuracy import draw_accuracy
from rulealign.report.finals import draw_final
from rulealign.report.learning import draw_learning
from rulealign.report.quality import draw_quality
from rulealign.report.trajectories import draw_trajectories

if TYPE_CHECKING:
    from rulealign.plan.settings.report import FigureSettings

__all__ = [
    "draw_accuracy",
    "draw_all",
    "draw_final",
    "draw_learning",
    "draw_quality",
    "draw_trajectories",
]


def draw_all(
    tables: Mapping[str, pd.DataFrame],
    told: FigureSettings,
    *,
    classes: int,
    trajectories: Sequence[Path],
    finals: Sequence[Path],
    accuracy: Path,
    learning: Path,
    quality: Path,
) -> None:
    """Draw every figure of the report.

    Args:
        tables: `alignment`, `alignment_subjects`, `ceilings`, `training`, `diagnostics`, `quality`
            and, where the study has controls, `controls`.
        told: rules, pairs of layer and ROI, and views: two figures each.
        classes: number of classes of the training set.
        trajectories: one .svg file per view.
        finals: one .svg file per view.
        accuracy: the .svg file of the held-out accuracy.
        learning: the .svg file of the diagnostics of learning.
        quality: the .svg file of the quality of the brain data.
    """
    rules = told.rules
    what = {"layer_map": told.layer_map, "rules": rules, "controls": tables.get("controls")}
    draw_last = partial(draw_final, subjects=tables.get("alignment_subjects"))
    for draw, outputs in ((draw_trajectories, trajectories), (draw_last, finals)):
        for view, output in zip(told.views, outputs, strict=True):
            draw(tables["alignment"], tables["ceilings"], **what, view=view, output=output)
    draw_accuracy(tables["training"], rules=rules, classes=classes, output=accuracy)
    draw_learning(tables["diagnostics"], rules=rules, output=learning)
    draw_quality(tables["quality"], output=quality)
