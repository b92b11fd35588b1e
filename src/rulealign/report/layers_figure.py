"""Every layer with every ROI at the last checkpoint, as tiles: a panel per network and rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import altair as alt

from rulealign.report import drawn, marks
from rulealign.report.style import INK, SHADES
from rulealign.report.vega import Panel

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from rulealign.arm import Arm
    from rulealign.plan.settings.report import FigureSettings

TILE = 44, 24
"""Width and height of a tile, pixels."""


def panels(told: FigureSettings, data: Mapping[str, pd.DataFrame]) -> list[Panel]:
    """Specify tiles of every layer with every ROI: a panel per network and rule that is a line.

    The darker a tile, the higher its score, on one scale for all panels; framed are the pairs that
    were named in advance.

    Args:
        told: rules, pairs of layer and ROI, and views.
        data: as `drawn.of_alignment` gives it.

    Returns:
        The panels.
    """
    rows = data["scores"]
    own = rows[rows["line"] & rows["last"] & (rows["measure"] == drawn.PER_SUBJECT)]
    several, top = len(own["network"].unique()) > 1, float(own["score"].max())
    arms = own[["network", "rule"]].drop_duplicates()
    found = sorted(arms.itertuples(index=False), key=lambda arm: told.rules.index(arm.rule))
    return [
        Panel(
            f"{arm.network}-{arm.rule}" if several else arm.rule,
            _panel(told, arm, own[own["network"] == arm.network], top, several=several),
            {"network": arm.network, "rule": arm.rule},
        )
        for arm in found
    ]


def _panel(
    told: FigureSettings, arm: Arm, own: pd.DataFrame, top: float, *, several: bool
) -> dict[str, Any]:
    of = f"datum.rule === {json.dumps(arm.rule)} && datum.network === {json.dumps(arm.network)}"
    tiles = alt.Chart(alt.NamedData("scores")).transform_filter(
        f"datum.last && {of} && {marks.VIEW} && {marks.SPACE} && datum.measure === measure"
    )
    rois = list(dict.fromkeys(pair.roi for pair in told.layer_map))
    rois += sorted(set(own["roi"]) - set(rois))
    layers = sorted(own["layer"].unique())
    x = alt.X("roi:N", scale=alt.Scale(domain=rois), axis=_axis(labelAngle=0, orient="top"))
    y = alt.Y("layer:N", scale=alt.Scale(domain=layers), axis=_axis(minExtent=42))
    colour = alt.Color(
        "score:Q",
        scale=alt.Scale(domain=[0, top], clamp=True, range=list(SHADES), interpolate="rgb"),
        legend=None,
    )
    named = [f"{pair.layer} {pair.roi}" for pair in told.layer_map if pair.network == arm.network]
    fixed = tiles.transform_filter(
        f"indexof({json.dumps(named)}, datum.layer + ' ' + datum.roi) >= 0"
    )
    dark = f"datum.score > {0.55 * top:.6f}"
    ink = alt.condition(dark, alt.value("white"), alt.value(INK))
    shown = [
        tiles.mark_rect().encode(x=x, y=y, color=colour, tooltip=["roi:N", *marks.tooltips()]),
        fixed.mark_rect(filled=False, stroke=INK, strokeWidth=1.6).encode(x=x, y=y),
        tiles.mark_text(fontSize=10.5).encode(
            x=x, y=y, text=alt.Text("score:Q", format=".2f"), color=ink
        ),
    ]
    words = f"{arm.network} {arm.rule}" if several else arm.rule
    size = {"width": TILE[0] * len(rois), "height": TILE[1] * len(layers)}
    title = alt.TitleParams(text=words, offset=6)
    return marks.finished(alt.layer(*shown).properties(**size, title=title), told.views[0])


def _axis(**more: Any) -> alt.Axis:
    return alt.Axis(title=None, ticks=False, domain=False, **more)
