"""Alignment at the last checkpoint, by rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd

from rulealign.report import drawn, marks
from rulealign.report.panels import panel_names
from rulealign.report.style import INK, QUIET
from rulealign.report.vega import Panel

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rulealign.arm import Mapped
    from rulealign.plan.settings.report import FigureSettings

STEP = 19
"""Height of a row, pixels."""


def panels(told: FigureSettings, data: Mapping[str, pd.DataFrame]) -> list[Panel]:
    """Specify each last checkpoint: a panel per network, layer and ROI; a row per rule and control.

    The noise ceiling is always within the axis, so that levels are seen against it; small ticks
    are the lowest and the highest seed, and pale dots the subjects.

    Args:
        told: rules, pairs of layer and ROI, and views.
        data: as `drawn.of_alignment` gives it.

    Returns:
        The panels.
    """
    others = [rule for rule in told.rules if rule not in told.lines]
    names = [*told.lines, *others, *dict.fromkeys(data["controls"]["control"])]
    return [
        Panel(name, _panel(told, pair, data, names), {"network": pair.network, "roi": pair.roi})
        for name, pair in zip(panel_names(told.layer_map), told.layer_map, strict=True)
    ]


def _panel(
    told: FigureSettings, pair: Mapped, data: Mapping[str, pd.DataFrame], names: list[str]
) -> dict[str, Any]:
    wide = 12 + 5.6 * max(map(len, names))
    axis = alt.Axis(title=None, ticks=False, domain=False, labelLimit=wide, minExtent=wide)
    rows = {
        key: alt.Y(f"{key}:N", scale=alt.Scale(domain=names), axis=axis)
        for key in ("rule", "control")
    }
    layers = [
        *marks.ceiling(pair, upright=True),
        *_rules(told, pair, rows["rule"], marks.score_title(data["scores"])),
        *_controls(pair, rows["control"]),
    ]
    size = {"width": marks.WIDTH - 60, "height": STEP * len(names)}
    chart = alt.layer(*layers).properties(**size, title=marks.title(told, pair))
    return marks.finished(chart, told.views[0])


def _rules(told: FigureSettings, pair: Mapped, y: alt.Y, title: str) -> list[alt.Chart]:
    scores = alt.Chart(alt.NamedData("scores")).transform_filter("datum.last")
    own = scores.transform_filter(marks.of_pair(pair))
    of_subjects = f"measure === '{drawn.PER_SUBJECT}' && indexof(datum.measure, 'subject') === 0"
    dots = scores.transform_filter(marks.of_pair(pair, of_subjects))
    colour, shape = marks.colour(told, legend=False), marks.shape(told, legend=False)
    tick = own.mark_tick(color=INK, thickness=1, size=8)
    none = own.transform_filter("datum.score === null")
    return [
        dots.mark_point(filled=True, size=14, opacity=0.45).encode(
            x="score:Q", y=y, color=colour, tooltip=["measure:N", "rule:N", marks.number("score")]
        ),
        own.mark_rule(strokeWidth=1.5).encode(x="low:Q", x2="high:Q", y=y, color=colour),
        *(tick.encode(x=f"seed_{end}:Q", y=y) for end in ("low", "high")),
        own.mark_point(filled=True, size=42, opacity=1).encode(
            x=alt.X("score:Q", title=title, axis=alt.Axis(tickCount=5)),
            y=y,
            color=colour,
            shape=shape,
            tooltip=marks.tooltips(),
        ),
        none.mark_text(color=QUIET, align="left").encode(
            x=alt.datum(0), y=y, text=alt.value("not measured")
        ),
    ]


def _controls(pair: Mapped, y: alt.Y) -> list[alt.Chart]:
    own = marks.controls(pair)
    told = ["control:N", *map(marks.number, ("score", "low", "high"))]
    none = own.transform_filter("datum.score === null")
    return [
        own.mark_rule(color=QUIET, strokeWidth=1.4).encode(x="low:Q", x2="high:Q", y=y),
        own.mark_tick(color=INK, thickness=1.5, size=11).encode(x="score:Q", y=y, tooltip=told),
        none.mark_text(color=QUIET, align="left").encode(
            x=alt.datum(0), y=y, text=alt.value("none")
        ),
    ]
