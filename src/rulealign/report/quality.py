"""The figure of brain data quality: neighbours in time, shifted labels, agreement, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rulealign.report import panels as parts
from rulealign.report.formatting import counted
from rulealign.report.style import INK, QUIET, RC, RuleStyle, panels, rule_styles, save
from rulealign.rsa.quality.rows import filled

_MANY = 6  # pairs of subjects that can be told apart in one panel
_ALL, _CROSS = ("all", -0.14), ("cross_run", 0.14)
_TESTSET, _SINGLE = ("median nc_testset", -0.14), ("median nc_singletrial", 0.14)


def rois_of(table: pd.DataFrame, check: str) -> list[str]:
    """List the ROIs that a check was made in, in the order of the table."""
    return [roi for roi in table.loc[table["check"] == check, "roi"].unique() if roi]


def draw_quality(table: pd.DataFrame, *, output: Path) -> Figure:
    """Draw the quality of the brain data: two panels per ROI, agreement, noise ceilings.

    Args:
        table: `statistics/quality.csv`, as read back.
        output: the .svg file.

    Returns:
        The figure that was written. Where RDMs were given there are no trials: only the agreement
        of subjects is drawn.
    """
    table = filled(table)
    subjects = sorted(set(table["subject"]) - {""})
    styles, rois = rule_styles(subjects), rois_of(table, "lag")
    names = [f"{what}-in-{roi}" for roi in rois for what in ("dissimilarity-by-lag", "shift-test")]
    reliable = rois_of(table, "noise_ceiling")
    names += ["agreement-between-subjects", *(["noise-ceilings-of-voxels"] if reliable else [])]
    pairs = _pairs(table)
    figure, axes = panels(names, [*subjects, *pairs] or [""])
    with matplotlib.rc_context(RC):
        for roi, lag, shift in zip(rois, axes[::2], axes[1::2], strict=False):
            _draw_lags(lag, table[table["roi"] == roi], styles)
            _draw_shifts(shift, table[table["roi"] == roi], styles)
            lag.set_title(f"{roi}: dissimilarity by lag")
            shift.set_title(f"{roi}: shift of labels")
        _draw_agreement(axes[2 * len(rois)], table[table["check"] == "agreement"], pairs)
        if reliable:
            _draw_ceilings(axes[-1], table[table["check"] == "noise_ceiling"], styles)
    save(figure, output, "Brain data quality: neighbours, shifted labels, agreement, reliability")
    return figure


def caption(table: pd.DataFrame) -> str:
    """Caption the figure.

    Args:
        table: as in `draw_quality`.

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
        f" mean over all pairs of the run; mean and standard error over {counts}. Flat is"
        " good. Shift of labels: mean correlation of the same image’s"
        " patterns in different runs, minus that of different images, when each label is given to a"
        " pattern so many trials later; mean and standard error over images (where no image was"
        " repeated: agreement with the other subjects). It must peak at 0."
        f" {agreement} Noise ceilings: median over voxels, of the averaged test images (filled) and"
        " of single trials (open)."
    )


def _draw_lags(ax: Axes, rows: pd.DataFrame, styles: Mapping[str, RuleStyle]) -> None:
    ends = {}
    for subject, look in styles.items():
        curve = _curve(rows[rows["subject"] == subject], "lag", parts.dodge(list(styles))[subject])
        if len(curve):
            _line(ax, curve, look, subject)
            ends[subject] = curve["mean"].iloc[-1]
    ax.set_xlabel("trials apart in a run")
    ax.set_ylabel("1 − r, minus mean of run")
    _finish(ax, ends, styles)


def _draw_shifts(ax: Axes, rows: pd.DataFrame, styles: Mapping[str, RuleStyle]) -> None:
    ends = {}
    for subject, look in styles.items():
        own = rows[rows["subject"] == subject]
        curve = _curve(own, "shift", parts.dodge(list(styles))[subject])
        if len(curve):
            _line(ax, curve, look, subject)
            ends[subject] = curve["mean"].iloc[-1]
    ax.axvline(0, color=QUIET, linestyle=":", linewidth=1.2, zorder=1)
    ax.set_xlabel("pattern later than its label, trials")
    ax.set_ylabel("r, same − different image")
    _finish(ax, ends, styles)


def _curve(rows: pd.DataFrame, check: str, aside: float) -> pd.DataFrame:
    # indexed by lag or shift, in order; over several other subjects, their mean
    rows = rows[rows["item"].str.fullmatch(r"-?\d+")]
    each = {
        name: rows[rows["check"] == kind].groupby("item")["value"].mean()
        for name, kind in (("mean", check), ("error", f"{check}_error"))
    }
    curve = pd.DataFrame(each)
    curve.index = curve.index.astype(int)
    curve = curve[curve["mean"].notna()].sort_index()
    return curve.assign(error=curve["error"].fillna(0), x=curve.index + 0.5 * aside)


