"""Alignment over training: levels with their intervals, never growth alone."""

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
from rulealign.report.style import INK, RC, RuleStyle, frozen, panels, rule_styles, save

if TYPE_CHECKING:
    from rulealign.config.evaluation import LayerRoi, View


def draw_trajectories(
    alignment: pd.DataFrame,
    ceilings: pd.DataFrame,
    *,
    layer_map: Sequence[LayerRoi],
    view: View,
    rules: Sequence[str],
    output: Path,
    controls: pd.DataFrame | None = None,
) -> Figure:
    """Draw alignment over training: a panel per layer and ROI, a line per rule.

    Scores are of the convention `per_subject`. A rule that does not train is measured at epoch 0
    and drawn as a dashed horizontal line; controls are thin grey ones.

    Args:
        alignment: the table `statistics/alignment.csv`.
        ceilings: the table `statistics/ceilings.csv`.
        layer_map: pairs of a layer and an ROI, one panel each.
        view: what is shown; layers without spatial axes are shown under every descriptor.
        rules: labels, in the study's order.
        output: the .svg file.
        controls: the table `statistics/controls.csv`; None where the study has none.

    Returns:
        The figure that was written.

    Raises:
        DataError: the tables lack what is to be drawn.
        GuardError: the ceilings are not of the scores' convention (guard 9), or not over
            their pairs.
    """
    rows, styles = select.at_view(alignment, view), rule_styles(rules)
    held = select.bounds(ceilings, rows)
    places = parts.epoch_places(rows["epoch"])
    others = beside.at_view(controls, view, rows)
    labels = [*rules, *beside.names(others)]
    figure, axes = panels(parts.panel_names(layer_map), labels, left=1.06)
    with matplotlib.rc_context(RC):
        for ax, pair in zip(axes, layer_map, strict=True):
            courses = select.courses(rows, rules, pair)
            bound = select.ceiling(held, pair.roi)
            _draw_courses(ax, courses, places, styles)
            lines = beside.draw_lines(ax, beside.of_roi(others, pair.roi))
            _finish_trajectory(ax, courses, bound, pair, list(lines.values()))
            ax.set_ylabel(parts.score_label(rows))
            parts.epoch_axis(ax, places)
            ends = {rule: course["score"].dropna().iloc[-1] for rule, course in courses.items()}
            parts.label_lines(ax, ends | lines, styles)
    save(figure, output, f"Alignment over training: {select.words(view)}")
    return figure


def _draw_courses(
    ax: Axes,
    courses: Mapping[str, pd.DataFrame],
    places: Mapping[int, int],
    styles: Mapping[str, RuleStyle],
) -> None:
    shifts = parts.dodge(list(styles))
    for rule, course in courses.items():
        look = styles[rule]
        x = course["epoch"].map(places) + shifts[rule]
        if len(course) == 1 and len(places) > 1:
            frozen(ax, course["score"].iloc[0], color=look.colour, label=f"_frozen {rule}")
        _errorbar(ax, x, course, look, rule)


def _errorbar(ax: Axes, x: pd.Series, course: pd.DataFrame, look: RuleStyle, rule: str) -> None:
    # drawn as bars by themselves: an interval of percentiles need not contain the score
    ax.vlines(x, course["low"], course["high"], color=look.colour, linewidth=1, zorder=2.5)
    (line,) = ax.plot(x, course["score"], look.marker, color=look.colour, label=rule, zorder=3)
    line.set_linestyle("-")
    if look.dashes:
        line.set_dashes(look.dashes)


def _finish_trajectory(
    ax: Axes,
    courses: Mapping[str, pd.DataFrame],
    bound: pd.Series,
    pair: LayerRoi,
    lines: Sequence[float],
) -> None:
    drawn = [course[["low", "high"]] for course in courses.values()]
    drawn += [pd.DataFrame({"low": [line], "high": [line]}) for line in lines]
    low, high, shown = parts.limits(pd.concat(drawn), bound, always=False)
    ax.set_ylim(low, high)
    ax.axhline(0, color=INK, linewidth=0.7, zorder=1)
    parts.draw_ceiling(ax, bound, shown=shown)
    ax.set_title(f"{pair.layer} → {pair.roi}", pad=18)
    ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
