"""What panels have in common: noise ceilings, labels beside lines, axes of epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from scipy.optimize import isotonic_regression

from rulealign.report import select
from rulealign.report.formatting import plain
from rulealign.report.style import HATCH, INK, LABEL_PT, PALE, QUIET, RuleStyle

if TYPE_CHECKING:
    from rulealign.config.evaluation import LayerRoi

_FAR = 2.5
"""A ceiling further up than this many times the scores' range would flatten their course."""


def panel_names(layer_map: Sequence[LayerRoi]) -> list[str]:
    """Name one panel per pair of layer and ROI."""
    return [f"{pair.layer}--{pair.roi}" for pair in layer_map]


def score_label(rows: pd.DataFrame) -> str:
    """Label an axis of scores of the convention `per_subject`, with the pairs they are over.

    Args:
        rows: the alignments that are drawn.

    Returns:
        Two lines.
    """
    return f"Spearman's ρ, {select.pairs_words(rows)},\nmean of subjects"


def epoch_places(epochs: Sequence[int]) -> dict[int, int]:
    """Return the place of each checkpoint on the axis: in order, evenly spaced.

    Checkpoints crowd at the start of training, where most happens; an axis in proportion to the
    epochs would pile them up.
    """
    return {epoch: place for place, epoch in enumerate(sorted(set(epochs)))}


def epoch_axis(axes: Axes, places: Mapping[int, int]) -> None:
    """Label an axis of checkpoints."""
    axes.set_xticks(list(places.values()), [str(epoch) for epoch in places])
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.set_xlabel("epoch (evenly spaced)")


def dodge(rules: Sequence[str]) -> dict[str, float]:
    """Return a small shift per rule, so that intervals at one epoch stand side by side."""
    step = min(0.12, 0.6 / len(rules))
    middle = (len(rules) - 1) / 2
    return {rule: (place - middle) * step for place, rule in enumerate(rules)}


def limits(rows: pd.DataFrame, ceiling: pd.Series, *, always: bool) -> tuple[float, float, bool]:
    """Choose the limits of an axis of scores.

    Args:
        rows: with low and high, whatever is drawn.
        ceiling: a row of the ceiling table.
        always: include the ceiling however far it is.

    Returns:
        Low, high, and whether the ceiling is within.
    """
    low, high = np.nanmin([0, rows["low"].min()]), np.nanmax([0, rows["high"].max()])
    there = np.isfinite(ceiling["upper"])  # one subject has no noise ceiling
    shown = bool(there and (always or ceiling["upper"] <= low + _FAR * (high - low)))
    if shown:
        low = min(low, ceiling["lower"])
        high = np.nanmax([high, ceiling["upper"], ceiling["null_upper_high"]])
    pad = 0.06 * (high - low)
    return low - pad, high + pad, shown


def draw_ceiling(axes: Axes, ceiling: pd.Series, *, shown: bool, upright: bool = False) -> None:
    """Draw a noise ceiling as a grey band, the null of its upper bound, and say what they are.

    Args:
        axes: a panel.
        ceiling: a row of the ceiling table.
        shown: whether the band is within the axis; if not, only the words are written.
        upright: whether scores run along the horizontal axis.
    """
    informative = bool(ceiling["informative"])
    if shown:
        look = {"facecolor": PALE} if informative else {"facecolor": "none", "hatch": "////"}
        span = axes.axvspan if upright else axes.axhspan
        line = axes.axvline if upright else axes.axhline
        span(ceiling["lower"], ceiling["upper"], edgecolor=HATCH, linewidth=0, zorder=0, **look)
        if np.isfinite(ceiling["null_upper_high"]):
            line(ceiling["null_upper_high"], color=QUIET, linestyle=":", linewidth=1, zorder=1)
    bounds = f"{plain(ceiling['lower'])} to {plain(ceiling['upper'])}"
    known = "not informative" if np.isfinite(ceiling["null_upper_high"]) else "without a null"
    words = f"noise ceiling {bounds}" + ("" if informative else f", {known}")
    words = words if shown else f"↑ {words}"
    if not np.isfinite(ceiling["upper"]):
        words = "1 subject: no noise ceiling"
    axes.text(0, 1.02, words, transform=axes.transAxes, color=QUIET, fontsize=9)


def label_lines(axes: Axes, ends: Mapping[str, float], styles: Mapping[str, RuleStyle]) -> None:
    """Write each line's label beside its end, with its marker, apart from each other.

    Args:
        axes: a panel with its final vertical limits.
        ends: label -> the last value of its line.
        styles: label -> look; a line without one gets no marker.
    """
    names = sorted(ends, key=ends.__getitem__)
    if not names:
        return
    # as shares of the panel's height, so that any scale will do; closer where they are many
    heights = axes.transScale.transform([(1, ends[name]) for name in names])[:, 1]
    low, high = axes.transScale.transform([(1, limit) for limit in axes.get_ylim()])[:, 1]
    heights = (heights - low) / (high - low)
    points = 72 * axes.get_position().height * axes.figure.get_figheight()
    gap = min(LABEL_PT / points, 1 / max(1, len(names) - 1))
    beside = axes.transAxes
    for name, height, place in zip(names, heights, spread(heights, gap, 0, 1), strict=True):
        leader = {"transform": beside, "clip_on": False}
        axes.plot((1.005, 1.045), (height, place), color=QUIET, lw=0.5, label="_leader", **leader)
        if name in styles:
            look = styles[name]
            axes.plot(1.07, place, look.marker, color=look.colour, label="_key", **leader)
        axes.text(1.1, place, name, transform=beside, va="center", color=INK, fontsize=9.5)


def spread(values: Sequence[float], gap: float, low: float, high: float) -> np.ndarray:
    """Move values apart by as little as possible (least squares).

    Args:
        values: increasing.
        gap: smallest distance between neighbours.
        low: where the lowest may be.
        high: where the highest may be.

    Returns:
        float64, shape (len(values),); increasing by at least `gap`. Where they do not all fit
        between the limits, they go on beyond `high`.
    """
    steps = gap * np.arange(len(values))
    apart = isotonic_regression(np.asarray(values) - steps).x + steps
    apart = np.minimum(apart, high - steps[::-1])
    return np.maximum(apart, low + steps)
