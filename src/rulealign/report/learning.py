"""Did each rule learn? Movement of the weights, direction of the updates, rank of the errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator, PercentFormatter

from rulealign.learning.verdict import STILL
from rulealign.report import panels as parts
from rulealign.report.style import QUIET, RC, RuleStyle, panels, rule_styles, save

_ROUND = [step * 10**power for power in range(5) for step in (1, 2, 5)]


class Measure(NamedTuple):
    """One quantity of the table of diagnostics, and how it is drawn.

    Attributes:
        column: of `statistics/diagnostics.csv`.
        panel: of a panel's id, without the layer.
        title: of a panel, after the layer.
        label: of the vertical axis.
        scale: sets the axis up for values of any size, given the largest.
    """

    column: str
    panel: str
    title: str
    label: str
    scale: Callable[[Axes, float], None]


def _scale_change(ax: Axes, largest: float) -> None:
    # linear up to what counts as movement, so that 0 has its place; logarithmic above
    ax.set_yscale("symlog", linthresh=STILL, linscale=0.5)
    ax.set_ylim(-0.15 * STILL, max(2 * largest, 0.2))
    ax.axhline(STILL, color=QUIET, linestyle=":", linewidth=1.2, zorder=1)
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))


def _scale_angle(ax: Axes, largest: float) -> None:
    ax.set_ylim(-4, max(100, 1.06 * largest))
    ax.set_yticks(range(0, 181 if largest > 120 else 91, 30))
    ax.axhline(90, color=QUIET, linestyle=":", linewidth=1.2, zorder=1)


def _scale_rank(ax: Axes, largest: float) -> None:
    ax.set_yscale("log")
    ax.set_ylim(0.9, max(12, 1.4 * largest))
    ax.set_yticks([tick for tick in _ROUND if tick <= ax.get_ylim()[1]])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


CHANGE = Measure(
    "weight_change", "change-of", "change of weights", "|W − W₀| / |W₀|", _scale_change
)
ANGLE = Measure("angle_to_bp", "angle-to-bp-of", "angle to bp", "degrees", _scale_angle)
RANK = Measure("effective_rank", "error-rank-of", "rank of errors", "effective rank", _scale_rank)


def draw_learning(diagnostics: pd.DataFrame, *, rules: Sequence[str], output: Path) -> Figure:
    """Draw the diagnostics of learning: a panel per measure and layer, a line per trained rule.

    Lines are means over seeds, bars reach from the lowest seed to the highest.

    Args:
        diagnostics: the table `statistics/diagnostics.csv`.
        rules: labels, in the study's order.
        output: the .svg file.

    Returns:
        The figure that was written: change and angle of each conv layer side by side, then the
        rank of the errors at each layer that can be read.
    """
    styles, places = rule_styles(rules), parts.epoch_places(diagnostics["epoch"])
    trained = diagnostics[diagnostics["trains"]]
    shown = _layout(diagnostics)
    figure, axes = panels([f"{measure.panel}-{layer}" for measure, layer in shown], rules)
    with matplotlib.rc_context(RC):
        for ax, (measure, layer) in zip(axes, shown, strict=True):
            rows = trained[trained["layer"] == layer].dropna(subset=measure.column)
            _draw_panel(ax, rows, measure, places, styles)
            ax.set_title(f"{layer}: {measure.title}")
    save(figure, output, "Did each rule learn? Movement, direction and rank of the errors")
    return figure


def _layout(diagnostics: pd.DataFrame) -> list[tuple[Measure, str]]:
    conv = diagnostics.loc[diagnostics["convolution"], "layer"].unique()
    readable = diagnostics.dropna(subset="dead_units")["layer"].unique()
    side_by_side = [(measure, layer) for layer in conv for measure in (CHANGE, ANGLE)]
    return side_by_side + [(RANK, layer) for layer in readable]


def _draw_panel(
    ax: Axes,
    rows: pd.DataFrame,
    measure: Measure,
    places: Mapping[int, int],
    styles: Mapping[str, RuleStyle],
) -> None:
    measure.scale(ax, rows[measure.column].max() if len(rows) else 0.0)
    shifts, ends = parts.dodge(list(styles)), {}
    for rule in [rule for rule in styles if rule in set(rows["rule"])]:
        # pivot, unlike pivot_table, refuses a seed that appears twice
        own = rows[rows["rule"] == rule]
        table = own.pivot(index="epoch", columns="seed", values=measure.column)
        x = table.index.map(places).to_numpy() + shifts[rule]
        ends[rule] = _draw_rule(ax, x, table, styles[rule], rule)
    if not ends:
        ax.text(0.5, 0.5, "no rule has any", transform=ax.transAxes, ha="center", color=QUIET)
    ax.set_ylabel(measure.label)
    ax.yaxis.set_minor_locator(NullLocator())
    parts.epoch_axis(ax, places)
    parts.label_lines(ax, ends, styles)


def _draw_rule(ax: Axes, x: np.ndarray, table: pd.DataFrame, look: RuleStyle, rule: str) -> float:
    low, mean, high = (getattr(table, name)(axis="columns") for name in ("min", "mean", "max"))
    ax.vlines(x, low, high, color=look.colour, linewidth=1, zorder=2.5)
    (line,) = ax.plot(x, mean, look.marker, color=look.colour, label=rule, zorder=3)
    line.set_linestyle("-")
    if look.dashes:
        line.set_dashes(look.dashes)
    return float(mean.iloc[-1])
