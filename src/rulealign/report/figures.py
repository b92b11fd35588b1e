"""The figures of the report, by name and all at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from rulealign.report import accuracy as of_accuracy
from rulealign.report import (
    claims_figure,
    claims_overview,
    drawn,
    filters,
    finals,
    layers_figure,
    rdms,
    select,
    trajectories,
)
from rulealign.report import learning as of_learning
from rulealign.report import over_time as of_time
from rulealign.report import quality as of_quality
from rulealign.report.vega import Panel, save

if TYPE_CHECKING:
    from rulealign.plan.settings.report import FigureSettings
    from rulealign.report.shown import ShownRdms

OF_VIEWS = {"trajectory": "over training", "final": "at the last checkpoint"}
"""Figures that are drawn once for each view, and what they show alignment as."""

TITLES = {
    "layers": "Every layer with every ROI at the last checkpoint",
    "accuracy": "Held-out accuracy over training",
    "learning": "Did each rule learn? Movement, direction and rank of the errors",
    "over_time": "Alignment of every layer at each time",
    "quality": "Brain data quality: neighbours, shifted labels, agreement, reliability",
    "rdms": "RDMs of brain and rules at the last checkpoint",
    "maps": "Maps of the stimuli at the last checkpoint",
    "filters": "Filters of the first layer at the last checkpoint",
}
"""Figures that are drawn once, and their titles."""


LAST = {"checkpoint": 0}
"""Params of RDMs in a file: its data have one checkpoint."""


def specified(
    tables: Mapping[str, pd.DataFrame], told: FigureSettings, shown: ShownRdms
) -> tuple[dict[str, list[Panel]], dict[str, pd.DataFrame]]:
    """Specify every figure, for files and for the page alike.

    Args:
        tables: as in `draw_all`, and `claims` with `claims_summary` where there are any.
        told: rules, pairs of layer and ROI, and views.
        shown: RDMs to look at.

    Returns:
        Name -> panels, and name -> the data that they draw, of every view.

    Raises:
        DataError: a score or a seed appears twice, or a panel has no score.
        GuardError: ceilings or controls are of other pairs or another convention than the scores.
    """
    training, diagnostics = tables["training"], tables["diagnostics"]
    data = drawn.of_alignment(tables, told)
    figures = {
        "trajectory": trajectories.panels(told, data),
        "final": finals.panels(told, data),
        "layers": layers_figure.panels(told, data),
        "accuracy": of_accuracy.panels(told, training, float(diagnostics["chance"].iloc[0])),
        "learning": of_learning.panels(told, diagnostics),
        "quality": of_quality.panels(tables["quality"]),
    }
    figures |= rdms.panels(told, shown) | {"filters": filters.panels(shown)}
    data |= of_accuracy.data(training, told) | of_learning.data(diagnostics, told)
    data |= rdms.data(shown) | of_quality.data(tables["quality"])
    if "over_time" in tables:
        data |= of_time.data(tables["over_time"], told)
        figures["over_time"] = of_time.panels(told, data["over_time"])
    if "claims" in tables:
        of_claims = tables["claims"], tables["claims_summary"]
        figures["claims"] = claims_figure.panels(*of_claims)
        figures["overview"] = [claims_overview.overview(tables["claims_summary"])]
        data |= claims_figure.data(*of_claims)
    return figures, data


def draw_all(
    tables: Mapping[str, pd.DataFrame],
    told: FigureSettings,
    shown: ShownRdms,
    *,
    views: Mapping[str, Sequence[Path]],
    once: Mapping[str, Path],
) -> None:
    """Draw every figure of the report but that of claims.

    Args:
        tables: `alignment`, `alignment_subjects`, `ceilings`, `training`, `diagnostics`, `quality`
            and, where the study has them, `controls` and `over_time`.
        told: rules, pairs of layer and ROI, and views.
        shown: RDMs to look at.
        views: name of `OF_VIEWS` -> one .svg file per view.
        once: name of `TITLES` -> the .svg file.
    """
    figures, data = specified(tables, told, shown)
    for name, outputs in views.items():
        for view, output in zip(told.views, outputs, strict=True):
            title = f"Alignment {OF_VIEWS[name]}: {select.words(view)}"
            save(figures[name], drawn.at_view(data, view), output, title, view.model_dump())
    own = drawn.at_view(data, told.views[0]) | rdms.drawn_data(shown.last())
    for name, output in once.items():
        save(figures[name], own, output, TITLES[name], LAST)
