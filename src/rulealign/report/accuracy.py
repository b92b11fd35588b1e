"""Held-out accuracy over training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from rulealign.report import panels as parts
from rulealign.report.style import (
    MARGIN_IN,
    QUIET,
    RC,
    RuleStyle,
    frozen,
    panels,
    rule_styles,
    save,
)


def draw_accuracy(
    training: pd.DataFrame, *, rules: Sequence[str], classes: int, output: Path
) -> Figure:
    """Draw held-out accuracy over training: thin lines are seeds, thick ones their means.

    Args:
        training: the table `statistics/training.csv`.
        rules: labels, in the study's order.
        classes: number of classes of the training set; chance is one in so many.
        output: the .svg file.

    Returns:
        The figure that was written.
    """
    styles, places = rule_styles(rules), parts.epoch_places(training["epoch"])
    measured = training.dropna(subset="held_out_accuracy")
    figure, (ax,) = panels(["accuracy"], rules, top=MARGIN_IN["top"] - 0.2)
    ends = {}
    with matplotlib.rc_context(RC):
        for rule, rows in measured.groupby("rule"):
            ends[rule] = _draw_learning(ax, rows, places, styles[rule], rule)
        ax.axhline(1 / classes, color=QUIET, linestyle=":", linewidth=1.2, zorder=1)
        ends["chance"] = 1 / classes
        ax.set_ylim(0, max(1.08 * measured["held_out_accuracy"].max(), 2 / classes))
        ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        ax.set_title("held-out accuracy")
        ax.set_ylabel("images classified correctly")
        parts.epoch_axis(ax, places)
        parts.label_lines(ax, ends, styles)
    save(figure, output, "Held-out accuracy over training")
    return figure


def _draw_learning(
    ax: Axes, rows: pd.DataFrame, places: Mapping[int, int], look: RuleStyle, rule: str
) -> float:
    # pivot, unlike pivot_table, refuses a seed that appears twice
    table = rows.pivot(index="epoch", columns="seed", values="held_out_accuracy")
    x = table.index.map(places)
    mean = table.mean(axis="columns")
    if len(table) == 1 and len(places) > 1:
        frozen(ax, mean.iloc[0], color=look.colour, label=f"_frozen {rule}")
    for seed in table:
        ax.plot(x, table[seed], color=look.colour, linewidth=0.5, alpha=0.7, label="_seed")
    (line,) = ax.plot(x, mean, look.marker, color=look.colour, label=rule, zorder=3)
    line.set_linestyle("-")
    if look.dashes:
        line.set_dashes(look.dashes)
    return float(mean.iloc[-1])
