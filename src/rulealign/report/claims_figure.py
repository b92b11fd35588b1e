"""Specification curves: the effect of each claim in every universe, and what each of them is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rulealign.claims.verdicts import HOLDS, MISSING, REVERSED, UNINFORMATIVE, UNRESOLVED
from rulealign.config.claims import AXES, ESTIMANDS
from rulealign.report.formatting import plain_p
from rulealign.report.style import HATCH, INK, PALE, QUIET, RC, grid, save

LOOKS = {
    HOLDS: ("#0072B2", "o", "#0072B2"),
    REVERSED: ("#D55E00", "D", "#D55E00"),
    UNRESOLVED: (QUIET, "o", "white"),
    UNINFORMATIVE: (QUIET, "x", QUIET),
}
"""Verdict -> colour, marker, and what fills it."""

_BARS = {HOLDS: (0, 0.76), REVERSED: (0.19, 0.38), UNRESOLVED: (0, 0.2)}
_BARS[UNINFORMATIVE] = (0, 0.08)
"""Verdict -> middle and height of its bars, in rows: print without colour tells them apart, too."""

WIDTH_IN, CURVE_IN, ROW_IN = 3.5, 1.55, 0.135
LEFT_IN, RIGHT_IN, TOP_IN, GAP_IN, BOTTOM_IN = 1.62, 0.12, 0.78, 0.1, 0.3
_LABELS = {
    "size": "{} px",
    "pairs": "{} pairs",
    "control": "without {}",
    "baseline": "from {}",
    "initialisation": "init {}",
}


def value_label(axis: str, value: object) -> str:
    """Name a value of an axis beside its row, as short as it can be.

    Args:
        axis: one of `AXES`.
        value: one of its values.

    Returns:
        A few characters, such as "32 px".
    """
    special = {("control", "none"): "no control", ("baseline", "own"): "from own epoch 0"}
    return special.get((axis, str(value)), _LABELS.get(axis, "{}").format(value))


def draw_claims(rows: pd.DataFrame, summary: pd.DataFrame, *, output: Path) -> Figure:
    """Draw one panel per claim: its effects in order, and the universe of each below.

    Args:
        rows: the table `statistics/claims.csv`.
        summary: the table `statistics/claims_summary.csv`.
        output: the .svg file.

    Returns:
        The figure that was written.
    """
    varied = _varied(rows)
    matrix = max(ROW_IN * len(varied), 0.01)
    cell = (
        LEFT_IN + WIDTH_IN + RIGHT_IN,
        TOP_IN + CURVE_IN + GAP_IN + matrix + BOTTOM_IN,
    )
    lines, columns = grid(len(summary))
    size = (cell[0] * columns, cell[1] * lines)
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=size)
        for place, (_, claim) in enumerate(summary.iterrows()):
            corner = (place % columns * cell[0] + LEFT_IN, size[1] - place // columns * cell[1])
            top = _axes(figure, size, corner, TOP_IN + CURVE_IN, CURVE_IN)
            top.set_gid(f"panel--{claim['claim']}")
            below = _axes(figure, size, corner, TOP_IN + CURVE_IN + GAP_IN + matrix, matrix)
            _draw(top, below, rows[rows["claim"] == claim["claim"]], claim, varied)
    save(figure, output, "Every claim in every universe")
    return figure


def _axes(
    figure: Figure, size: tuple[float, float], corner: tuple[float, float], down: float, high: float
) -> Axes:
    box = (corner[0], corner[1] - down, WIDTH_IN, high)
    return figure.add_axes([one / size[place % 2] for place, one in enumerate(box)])


def _varied(rows: pd.DataFrame) -> list[tuple[str, object]]:
    # the rows below every curve: values of axes that have several, over all claims
    values = {axis: list(dict.fromkeys(rows[axis])) for axis in AXES}
    return [(axis, value) for axis in AXES for value in values[axis] if len(values[axis]) > 1]


def _draw(
    top: Axes, below: Axes, rows: pd.DataFrame, claim: pd.Series, varied: list[tuple[str, object]]
) -> None:
    known = rows[rows["verdict"] != MISSING].sort_values("effect", kind="stable")
    known = known.reset_index(drop=True)
    _draw_curve(top, known, claim)
    _draw_matrix(below, known, varied)
    for ax in (top, below):
        ax.set_xlim(-1, max(len(known), 1))
        ax.set_xticks([])
        for _, row in known[known["primary"].astype(bool)].iterrows():
            ax.axvline(row.name, color=INK, linewidth=0.7, zorder=0.5)
    left = len(rows) - len(known)
    computed = f"{len(known)} universes" + (f", {left} more missing" if left else "")
    below.set_xlabel(computed, fontsize=8.5, labelpad=3)


def _draw_curve(ax: Axes, known: pd.DataFrame, claim: pd.Series) -> None:
    wide = 72 * WIDTH_IN / max(len(known), 12)  # points that a universe has
    ax.axhline(0, color=QUIET, linewidth=0.8, zorder=1)
    for side in () if pd.isna(claim["smallest_effect"]) else (-1, 1):
        ax.axhline(side * claim["smallest_effect"], color=QUIET, linestyle=":", linewidth=1)
    # the verdict is over the universes of one cell; those that estimate something else are pale
    tested = (known[list(ESTIMANDS)] == claim[list(ESTIMANDS)]).all(axis=1)
    for verdict, (colour, marker, fill) in LOOKS.items():
        for within, strength in ((False, 0.25), (True, 1)):
            own = known[(known["verdict"] == verdict) & (tested == within)]
            line = {"color": colour, "linewidth": min(wide / 2, 1), "alpha": 0.45 * strength}
            _uprights(ax, own.index, own["low"], own["high"], **line)
            look = {"color": colour, "markerfacecolor": fill, "alpha": strength}
            look |= {"markersize": np.clip(wide, 2.2, 4.5), "markeredgewidth": 0.7}
            ax.plot(own.index, own["effect"], marker, linestyle="", **look)
    ax.set_title(f"{claim['claim']}: {claim['cell_verdict']}", fontsize=10, pad=30)
    corner = {"xy": (0, 1), "xycoords": "axes fraction", "textcoords": "offset points"}
    ax.annotate(_about(claim), xytext=(0, 5), fontsize=8, linespacing=1.3, **corner)
    sign = "<" if claim["direction"] == "negative" else ">"
    ax.set_ylabel(f"effect (claimed: {sign} 0)", fontsize=8.5)
    ax.tick_params(axis="y", labelsize=8)
    ax.spines["bottom"].set_visible(False)
    if known.empty:
        ax.text(0.5, 0.5, "cannot be computed", transform=ax.transAxes, ha="center", color=QUIET)


def _about(claim: pd.Series) -> str:
    # how the verdict was reached, and what describes the universes that it is over
    first = f"primary universe: {claim['verdict']}"
    if pd.isna(claim["cell_p_holm"]):
        return f"no test over universes\n{first}"
    p = plain_p(claim["cell_p_holm"])
    tested = f"median of {claim['cell_universes']:.0f} universes: p {p if '<' in p else f'= {p}'}"
    return f"{tested} (Holm)\n{claim['claimed_side']:.0%} on the claimed side; {first}"


def _uprights(ax: Axes, at: pd.Index, low: np.ndarray, high: np.ndarray, **look: Any) -> None:
    # one path for all: a line each would make the file ten times as large
    gap = np.full(len(at), np.nan)
    ax.plot(np.repeat(at, 3), np.column_stack([low, high, gap]).ravel(), **look)


def _runs(ax: Axes, has: np.ndarray, height: float, **look: Any) -> None:
    # a bar for every run of neighbours, all of them in one path
    edges = np.flatnonzero(np.diff(np.concatenate([[0], has, [0]]))).reshape(-1, 2)
    ends = np.column_stack([edges[:, 0] - 0.4, edges[:, 1] - 0.6, np.full(len(edges), np.nan)])
    ax.plot(ends.ravel(), np.full(ends.size, height), solid_capstyle="butt", **look)


def _draw_matrix(ax: Axes, known: pd.DataFrame, varied: list[tuple[str, object]]) -> None:
    for place, (axis, value) in enumerate(varied):
        for verdict, (middle, high) in _BARS.items():
            has = (known[axis] == value) & (known["verdict"] == verdict)
            look = {"color": LOOKS[verdict][0], "linewidth": 72 * ROW_IN * high}
            _runs(ax, has.to_numpy(), place + middle, **look)
        if place and varied[place - 1][0] != axis:
            ax.axhline(place - 0.5, color=PALE, linewidth=0.7, zorder=0)
    ax.set_ylim(len(varied) - 0.4, -0.6)
    ax.set_yticks(range(len(varied)), [value_label(*one) for one in varied], fontsize=7.5)
    ax.tick_params(axis="y", length=0)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(HATCH)
