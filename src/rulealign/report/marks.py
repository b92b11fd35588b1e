"""Parts that figures share: the params of a view, colours of rules, bands, tooltips."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd

from rulealign.report import drawn, select
from rulealign.report.formatting import DIGITS
from rulealign.report.style import COLOURS, INK, PALE, QUIET, SHAPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rulealign.arm import Mapped
    from rulealign.config.evaluation import View
    from rulealign.plan.settings.report import FigureSettings

WIDTH = 300
"""Of a panel's axes in a file, pixels; in the page, panels are as wide as there is room."""

OTHERS, SAND = "#9A9A9A", "#E9DFC6"
"""The band of rules that are no lines, and that of controls."""

AS_NAMED = ""
"""The value of `layer` that stands for the layer named in advance."""

POINTED_AT = "pointed_at"
"""The param that is false in a file: nobody can point at what it shows."""

VIEW = " && ".join(f"datum.{one} === {one}" for one in ("stimuli", "size", "centring"))
"""The condition of rows of the setting that is chosen; of its descriptor: `SPACE`."""
SPACE = f"(datum.descriptor === descriptor || datum.descriptor === '{select.NO_SPACE}')"


def of_pair(pair: Mapped, measure: str = "datum.measure === measure") -> str:
    """Write the condition of rows of a panel: its network and ROI, in what is chosen.

    Args:
        pair: a network, its layer and an ROI; another layer may be chosen.
        measure: the condition on what is scored; "" for none.

    Returns:
        A Vega expression of the params of `finished`.
    """
    of = f"datum.network === {json.dumps(pair.network)} && datum.roi === {json.dumps(pair.roi)}"
    conditions = [of, f"datum.layer === {_layer(pair)}", VIEW, SPACE, measure]
    return " && ".join(filter(None, conditions))


def _layer(pair: Mapped) -> str:
    return f"(layer || {json.dumps(pair.layer)})"


def title(told: FigureSettings, pair: Mapped) -> alt.TitleParams:
    """Title a panel by the layer that is shown, and its ROI; and by its network, of several."""
    several = len({one.network for one in told.layer_map}) > 1
    network = f"{pair.network} " if several else ""
    words = f"{json.dumps(network)} + {_layer(pair)} + {json.dumps(f' → {pair.roi}')}"
    return alt.TitleParams(text=alt.expr(words))


def score_title(rows: pd.DataFrame) -> str:
    """Title an axis of scores, with the pairs that they are over."""
    return f"Spearman's ρ, {select.pairs_words(rows.dropna(subset='pairs'))}"


def colour(told: FigureSettings, *, legend: bool = True) -> alt.Color:
    """Give the colours of rules, the same in every figure of a study; others are grey."""
    rules, known = ordered(told), list(COLOURS[: len(told.lines)])
    scale = alt.Scale(domain=rules, range=known + [OTHERS] * (len(rules) - len(known)))
    return alt.Color("rule:N", scale=scale, legend=_legend(told) if legend else None)


def shape(told: FigureSettings, *, legend: bool = True) -> alt.Shape:
    """Give the shapes of rules, which tell them apart without colour; others are circles."""
    rules, known = ordered(told), list(SHAPES[: len(told.lines)])
    scale = alt.Scale(domain=rules, range=known + [SHAPES[0]] * (len(rules) - len(known)))
    return alt.Shape("rule:N", scale=scale, legend=_legend(told) if legend else None)


