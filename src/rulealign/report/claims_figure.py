"""Specification curves: the effect of each claim in every universe, and what each of them is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import pandas as pd

from rulealign.claims.measure import NOT_APPLICABLE
from rulealign.claims.measures import MEASURES, measure_class
from rulealign.claims.verdicts import HOLDS, MISSING, REVERSED, UNINFORMATIVE, UNRESOLVED
from rulealign.config.universes import ESTIMANDS, listed_axes
from rulealign.report import marks
from rulealign.report.formatting import plain_p
from rulealign.report.style import INK, PALE, QUIET
from rulealign.report.vega import Panel

LOOKS = {
    HOLDS: ("#0072B2", "circle", True),
    REVERSED: ("#D55E00", "diamond", True),
    UNRESOLVED: (QUIET, "circle", False),
    UNINFORMATIVE: (QUIET, "cross", False),
}
"""Verdict -> colour, shape, and whether it is filled."""

BY_EFFECT = "effect"
"""The value of `order` that sorts universes by their effect alone."""

ANY = ""
"""The value of a filter that lets every universe pass."""

ROW, LABELS = 13, 124
"""Height of a row of the matrix, and width of its labels, pixels."""

_LABELS = {
    "size": "{} px",
    "pairs": "{} pairs",
    "control": "without {}",
    "baseline": "from {}",
    "initialisation": "init {}",
}


def value_label(axis: str, value: object) -> str:
    """Name a value of an axis beside its row, as short as it can be.

    Args:
        axis: one of `AXES`.
        value: one of its values.

    Returns:
        A few characters, such as "32 px".
    """
    if axis == "measure" and value in MEASURES:
        return measure_class(str(value)).label
    special = {("control", "none"): "no control", ("baseline", "own"): "from own epoch 0"}
    return special.get((axis, str(value)), _LABELS.get(axis, "{}").format(value))


def varied_values(rows: pd.DataFrame) -> list[tuple[str, object]]:
    """List axis and value of every axis that has several, over all claims.

    Args:
        rows: the table `statistics/claims.csv`.

    Returns:
        The values, in the order of the axes.
    """
    found = []
    for axis in listed_axes(rows):
        values = [value for value in dict.fromkeys(rows[axis]) if value != NOT_APPLICABLE]
        found += [(axis, value) for value in values if len(values) > 1]
    return found


def data(rows: pd.DataFrame, summary: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give the data that specification curves draw.

    Args:
        rows: the table `statistics/claims.csv`.
        summary: the table `statistics/claims_summary.csv`.

    Returns:
        `universes`: a row per claim and universe that could be computed, its values in words, and
        whether the claim's verdict rests on it; `claims`: what is said above each curve.
    """
    found = rows[rows["verdict"] != MISSING].copy()
    for axis in listed_axes(rows):
        found[axis] = [value_label(axis, value) for value in found[axis]]
    cells, questions = summary.set_index("claim"), listed_axes(rows, ESTIMANDS)
    cell = pd.DataFrame({one: found["claim"].map(cells[one]) for one in questions})
    own = rows.loc[found.index, questions]
    found["tested"] = (own == cell).all(axis=1)
    claimed = summary["direction"].map({"negative": "< 0", "positive": "> 0"})
    columns = ["claim", *listed_axes(rows), "primary", "tested"]
    columns += ["effect", "low", "high", "verdict", "n_seeds"]
    about = pd.DataFrame(
        {
            "claim": summary["claim"],
            "title": summary["claim"] + ": " + summary["cell_verdict"] + ", claimed " + claimed,
            "test": [_test(claim) for _, claim in summary.iterrows()],
            "primary": [_primary(claim) for _, claim in summary.iterrows()],
            "smallest": summary["smallest_effect"].astype(float),
            "none": ~summary["claim"].isin(found["claim"]),
        }
    )
    return {"universes": found[columns], "claims": about}


def _test(claim: pd.Series) -> str:
    if pd.isna(claim["cell_p_holm"]):
        return "no test over universes"
    p = plain_p(claim["cell_p_holm"])
    told = f"p {p if '<' in p else f'= {p}'}"
    return f"median of {claim['cell_universes']:.0f} universes: {told} (Holm)"


def _primary(claim: pd.Series) -> str:
    first = f"primary universe: {claim['verdict']}"
    if pd.isna(claim["cell_p_holm"]):
        return first
    return f"{claim['claimed_side']:.0%} on the claimed side; {first}"


def panels(rows: pd.DataFrame, summary: pd.DataFrame) -> list[Panel]:
    """Specify one panel per claim: its effects in order, and the universe of each below.

    Args:
        rows: the table `statistics/claims.csv`.
        summary: the table `statistics/claims_summary.csv`.

    Returns:
        The panels, which draw what `data` gives. Param `claim` chooses the claim, `order` an axis
        to sort by, and `only_<axis>` the universes of one value.
    """
    varied = varied_values(rows)
    return [Panel(claim, _panel(claim, varied), {}) for claim in summary["claim"]]


