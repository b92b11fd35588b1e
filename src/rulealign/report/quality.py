"""The figure of brain data quality: neighbours in time, shifted labels, agreement, reliability."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import altair as alt
import numpy as np
import pandas as pd

from rulealign.report import marks
from rulealign.report.drawn import dodge
from rulealign.report.formatting import counted
from rulealign.report.style import INK, QUIET
from rulealign.report.vega import Panel
from rulealign.rsa.quality.rows import filled

_MANY = 6  # pairs of subjects that can be told apart in one panel


class Curve(NamedTuple):
    """A check whose values run over lags or shifts, and how it is drawn.

    Attributes:
        check: as in the table of quality.
        panel: of the panel's name, before the ROI.
        title: of the panel, after the ROI.
        across: title of the horizontal axis.
        up: title of the vertical axis.
        zero: whether 0 is marked across, too.
        told: item of the test that tells in one number what the curve shows.
        words: what this number is.
        digits: it has so many after the point.
    """

    check: str
    panel: str
    title: str
    across: str
    up: str
    zero: bool
    told: str
    words: str
    digits: int


class Points(NamedTuple):
    """A check with two values of each subject or pair in every ROI, and how it is drawn.

    Attributes:
        check: as in the table of quality.
        panel: the panel's name.
        title: of the panel.
        up: title of the vertical axis.
        filled: which item is drawn filled.
        open: which item is drawn open.
        words: what is filled and what is open.
    """

    check: str
    panel: str
    title: str
    up: str
    filled: str
    open: str
    words: str


CURVES = (
    Curve(
        "lag",
        "dissimilarity-by-lag",
        "dissimilarity by lag",
        "trials apart in a run",
        "1 − r, minus mean of run",
        False,
        "difference",
        "neighbours less what longer lags foretell",
        3,
    ),
    Curve(
        "shift",
        "shift-test",
        "shift of labels",
        "pattern later than its label, trials",
        "r, same − different image",
        True,
        "peak",
        "peak at shift",
        0,
    ),
)
AGREEMENT = Points(
    "agreement",
    "agreement-between-subjects",
    "Agreement between subjects",
    "Spearman’s ρ of two subjects",
    "all",
    "cross_run",
    "filled: all pairs; open: different runs",
)
CEILINGS = Points(
    "noise_ceiling",
    "noise-ceilings-of-voxels",
    "Noise ceilings of voxels",
    "% of variance, median voxel",
    "median nc_testset",
    "median nc_singletrial",
    "filled: test images; open: single trials",
)


def rois_of(table: pd.DataFrame, check: str) -> list[str]:
    """List the ROIs that a check was made in, in the order of the table."""
    return [roi for roi in table.loc[table["check"] == check, "roi"].unique() if roi]


def data(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Give the data that the panels draw.

    Args:
        table: `statistics/quality.csv`, as read back.

    Returns:
        `quality_curves`, a row per ROI, check, subject and lag or shift: `at`, its `value` between
        `low` and `high`, one standard error away; over several other subjects, their mean.
        `quality_points`, a row per ROI, check, subject or pair of subjects, and item. Both have
        `x`, their place across.
    """
    table = filled(table)
    subjects = sorted(set(table["subject"]) - {""})
    return {
        "quality_curves": pd.concat([_curve_rows(table, one.check, subjects) for one in CURVES]),
        "quality_points": pd.concat([_point_rows(table, one) for one in (AGREEMENT, CEILINGS)]),
    }


def panels(table: pd.DataFrame) -> list[Panel]:
    """Specify the quality of the brain data: two panels per ROI, agreement, noise ceilings.

    Args:
        table: `statistics/quality.csv`, as read back.

    Returns:
        Panels of what `data` gives. Where RDMs were given there are no trials: only the agreement
        of subjects is drawn.
    """
    table = filled(table)
    subjects = sorted(set(table["subject"]) - {""})
    found = [
        Panel(f"{one.panel}-in-{roi}", _curve(one, roi, subjects), {"roi": roi, "check": one.check})
        for roi in rois_of(table, "lag")
        for one in CURVES
    ]
    for one in (AGREEMENT, CEILINGS):
        if rois_of(table, one.check) or one is AGREEMENT:
            found.append(Panel(one.panel, _points(one, table), {"check": one.check}))
    return found


def caption(table: pd.DataFrame) -> str:
    """Caption the figure.

    Args:
        table: as in `panels`.

    Returns:
        Plain text.
    """
    table = filled(table)
    agreement = (
        "Agreement: Spearman’s ρ between the RDMs of every two subjects, on all pairs of stimuli"
        " (filled) and, where stimuli were in one run each, on pairs that are in different runs for"
        " every subject (open)."
    )
    if not rois_of(table, "lag"):
        return f"{agreement} RDMs were given: there are no single trials to check."
    runs = table.loc[(table["check"] == "lag_test") & (table["item"] == "runs"), "value"]
    counts = counted(sorted({int(count) for count in runs}), "run", "runs")
    return (
        "Dissimilarity by lag: 1 − Pearson’s r between the patterns of trials of one run that are"
        " so many trials apart (different images; each voxel z-scored over all trials), minus the"
        f" mean over all pairs of the run; mean and standard error over {counts}. A slow rise is"
        " drift within runs; a fault is a first lag that leaves the line of the others. Shift of"
        " labels: mean correlation of the same image’s"
        " patterns in different runs, minus that of different images, when each label is given to a"
        " pattern so many trials later; mean and standard error over images (where no image was"
        " repeated: agreement with the other subjects). It must peak at 0."
        f" {agreement} Noise ceilings: median over voxels, of the averaged test images (filled) and"
        " of single trials (open)."
    )