def look(field: str, names: Sequence[str]) -> tuple[alt.Color, alt.Shape]:
    """Give the colours and shapes that tell any number of names apart, with their legends.

    Args:
        field: the column of the names, with its type, such as `name:N`.
        names: in order; beyond eight, colours come again with other shapes.
    """
    places = range(len(names))
    colours = [COLOURS[at % len(COLOURS)] for at in places]
    shapes = [SHAPES[(at + at // len(COLOURS)) % len(SHAPES)] for at in places]
    legend = alt.Legend(orient="bottom", columns=2 if field == "name:N" else 3)
    return (
        alt.Color(field, scale=alt.Scale(domain=list(names), range=colours), legend=legend),
        alt.Shape(field, scale=alt.Scale(domain=list(names), range=shapes), legend=legend),
    )


def ordered(told: FigureSettings) -> list[str]:
    """List all rules, first those that are lines: their place gives them their look."""
    return [*told.lines, *(rule for rule in told.rules if rule not in told.lines)]


def _legend(told: FigureSettings) -> alt.Legend:
    return alt.Legend(orient="bottom", columns=4, values=told.lines)


def number(column: str) -> alt.Tooltip:
    """Write a number of a tooltip as tables do."""
    return alt.Tooltip(f"{column}:Q", format=f".{DIGITS}f")


def tooltips() -> list[alt.Tooltip]:
    """Say of a score what it is, its interval, and what it rests on."""
    names = (alt.Tooltip(f"{one}:N") for one in ("rule", "layer", "epoch"))
    counts = (alt.Tooltip(f"n_{one}:Q", title=one) for one in ("seeds", "subjects", "stimuli"))
    return [*names, *map(number, ("score", "low", "high")), *counts]


def ceiling(pair: Mapped, *, upright: bool = False) -> list[alt.Chart]:
    """Draw the noise ceiling behind scores, the null of its upper bound, its words, and 0.

    Args:
        pair: a network, its layer and an ROI.
        upright: whether scores run along the horizontal axis; the ceiling is always in it then.

    Returns:
        Layers of the data `ceilings`.
    """
    own = alt.Chart(alt.NamedData("ceilings")).transform_filter(of_pair(pair))
    near = own if upright else own.transform_filter("datum.near")
    axis = "x" if upright else "y"
    ends = {axis: "lower:Q", f"{axis}2": "upper:Q"}
    known = near.transform_filter("datum.informative").mark_rect(color=PALE, opacity=0.7)
    unknown = near.transform_filter("!datum.informative")
    dashed = unknown.mark_rect(filled=False, stroke=QUIET, strokeDash=[2, 3])
    null = near.mark_rule(color=QUIET, strokeDash=[1, 3])
    words = own.mark_text(color=QUIET, align="left", fontSize=10.5)
    told = "upright_words:N" if upright else "words:N"
    zero = alt.Chart(alt.InlineData([{"zero": 0}])).mark_rule(color=INK, strokeWidth=0.7)
    return [
        known.encode(**ends),
        dashed.encode(**ends),
        null.encode(**{axis: "null_upper_high:Q"}),
        words.encode(x=alt.value(0), y=alt.value(-8), text=told),
        zero.encode(**{axis: "zero:Q"}),
    ]


def epochs(measured: pd.Series) -> alt.X:
    """Give an axis of checkpoints: in order, evenly spaced.

    They crowd at the start of training, where most happens; an axis in proportion to the epochs
    would pile them up.

    Args:
        measured: every epoch that some rule was measured at.

    Returns:
        The channel of `x`, as `drawn.placed` gives it.
    """
    order = sorted({int(epoch) for epoch in measured})
    axis = alt.Axis(
        values=list(range(len(order))),
        labelExpr=f"{json.dumps(order)}[datum.value]",
        title="epoch (evenly spaced)",
    )
    return alt.X("x:Q", axis=axis, scale=alt.Scale(domain=[-0.5, len(order) - 0.5], nice=False))


def courses(
    told: FigureSettings, x: alt.X, rows: alt.Chart, y: alt.Y, tooltip: list[alt.Tooltip]
) -> list[alt.Chart]:
    """Draw the course of every rule that is a line, with its interval, and a band of the others.

    Args:
        told: rules, and which of them are lines.
        x: as `epochs` gives it.
        rows: as `drawn.placed` gives them, of one panel.
        y: the channel of `score`.
        tooltip: what hovering says of a point.

    Returns:
        Layers: the band from the lowest to the highest of the rules that are no lines; bars, lines
        and points of those that are; dashed, a rule that does not train. A pointer on the band is
        told the rule that is there.
    """
    others = rows.transform_filter("!datum.line").transform_aggregate(
        lowest="min(score)", highest="max(score)", groupby=["x"]
    )
    band = others.mark_area(color=OTHERS, opacity=0.35)
    # nothing is seen of these points, which name the rules of the band to a pointer
    named = rows.transform_filter(f"!datum.line && {POINTED_AT}")
    named = named.mark_point(filled=True, size=90, opacity=0).encode(x=x, y=y, tooltip=tooltip)
    own = rows.transform_filter("datum.line")
    measured = own.transform_filter("!datum.held")
    dashes = alt.Scale(domain=[False, True], range=[[1, 0], [4, 3]])
    dash = alt.StrokeDash("still:N", scale=dashes, legend=None)
    look = {"x": x, "y": y, "color": colour(told)}
    ends = [number("lowest"), number("highest")]
    points = measured.mark_point(filled=True, size=38, opacity=1)
    return [
        band.encode(x=x, y="lowest:Q", y2="highest:Q", tooltip=ends),
        named.add_params(alt.param(name=POINTED_AT, value=True)),
        measured.mark_rule(strokeWidth=1.2).encode(x=x, y="low:Q", y2="high:Q", color=colour(told)),
        own.mark_line(strokeWidth=1.6).encode(**look, strokeDash=dash),
        points.encode(**look, shape=shape(told), tooltip=tooltip),
    ]


def over_seeds() -> list[alt.Tooltip]:
    """Say of a mean over seeds what it is, the lowest and highest seed, and how many there are."""
    ends = [alt.Tooltip(f"{one}:Q", format=".3~g") for one in ("score", "low", "high")]
    names = [alt.Tooltip("rule:N"), alt.Tooltip("epoch:N")]
    return [*names, *ends, alt.Tooltip("n_seeds:Q", title="seeds")]


def dotted(value: float | None) -> list[alt.Chart]:
    """Draw a dotted line at a value; none for None."""
    if value is None:
        return []
    line = alt.Chart(alt.InlineData([{"at": value}])).mark_rule(color=QUIET, strokeDash=[1, 3])
    return [line.encode(y="at:Q")]


def controls(pair: Mapped) -> alt.Chart:
    """Take the controls of a panel."""
    of_roi = f"datum.roi === {json.dumps(pair.roi)} && {VIEW} && datum.measure === measure"
    return alt.Chart(alt.NamedData("controls")).transform_filter(of_roi)


def finished(chart: Any, view: View, **others: Any) -> dict[str, Any]:
    """Add the params of what is chosen, with the study's own view as their first values.

    Args:
        chart: of Altair.
        view: what is shown first.
        others: further params and their first values.

    Returns:
        The specification.
    """
    first = {**view.model_dump(), "measure": drawn.PER_SUBJECT, "layer": AS_NAMED, **others}
    params = (alt.param(name=name, value=value) for name, value in first.items())
    return chart.add_params(*params).to_dict()
