"""Alignment at the last checkpoint, by rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from rulealign.report import controls as beside
from rulealign.report import panels as parts
from rulealign.report import select
from rulealign.report.style import INK, QUIET, RC, RuleStyle, panels, rule_styles, save

if TYPE_CHECKING:
    from rulealign.config.evaluation import LayerRoi, View


def draw_final(
    alignment: pd.DataFrame,
    ceilings: pd.DataFrame,
    *,
    layer_map: Sequence[LayerRoi],
    view: View,
    rules: Sequence[str],
    output: Path,
    controls: pd.DataFrame | None = None,
    subjects: pd.DataFrame | None = None,
) -> Figure:
    """Draw each rule's last checkpoint: a panel per layer and ROI, a row per rule and control.

    The noise ceiling is always within the axis, so that levels are seen against it; small ticks
    are the lowest and the highest seed, and pale dots the subjects.

    Args:
        alignment: as in `draw_trajectories`, like all that follow.
        ceilings: see there.
        layer_map: see there.
        view: see there.
        rules: see there.
        output: the .svg file.
        controls: see there.
        subjects: the table `statistics/alignment_subjects.csv`; None to draw no subject.

    Returns:
        The figure that was written.

    Raises:
        DataError: the tables lack what is to be drawn.
        GuardError: the ceilings are not of the scores' convention (guard 9), or not over
            their pairs.
    """
    rows, styles = select.at_view(alignment, view), rule_styles(rules)
    held = select.bounds(ceilings, rows)
    others = beside.at_view(controls, view, rows)
    subjects = select.subject_means(subjects, view)
    labels = [*rules, *beside.names(others)]
    margins = {"left": 0.35 + 0.088 * max(map(len, labels)), "right": 0.45, "bottom": 0.74}
    figure, axes = panels(parts.panel_names(layer_map), labels, **margins)
    with matplotlib.rc_context(RC):
        for ax, pair in zip(axes, layer_map, strict=True):
            last = select.last(select.courses(rows, rules, pair))
            found = beside.of_roi(others, pair.roi)
            dots = _draw_subjects(ax, last, subjects, styles)
            _draw_last(ax, last, styles)
            beside.draw_rows(ax, found, len(rules))
            drawn = [*last.values(), *found.values(), *dots]
            _finish_last(ax, drawn, select.ceiling(held, pair.roi), pair, labels)
            ax.set_xlabel(parts.score_label(rows))
    save(figure, output, f"Alignment at the last checkpoint: {select.words(view)}")
    return figure


def _draw_subjects(
    ax: Axes,
    last: Mapping[str, pd.Series],
    subjects: pd.DataFrame,
    styles: Mapping[str, RuleStyle],
) -> list[pd.Series]:
    # a dot per subject; what limits must hold
    keys, reach = ["rule", "epoch", "layer", "roi"], []
    for rule, row in last.items():
        scores = subjects.loc[(subjects[keys] == row[keys]).all(axis=1), "score"]
        if len(scores):
            place, colour = list(styles).index(rule), styles[rule].colour
            look = {"markersize": 3, "alpha": 0.45, "markeredgewidth": 0, "zorder": 1.5}
            ax.plot(scores, [place] * len(scores), "o", color=colour, label="_subjects", **look)
            reach.append(pd.Series({"low": scores.min(), "high": scores.max()}))
    return reach


def _draw_last(ax: Axes, last: Mapping[str, pd.Series], styles: Mapping[str, RuleStyle]) -> None:
    for place, (rule, look) in enumerate(styles.items()):
        if rule not in last:
            ax.text(0, place, " not measured", va="center", color=QUIET, fontsize=8.5)
            continue
        row = last[rule]
        seeds = [row["seed_low"], row["seed_high"]]
        ax.hlines(place, row["low"], row["high"], color=look.colour, linewidth=1.4, zorder=2)
        ax.plot(seeds, [place, place], "|", color=INK, markersize=7, label="_seeds", zorder=2.5)
        ax.plot(row["score"], place, look.marker, color=look.colour, label=rule, zorder=3)


def _finish_last(
    ax: Axes,
    drawn: Sequence[pd.Series],
    bound: pd.Series,
    pair: LayerRoi,
    labels: Sequence[str],
) -> None:
    low, high, shown = parts.limits(
        pd.DataFrame(drawn, columns=["low", "high"]), bound, always=True
    )
    ax.set_xlim(low, high)
    ax.set_ylim(len(labels) - 0.5, -0.5)
    ax.set_yticks(range(len(labels)), labels)
    ax.axvline(0, color=INK, linewidth=0.7, zorder=1)
    parts.draw_ceiling(ax, bound, shown=shown, upright=True)
    ax.set_title(f"{pair.layer} → {pair.roi}", pad=18)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
