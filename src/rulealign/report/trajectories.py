"""Alignment over training: levels with their intervals, never growth alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt

from rulealign.report import marks
from rulealign.report.panels import panel_names
from rulealign.report.vega import Panel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from rulealign.arm import Mapped
    from rulealign.plan.settings.report import FigureSettings


def panels(told: FigureSettings, data: Mapping[str, pd.DataFrame]) -> list[Panel]:
    """Specify alignment over training: a panel per network, layer and ROI.

    A line is a rule with its interval. The band in grey reaches from the lowest to the highest of
    the rules that are no lines, the one in sand over the controls, and the one behind them over
    the noise ceiling, where it is near.

    Args:
        told: rules, pairs of layer and ROI, and views.
        data: as `drawn.of_alignment` gives it.

    Returns:
        The panels.
    """
    return [
        Panel(name, _panel(told, pair, data), {"network": pair.network, "roi": pair.roi})
        for name, pair in zip(panel_names(told.layer_map), told.layer_map, strict=True)
    ]


def _panel(told: FigureSettings, pair: Mapped, data: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    rows = data["scores"]
    scores = alt.Chart(alt.NamedData("scores")).transform_filter(marks.of_pair(pair))
    y = alt.Y("score:Q", axis=alt.Axis(tickCount=6), title=marks.score_title(rows))
    drawn = marks.courses(told, marks.epochs(rows["epoch"]), scores, y, marks.tooltips())
    layers = [*marks.ceiling(pair), *_controls(pair), *drawn]
    chart = alt.layer(*layers).properties(
        width=marks.WIDTH, height=210, title=marks.title(told, pair)
    )
    return marks.finished(chart, told.views[0])


def _controls(pair: Mapped) -> list[alt.Chart]:
    own = marks.controls(pair).transform_filter("datum.score !== null")
    ends = own.transform_aggregate(low="min(score)", high="max(score)")
    told = ["control:N", *map(marks.number, ("score", "low", "high"))]
    return [
        ends.mark_rect(color=marks.SAND, opacity=0.6).encode(y="low:Q", y2="high:Q"),
        # seen as a part of the band, and named where the pointer is
        own.mark_rule(color=marks.SAND, strokeWidth=2).encode(y="score:Q", tooltip=told),
    ]
