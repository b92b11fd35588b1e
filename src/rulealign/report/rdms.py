"""RDMs, and maps of the stimuli: a panel per network, layer and ROI that was named in advance."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd

from rulealign.report import select
from rulealign.report.formatting import counted
from rulealign.report.panels import panel_names, titles
from rulealign.report.shown import BRAIN, COLUMNS, ShownRdms, with_urls
from rulealign.report.style import INK
from rulealign.report.vega import Panel

if TYPE_CHECKING:
    from rulealign.arm import Mapped
    from rulealign.plan.settings.report import FigureSettings

SIDE, STEP = 104, 124
"""Of the picture of an RDM, and from one to that below it, pixels."""

MAP = 158
"""Side of a map, pixels."""


def data(shown: ShownRdms) -> dict[str, pd.DataFrame]:
    """Give the data that the panels draw; see `ShownRdms`."""
    return {
        "rdms": shown.rdms,
        "rdm_places": shown.places,
        "pictures": shown.pictures,
        "filters": shown.filters,
    }


def drawn_data(shown: ShownRdms) -> dict[str, pd.DataFrame]:
    """Give the data that a file draws, with the pictures of RDMs in place of their codes."""
    return data(shown) | {"rdms": with_urls(shown.rdms, len(shown.stimuli))}


def panels(told: FigureSettings, shown: ShownRdms) -> dict[str, list[Panel]]:
    """Specify RDMs, and maps: a panel of each per network, layer and ROI.

    Args:
        told: rules, and pairs of layer and ROI.
        shown: as `read_shown` gives it.

    Returns:
        Name of the figure -> panels of what `data` gives. Params: `checkpoint`, a place in
        `shown.epochs`, and `mapped_rule`.
    """
    titled = list(
        zip(panel_names(told.layer_map), titles(told.layer_map), told.layer_map, strict=True)
    )
    return {
        figure: [
            Panel(f"{figure}-{name}", draw(shown, pair, title), pair._asdict())
            for name, title, pair in titled
        ]
        for figure, draw in (("rdms", _rdms), ("maps", _maps))
    }


def _of(pair: Mapped) -> str:
    own = " && ".join(f"datum.{key} === {json.dumps(one)}" for key, one in pair._asdict().items())
    return f"{own} && (datum.still || datum.checkpoint === checkpoint)"


def _rdms(shown: ShownRdms, pair: Mapped, title: str) -> dict[str, Any]:
    own = shown.rdms[(shown.rdms[list(pair._fields)] == pd.Series(pair._asdict())).all(axis=1)]
    rows = alt.Chart(alt.NamedData("rdms")).transform_filter(_of(pair))
    told = [alt.Tooltip("shown:N", title="RDM of"), alt.Tooltip("count:Q", title="mean over")]
    return pictures(shown, rows, title, told, lines=int(own["row"].max()) + 1, height=SIDE)


def pictures(
    shown: ShownRdms,
    rows: alt.Chart,
    title: str,
    told: list[alt.Tooltip],
    *,
    lines: int,
    height: int,
) -> dict[str, Any]:
    """Specify pictures side by side, in lines, each below its name.

    Args:
        shown: as `read_shown` gives it.
        rows: data with `column`, `row`, `shown` and `url`.
        title: of the panel.
        told: what hovering says.
        lines: how many.
        height: of a picture, pixels; it is `SIDE` wide.

    Returns:
        The specification.
    """
    step = height + STEP - SIDE
    rows = rows.transform_calculate(below=f"datum.row + {1 - height / step:.4f}")
    x = alt.X("column:Q", axis=None, scale=alt.Scale(domain=[0, COLUMNS], nice=False))
    down = alt.Scale(domain=[0, lines], nice=False, reverse=True)
    y, below = (alt.Y(f"{one}:Q", axis=None, scale=down) for one in ("row", "below"))
    look = {"align": "left", "baseline": "top", "width": SIDE, "height": height}
    images = _spoken(rows, told).mark_image(smooth=False, **look)
    words = rows.mark_text(align="left", baseline="top", color=INK, dy=6, fontSize=10.5)
    layers = [
        images.encode(x=x, y=below, url="url:N", tooltip=told, description="spoken:N"),
        words.encode(x=x, y=y, text="shown:N"),
    ]
    return finished(shown, layers, title, COLUMNS * (SIDE + 8), lines * step)


def _spoken(rows: alt.Chart, told: list[alt.Tooltip]) -> alt.Chart:
    """Say to screen readers what hovering says; by default they would read the picture's bytes."""
    fields = [(one.to_dict()["field"], one.to_dict().get("title")) for one in told]
    said = [f"{json.dumps(f'{title or field}: ')} + datum.{field}" for field, title in fields]
    return rows.transform_calculate(spoken=" + '; ' + ".join(said))