def _line(ax: Axes, curve: pd.DataFrame, look: RuleStyle, name: str) -> None:
    low, high = curve["mean"] - curve["error"], curve["mean"] + curve["error"]
    ax.vlines(curve["x"], low, high, color=look.colour, linewidth=1, zorder=2.5)
    (line,) = ax.plot(
        curve["x"], curve["mean"], look.marker, color=look.colour, label=name, zorder=3
    )
    line.set_linestyle("-")
    if look.dashes:
        line.set_dashes(look.dashes)


def _finish(ax: Axes, ends: Mapping[str, float], styles: Mapping[str, RuleStyle]) -> None:
    ax.axhline(0, color=QUIET, linestyle=":", linewidth=1.2, zorder=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    parts.label_lines(ax, ends, styles)


def _pairs(table: pd.DataFrame) -> list[str]:
    rows = table[table["check"] == "agreement"]
    names = list((rows["subject"] + " and " + rows["other"].str.removeprefix("sub-")).unique())
    return names if len(names) <= _MANY else []


def _draw_agreement(ax: Axes, rows: pd.DataFrame, pairs: Sequence[str]) -> None:
    named = rows.assign(name=rows["subject"] + " and " + rows["other"].str.removeprefix("sub-"))
    rois = rois_of(rows, "agreement")
    if pairs:
        _draw_points(ax, named, rule_styles(pairs), rois, (_ALL, _CROSS))
    for place, roi in enumerate(rois if not pairs else ()):
        own = rows[rows["roi"] == roi]
        for (item, beside), face in ((_ALL, QUIET), (_CROSS, "none")):
            values = own.loc[own["item"] == item, "value"].to_numpy()
            if len(values):
                x = np.full(len(values), place + beside)
                ax.plot(x, values, "o", color=QUIET, markerfacecolor=face, markersize=3, alpha=0.5)
                ax.hlines(values.mean(), x[0] - 0.12, x[0] + 0.12, color=INK, linewidth=2, zorder=4)
    _rois(ax, rois)
    ax.axhline(0, color=QUIET, linestyle=":", linewidth=1.2, zorder=1)
    ax.set_ylabel("Spearman’s ρ of two subjects")
    ax.set_title("Agreement between subjects", pad=20)
    both = "filled: all pairs; open: different runs"
    _note(ax, both if (rows["item"] == "cross_run").any() else "all pairs of stimuli")


def _draw_ceilings(ax: Axes, rows: pd.DataFrame, styles: Mapping[str, RuleStyle]) -> None:
    rois = rois_of(rows, "noise_ceiling")
    _draw_points(ax, rows.assign(name=rows["subject"]), styles, rois, (_TESTSET, _SINGLE))
    _rois(ax, rois)
    ax.set_ylim(0, None)
    ax.set_ylabel("% of variance, median voxel")
    ax.set_title("Noise ceilings of voxels", pad=20)
    _note(ax, "filled: test images; open: single trials")


def _draw_points(
    ax: Axes,
    rows: pd.DataFrame,
    styles: Mapping[str, RuleStyle],
    rois: Sequence[str],
    items: Sequence[tuple[str, float]],
) -> None:
    ends, shifts = {}, parts.dodge(list(styles))
    for name, look in styles.items():
        own = rows[rows["name"] == name].set_index(["item", "roi"])["value"]
        places = np.arange(len(rois)) + 0.5 * shifts[name]
        found = [np.array([own.get((item, roi), np.nan) for roi in rois]) for item, _ in items]
        for values, (_, beside), face in zip(found, items, (look.colour, "white"), strict=True):
            line = {"linestyle": "none", "markerfacecolor": face, "zorder": 3}
            ax.plot(places + beside, values, look.marker, color=look.colour, label=name, **line)
        for place, values in zip(places, np.transpose(found), strict=True):
            ends_x = [place + beside for _, beside in items]
            ax.plot(ends_x, values, color=look.colour, linewidth=0.8, label="_", zorder=2)
        ends[name] = found[0][-1] if len(rois) else np.nan
    parts.label_lines(ax, {name: end for name, end in ends.items() if np.isfinite(end)}, styles)


def _rois(ax: Axes, rois: Sequence[str]) -> None:
    ax.set_xticks(range(len(rois)), rois)
    ax.set_xlim(-0.5, max(len(rois), 1) - 0.5)


def _note(ax: Axes, words: str) -> None:
    ax.text(0, 1.02, words, transform=ax.transAxes, color=QUIET, fontsize=9)
