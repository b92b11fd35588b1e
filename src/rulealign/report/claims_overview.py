"""All claims at once, and the files of this figure and of specification curves."""

from __future__ import annotations

import json
from pathlib import Path

import altair as alt
import pandas as pd

from rulealign.report import marks
from rulealign.report.claims_figure import LABELS, ROW, data, looks, panels
from rulealign.report.formatting import with_ends
from rulealign.report.style import INK, QUIET
from rulealign.report.vega import Panel, save

FEW = 12
"""More claims than these stand closer together where all are drawn."""

LETTER, WIDER = 6, 6.5
"""Width of a letter of names, and of numbers and brackets, pixels, on average."""


def overview(summary: pd.DataFrame) -> Panel:
    """Specify all claims at once: the primary effect of each, over a mark for every universe.

    Args:
        summary: the table `statistics/claims_summary.csv`.

    Returns:
        A panel of what `data` gives, a row per claim, with its effect and interval as numbers.
    """
    universes = alt.Chart(alt.NamedData("universes"))
    primary = universes.transform_filter("datum.primary")
    scale = alt.Scale(domain=summary["claim"].tolist())
    y = alt.Y("claim:N", scale=scale, axis=_names(summary))
    x = alt.X(
        "effect:Q",
        title="effect",
        axis=alt.Axis(tickCount=5, orient="top", labelOverlap=True, labelSeparation=10),
    )
    told = [alt.Tooltip("verdict:N"), *map(marks.number, ("effect", "low", "high"))]
    zero = alt.Chart(alt.InlineData([{"zero": 0}])).mark_rule(color=QUIET, strokeWidth=0.8)
    point = primary.mark_point(filled=True, color=INK, size=40, opacity=1)
    behind = [
        zero.encode(x="zero:Q"),
        universes.mark_tick(thickness=1.5, size=11).encode(x=x, y=y, tooltip=told, **looks()),
        primary.mark_rule(color=INK, strokeWidth=1.3).encode(x="low:Q", x2="high:Q", y=y),
    ]
    numbered = alt.Y("claim:N", scale=scale, axis=_numbers(summary))
    front = point.encode(x=x, y=numbered, tooltip=told)
    chart = alt.layer(alt.layer(*behind), front).resolve_axis(y="independent")
    size = {
        "width": marks.WIDTH,
        "height": (ROW + (7 if len(summary) <= FEW else 3)) * len(summary),
    }
    return Panel("overview", chart.properties(**size).to_dict(), {})


def _names(summary: pd.DataFrame) -> alt.Axis:
    names = max(LABELS, LETTER * int(summary["claim"].str.len().max()))  # none may be cut
    return alt.Axis(title=None, ticks=False, domain=False, labelLimit=names)


def _numbers(summary: pd.DataFrame) -> alt.Axis:
    told = {row["claim"]: _numbered(row) for _, row in summary.iterrows()}
    return alt.Axis(
        orient="right",
        title=None,
        ticks=False,
        domain=False,
        labelExpr=f"({json.dumps(told, ensure_ascii=False)})[datum.label]",
        labelLimit=2 * LABELS,
        minExtent=WIDER * max(map(len, told.values())),
    )


def _numbered(claim: pd.Series) -> str:
    known = claim[["effect", "low", "high"]]
    return "" if known.isna().any() else with_ends(*known)


def draw_claims(rows: pd.DataFrame, summary: pd.DataFrame, *, each: Path, every: Path) -> None:
    """Draw the curve of every claim, and all claims at once.

    Args:
        rows: the table `statistics/claims.csv`.
        summary: the table `statistics/claims_summary.csv`.
        each: the .svg file with a panel per claim.
        every: the .svg file with a row per claim.
    """
    drawn = data(rows, summary)
    save(panels(rows, summary), drawn, each, "Every claim in every universe")
    save(
        [overview(summary)], drawn, every, "All claims: effects in the primary universe and others"
    )
