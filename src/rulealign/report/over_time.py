"""Alignment over time: the course of every layer, the times of the peaks, and their order."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd
from markupsafe import Markup

from rulealign.data.file_names import natural_order
from rulealign.report import marks, select
from rulealign.report.formatting import counted, missing, number, p_value, score
from rulealign.report.style import INK, QUIET
from rulealign.report.tabulate import Table
from rulealign.report.vega import Panel
from rulealign.rsa.over_time import ORDER, PEAK, SCORE

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study
    from rulealign.plan.settings.report import FigureSettings

_PANEL = ["roi", "network", "rule"]


def data(rows: pd.DataFrame, told: FigureSettings) -> dict[str, pd.DataFrame]:
    """Give the data that the panels draw.

    Args:
        rows: the table `statistics/over_time.csv`.
        told: rules, and which of them are lines.

    Returns:
        `over_time`: a row per rule that is a line, layer, ROI, setting and time.
    """
    own = rows[(rows["statistic"] == SCORE) & rows["rule"].isin(told.lines)]
    columns = [*_PANEL, "layer", "stimuli", "size", "descriptor", "centring", "time"]
    columns += ["value", "low", "high", "n_seeds", "n_subjects"]
    return {"over_time": own[columns].rename(columns={"value": "score"})}


def panels(told: FigureSettings, rows: pd.DataFrame) -> list[Panel]:
    """Specify scores over time: a panel per ROI, network and rule that is a line.

    A line is a layer, with the band of its interval; panels of an ROI have one scale.

    Args:
        told: rules, and which of them are lines.
        rows: as `data` gives them.

    Returns:
        The panels.
    """
    found = rows[_PANEL].drop_duplicates().to_dict("records")
    several = len(rows["network"].unique()) > 1
    order = {rule: place for place, rule in enumerate(told.lines)}
    return [
        Panel(
            "-".join([of["roi"], *([of["network"]] if several else []), of["rule"]]),
            _panel(told, of, rows[rows["roi"] == of["roi"]], several=several),
            of,
        )
        for of in sorted(found, key=lambda of: (of["roi"], of["network"], order[of["rule"]]))
    ]


def _panel(
    told: FigureSettings, of: Mapping[str, str], rows: pd.DataFrame, *, several: bool
) -> dict[str, Any]:
    here = " && ".join(f"datum.{key} === {json.dumps(value)}" for key, value in of.items())
    shown = f"{here} && {marks.VIEW} && {marks.SPACE}"
    own = alt.Chart(alt.NamedData("over_time")).transform_filter(shown)
    layers = rows.loc[rows["network"] == of["network"], "layer"].unique()
    ramp = alt.SchemeParams(name="viridis", extent=[0, 0.85])  # beyond, it fades on white
    scale = alt.Scale(domain=sorted(layers, key=natural_order), scheme=ramp)
    colour = alt.Color(
        "layer:N", scale=scale, legend=alt.Legend(orient="bottom", columns=4, symbolOpacity=1)
    )
    ends = alt.Scale(domain=[min(0, rows["low"].min()), rows["high"].max()])
    x = alt.X("time:Q", title="time, ms", scale=alt.Scale(nice=False))
    y = alt.Y("score:Q", title="Spearman's ρ", scale=ends, axis=alt.Axis(tickCount=6))
    names = [alt.Tooltip("layer:N"), alt.Tooltip("time:Q")]
    counts = [alt.Tooltip(f"n_{one}:Q", title=one) for one in ("seeds", "subjects")]
    told_of = [*names, *map(marks.number, ("score", "low", "high")), *counts]
    zero = alt.Chart(alt.InlineData([{"zero": 0}]))
    layered = alt.layer(
        zero.mark_rule(color=INK, strokeWidth=0.7).encode(y="zero:Q"),
        zero.mark_rule(color=QUIET, strokeDash=[1, 3]).encode(x="zero:Q"),
        own.mark_area(opacity=0.18).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        own.mark_line(strokeWidth=1.6).encode(x=x, y=y, color=colour),
        own.mark_point(filled=True, size=18, opacity=1).encode(
            x=x, y=y, color=colour, tooltip=told_of
        ),
    )
    words = " ".join([*([of["network"]] if several else []), of["rule"], "→", of["roi"]])
    return marks.finished(
        layered.properties(width=marks.WIDTH, height=210, title=words), told.views[0]
    )


def caption(study: Study, rows: pd.DataFrame) -> str:
    """Caption the figure.

    Args:
        study: the study.
        rows: the table `statistics/over_time.csv`.

    Returns:
        Plain text.
    """
    over = " and ".join(sorted(rows["generalises_to"].dropna().unique()))
    coverage = f"{100 * study.statistics.interval:g}%"
    subjects = counted(rows["n_subjects"].unique(), "subject", "subjects")
    return (
        f"Alignment at each time, at the last checkpoint: {select.words(study.report.view)}. Mean"
        " of Spearman's ρ over subjects and seeds of every layer; bands:"
        f" {coverage} interval over {over}. Dotted: onset of the stimulus. {subjects}."
    )


def tables(study: Study, found: Mapping[str, pd.DataFrame], view: View) -> list[Table]:
    """Tabulate the times of the peaks, and whether deeper layers peak later.

    Args:
        study: the study.
        found: the result tables; `over_time` may be missing.
        view: what is shown.

    Returns:
        Two tables, none of a study without time: a row per rule and layer, and one per rule; a
        column per ROI.
    """
    if "over_time" not in found:
        return []
    rows = found["over_time"]
    rows = rows[select.in_view(rows, view)]
    rois, shown = list(dict.fromkeys(rows["roi"])), select.words(view)
    of_layers, of_rules = [], []
    for arm in study.arms:
        name = str(arm) if len(study.networks) > 1 else arm.rule
        own = rows[(rows["network"] == arm.network) & (rows["rule"] == arm.rule)]
        for layer, peaks in own[own["statistic"] == PEAK].groupby("layer", sort=True):
            of_layers.append([name, layer, *_cells(peaks, rois, _time)])
        of_rules.append([name, *_cells(own[own["statistic"] == ORDER], rois, _order)])
    peak = f"Time of each layer's highest score, ms [interval]; {shown}."
    order = (
        "Do deeper layers peak later? Rank correlation of a layer's depth with the time of its peak"
        f" in each subject, mean over subjects [interval over subjects]; p of permuted layers;"
        f" {shown}."
    )
    return [
        Table(peak, ["rule", "layer", *rois], of_layers),
        Table(order, ["rule", *rois], of_rules),
    ]


def _cells(rows: pd.DataFrame, rois: list[str], write: Any) -> list[Markup]:
    by_roi = rows.set_index("roi")
    return [write(by_roi.loc[roi]) for roi in rois]


def _time(row: pd.Series) -> Markup:
    return Markup('{} <span class="interval">[{}, {}]</span>').format(
        *(number(row[name], 0) for name in ("value", "low", "high"))
    )


def _order(row: pd.Series) -> Markup:
    if pd.isna(row["value"]):
        return missing(row["reason"])
    found = number(row["value"]) if pd.isna(row["low"]) else score(row.rename({"value": "score"}))
    return found + Markup("; p {}").format(p_value(row["p"]))