def _panel(claim: str, varied: Sequence[tuple[str, object]]) -> dict[str, Any]:
    axes = list(dict.fromkeys(axis for axis, _ in varied))
    kept = ["datum.claim === claim"]
    kept += [f"(!only_{axis} || datum.{axis} === only_{axis})" for axis in axes]
    known = (
        alt.Chart(alt.NamedData("universes"))
        .transform_filter(" && ".join(kept))
        .transform_calculate(key=f"order === '{BY_EFFECT}' ? '' : datum[order]")
        .transform_window(
            place="row_number()",
            sort=[alt.SortField("key"), alt.SortField("effect")],
        )
    )
    chart = alt.vconcat(_curve(known, axes), _matrix(known, varied), spacing=6)
    first = {"claim": claim, "order": BY_EFFECT, **{f"only_{axis}": ANY for axis in axes}}
    params = (alt.param(name=name, value=value) for name, value in first.items())
    return chart.add_params(*params).to_dict()


def _place() -> alt.X:
    return alt.X("place:Q", axis=None, scale=alt.Scale(zero=False, nice=False, padding=6))


def looks() -> dict[str, Any]:
    """Give marks of universes the colour of their verdict; those that ask other things are pale."""
    colours = alt.Scale(domain=list(LOOKS), range=[look[0] for look in LOOKS.values()])
    pale = alt.Scale(domain=[False, True], range=[0.3, 1])
    return {
        "color": alt.Color("verdict:N", scale=colours, legend=None),
        "opacity": alt.Opacity("tested:O", scale=pale, legend=None),
    }


def _curve(known: alt.Chart, axes: Sequence[str]) -> alt.LayerChart:
    marked = {"x": _place(), **looks()}
    primary = known.transform_filter("datum.primary").mark_rule(color=INK, strokeWidth=0.7)
    bars = known.mark_rule(strokeWidth=0.9).encode(y="low:Q", y2="high:Q", **marked)
    layers = [*_behind(), primary.encode(x=_place()), bars, _points(known, axes, marked)]
    title = alt.TitleParams(text=alt.expr(_title()), offset=4)
    return alt.layer(*layers, *_words()).properties(width=marks.WIDTH, height=140, title=title)


def _points(known: alt.Chart, axes: Sequence[str], marked: dict[str, Any]) -> alt.Chart:
    domain = list(LOOKS)
    shapes = alt.Scale(domain=domain, range=[look[1] for look in LOOKS.values()])
    fills = [look[0] if look[2] else "white" for look in LOOKS.values()]
    told = [alt.Tooltip("verdict:N"), *map(marks.number, ("effect", "low", "high"))]
    told += [alt.Tooltip("n_seeds:Q", title="seeds"), *(alt.Tooltip(f"{one}:N") for one in axes)]
    return known.mark_point(size=26, strokeWidth=1).encode(
        y=alt.Y("effect:Q", title=None, axis=alt.Axis(tickCount=5, minExtent=LABELS)),
        shape=alt.Shape("verdict:N", scale=shapes, legend=None),
        fill=alt.Fill("verdict:N", scale=alt.Scale(domain=domain, range=fills), legend=None),
        tooltip=told,
        **marked,
    )


def _about() -> alt.Chart:
    return alt.Chart(alt.NamedData("claims")).transform_filter("datum.claim === claim")


def _behind() -> list[alt.Chart]:
    zero = alt.Chart(alt.InlineData([{"zero": 0}])).mark_rule(color=QUIET, strokeWidth=0.8)
    ends = _about().transform_filter("datum.smallest !== null")
    ends = ends.transform_calculate(below="-datum.smallest")
    dotted = ends.mark_rule(color=QUIET, strokeDash=[1, 3])
    both = [dotted.encode(y=f"{end}:Q") for end in ("smallest", "below")]
    return [zero.encode(y="zero:Q"), *both]


def _words() -> list[alt.Chart]:
    words = _about().mark_text(align="left", color=INK, fontSize=11)
    lost = _about().transform_filter("datum.none").mark_text(color=QUIET)
    return [
        words.encode(x=alt.value(0), y=alt.value(-26), text="test:N"),
        words.encode(x=alt.value(0), y=alt.value(-11), text="primary:N"),
        lost.encode(x=alt.value(150), y=alt.value(70), text=alt.value("cannot be computed")),
    ]


def _title() -> str:
    claims = "pluck(data('claims'), '{}')"
    return f"{claims.format('title')}[indexof({claims.format('claim')}, claim)] || claim"


def _matrix(known: alt.Chart, varied: Sequence[tuple[str, object]]) -> alt.Chart:
    axes = list(dict.fromkeys(axis for axis, _ in varied)) or ["claim"]
    rows = [f"{axis}|{value_label(axis, value)}" for axis, value in varied]
    axis = alt.Axis(
        labelExpr="split(datum.label, '|')[1]",
        labelFontSize=10,
        labelLimit=LABELS - 4,
        minExtent=LABELS,
        domainColor=PALE,
        ticks=False,
        title=None,
    )
    y = alt.Y("row:N", scale=alt.Scale(domain=rows), axis=axis)
    folded = known.transform_fold(axes, as_=["axis", "value"])
    folded = folded.transform_calculate(row="datum.axis + '|' + datum.value")
    ticks = folded.mark_tick(thickness=2, bandSize=ROW * 0.75)
    size = {"width": marks.WIDTH, "height": max(1, ROW * len(rows))}
    return ticks.encode(x=_place(), y=y, **looks()).properties(**size)