def _curve_rows(table: pd.DataFrame, check: str, subjects: Sequence[str]) -> pd.DataFrame:
    rows = table[table["item"].str.fullmatch(r"-?\d+")]
    keys = ["roi", "subject", "item"]
    means, errors = (
        rows[rows["check"] == kind].groupby(keys, sort=False)["value"].mean()
        for kind in (check, f"{check}_error")
    )
    found = means.dropna().rename("value").reset_index()
    error = errors.reindex(pd.MultiIndex.from_frame(found[keys])).fillna(0).to_numpy()
    at = found["item"].astype(int)
    aside = found["subject"].map(dodge(subjects))
    ends = {"low": found["value"] - error, "high": found["value"] + error}
    found = found.assign(check=check, at=at, x=at + 0.5 * aside, **ends).drop(columns="item")
    return found.sort_values(["roi", "subject", "at"], kind="stable", ignore_index=True)


def _point_rows(table: pd.DataFrame, of: Points) -> pd.DataFrame:
    rows = table[(table["check"] == of.check) & table["item"].isin([of.filled, of.open])]
    rows = rows[["roi", "item", "value", "check"]].assign(name=_names(rows))
    places = {roi: at for at, roi in enumerate(rois_of(table, of.check))}
    aside = dodge(_told_apart(rows))
    beside = rows["item"].map({of.filled: -0.14, of.open: 0.14})
    x = rows["roi"].map(places) + beside + 0.5 * rows["name"].map(aside).fillna(0)
    return rows.assign(x=x).dropna(subset="value").reset_index(drop=True)


def _names(rows: pd.DataFrame) -> pd.Series:
    other = rows["other"].str.removeprefix("sub-")
    return rows["subject"] + np.where(other == "", "", " and " + other)


def _told_apart(rows: pd.DataFrame) -> list[str]:
    names = sorted(rows["name"].unique())
    return names if len(names) <= _MANY or not rows["check"].eq("agreement").all() else []


def _curve(of: Curve, roi: str, subjects: Sequence[str]) -> dict[str, Any]:
    here = f"datum.check === '{of.check}' && datum.roi === {json.dumps(roi)}"
    rows = alt.Chart(alt.NamedData("quality_curves")).transform_filter(here)
    across = alt.Scale(nice=False, zero=False, padding=8)
    x = alt.X("x:Q", title=of.across, axis=alt.Axis(tickMinStep=1, format="d"), scale=across)
    y = alt.Y("value:Q", title=of.up, axis=alt.Axis(tickCount=5))
    colour, shape = marks.look("subject:N", subjects)
    told = ["subject:N", alt.Tooltip("at:Q", title=of.across)]
    told += [marks.number(one) for one in ("value", "low", "high")]
    zero = alt.Chart(alt.InlineData([{"at": 0}])).mark_rule(color=QUIET, strokeDash=[1, 3])
    layers = [
        zero.encode(y="at:Q"),
        *([zero.encode(x="at:Q")] if of.zero else []),
        rows.mark_rule().encode(x=x, y="low:Q", y2="high:Q", color=colour),
        rows.mark_line(strokeWidth=1.6).encode(x=x, y=y, color=colour),
        rows.mark_point(filled=True, size=36, opacity=1).encode(
            x=x, y=y, color=colour, shape=shape, tooltip=told
        ),
    ]
    return _panel(layers, f"{roi}: {of.title}")


def _points(of: Points, table: pd.DataFrame) -> dict[str, Any]:
    rows = _point_rows(table, of)
    rois, names = rois_of(table, of.check), _told_apart(rows)
    chart = alt.Chart(alt.NamedData("quality_points"))
    chart = chart.transform_filter(f"datum.check === '{of.check}'")
    labels = alt.Axis(
        values=list(range(len(rois))), labelExpr=f"{json.dumps(rois)}[datum.value]", title=None
    )
    ends = [-0.5, max(len(rois), 1) - 0.5]
    x = alt.X("x:Q", axis=labels, scale=alt.Scale(domain=ends, nice=False))
    y = alt.Y("value:Q", title=of.up, axis=alt.Axis(tickCount=5))
    told = ["name:N", "roi:N", alt.Tooltip("item:N", title="of"), marks.number("value")]
    colour, shape = (
        marks.look("name:N", names) if names else (alt.value(QUIET), alt.value("circle"))
    )
    drawn = [
        chart.transform_filter(f"datum.item === '{item}'")
        .mark_point(filled=filled, size=36, opacity=1 if names else 0.6)
        .encode(x=x, y=y, color=colour, shape=shape, tooltip=told)
        for item, filled in ((of.filled, True), (of.open, False))
    ]
    beside = (
        chart.mark_line(strokeWidth=0.8).encode(x=x, y=y, color=colour, detail=["name:N", "roi:N"])
        if names
        else _means(chart, x)
    )
    zero = alt.Chart(alt.InlineData([{"at": 0}])).mark_rule(color=QUIET, strokeDash=[1, 3])
    both = of.words if rows["item"].eq(of.open).any() else "all pairs of stimuli"
    return _panel([zero.encode(y="at:Q"), beside, *drawn], of.title, subtitle=both)


def _means(chart: alt.Chart, x: alt.X) -> alt.Chart:
    means = chart.transform_aggregate(value="mean(value)", x="mean(x)", groupby=["roi", "item"])
    return means.mark_tick(color=INK, thickness=2, width=24, orient="horizontal").encode(
        x=x, y="value:Q"
    )


def _panel(layers: list[alt.Chart], words: str, subtitle: str = "") -> dict[str, Any]:
    title = alt.TitleParams(text=words, subtitle=subtitle) if subtitle else words
    return alt.layer(*layers).properties(width=marks.WIDTH, height=180, title=title).to_dict()