def _maps(shown: ShownRdms, pair: Mapped, title: str) -> dict[str, Any]:
    reach = 1.1 * float(shown.places[["x", "y"]].abs().max().max())
    aside = f"datum.x + (datum.shown === '{BRAIN}' ? 0 : {2 * reach:.3f})"
    either = f"(datum.shown === '{BRAIN}' || datum.shown === mapped_rule)"
    rows = (
        alt.Chart(alt.NamedData("rdm_places"))
        .transform_filter(f"{_of(pair)} && {either} && isValid(datum.x)")
        .transform_calculate(across=aside)
    )
    x = alt.X("across:Q", axis=None, scale=_reaching(-reach, 3 * reach))
    y = alt.Y("y:Q", axis=None, scale=_reaching(-reach, reach))
    told = [alt.Tooltip("stimulus:N"), alt.Tooltip("shown:N", title="map of")]
    if shown.pictures.empty:
        marks = rows.mark_circle(size=30, color=INK, opacity=0.6).encode(x=x, y=y, tooltip=told)
    else:
        pictures = alt.LookupData(alt.NamedData("pictures"), key="stimulus", fields=["url"])
        rows = rows.transform_lookup(lookup="stimulus", from_=pictures)
        marks = _spoken(rows, told).mark_image(width=15, height=15)
        marks = marks.encode(x=x, y=y, url="url:N", tooltip=told, description="spoken:N")
    heads = rows.transform_aggregate(groupby=["shown"], count="count()")
    heads = heads.mark_text(align="left", baseline="bottom", color=INK, fontSize=10.5)
    at = alt.expr(f"datum.shown === '{BRAIN}' ? 0 : {MAP}")
    layers = [marks, heads.encode(x=alt.value(at), y=alt.value(0), text="shown:N")]
    return finished(shown, layers, title, 2 * MAP, MAP)


def _reaching(low: float, high: float) -> alt.Scale:
    return alt.Scale(domain=[round(low, 3), round(high, 3)], nice=False, zero=False)


def finished(
    shown: ShownRdms, layers: list[alt.Chart], title: str, width: int, height: int
) -> dict[str, Any]:
    """Give a panel its size, which the page keeps, and the params of what is chosen."""
    first = {"checkpoint": len(shown.epochs) - 1, "mapped_rule": shown.first_rule}
    params = [alt.param(name=name, value=value) for name, value in first.items()]
    chart = alt.layer(*layers).properties(width=width, height=height, title=title)
    # its pictures have a size of their own: the page does not widen it
    return chart.add_params(*params).properties(usermeta={"fixed": True}).to_dict()


def captions(shown: ShownRdms, told: FigureSettings) -> dict[str, str]:
    """Caption RDMs and maps.

    Args:
        shown: as `read_shown` gives it.
        told: views, the report's own first.

    Returns:
        Name of the figure -> plain text.
    """
    counts = ", ".join(
        counted(sorted(set(shown.rdms.loc[rows, "count"])), *names)
        for rows, names in (
            (shown.rdms["shown"] != BRAIN, ("seed", "seeds")),
            (shown.rdms["shown"] == BRAIN, ("subject", "subjects")),
        )
    )
    few = len(shown.stimuli)
    stimuli = counted([few], "stimulus", "stimuli")
    if few < shown.n_stimuli:
        stimuli = f"{few} of {shown.n_stimuli} stimuli, drawn by the study's seed"
    where = f"{select.words(told.views[0])}, epoch {shown.epochs[-1]} or a rule's only state"
    return {
        "rdms": f"RDMs of {where}. Means over seeds, or subjects, then ranked as Spearman's ρ"
        " compares them: the darker, the less alike two stimuli are; the diagonal is blank."
        f" {stimuli}, {counts}.",
        "maps": f"Maps of the stimuli: {where}. Distances are near the ranks of dissimilarities"
        " (classical scaling on two dimensions, turned towards the map of the brain). A map leaves"
        f" out most of an RDM, and no score rests on it. {stimuli}, {counts}.",
    }
