"""How figures look: one look per rule that survives colour blindness and black-and-white print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rulealign.atomic import whole

# Okabe & Ito's colours for colour-blind readers, without yellow, which fades on white paper
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h", "*")
# solid in the third place: untrained controls come first, and have dashes of their own
DASHES = ((7, 2, 1.5, 2), (7, 2, 1.5, 2, 1.5, 2), (), (7, 2.5))
FROZEN_DASHES = (2.5, 2.5)
"""The dashes of a rule that does not train, whatever its place."""

INK, QUIET, HATCH, PALE = "#222222", "#6B6B6B", "#BDBDBD", "#DEDEDE"
COLUMNS = 2
PANEL_IN = (2.6, 2.2)
"""Width and least height of a panel's axes, inches."""
LABEL_PT = 13
"""Height that one label needs beside a panel, points."""
MARGIN_IN = {"left": 0.9, "bottom": 0.56, "top": 0.64}

RC = {
    "svg.hashsalt": "rulealign",
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "lines.linewidth": 1.6,
    "lines.markersize": 5.0,
    "hatch.linewidth": 0.5,
}


@dataclass(frozen=True)
class RuleStyle:
    """The look of one rule, the same in every figure of a study.

    Attributes:
        colour: of lines and markers.
        marker: matplotlib's name of the marker.
        dashes: on and off lengths in line widths; empty for a solid line.
    """

    colour: str
    marker: str
    dashes: tuple[float, ...]


def rule_styles(rules: Sequence[str]) -> dict[str, RuleStyle]:
    """Give every rule its look, by its place in the study.

    Args:
        rules: labels in the study's order.

    Returns:
        label -> look; 84 of them differ, neighbours in colour, marker and dashes.
    """
    return {
        rule: RuleStyle(
            COLOURS[place % len(COLOURS)],
            MARKERS[place % len(MARKERS)],
            DASHES[place % len(DASHES)],
        )
        for place, rule in enumerate(rules)
    }


def grid(panels: int) -> tuple[int, int]:
    """Return the rows and columns that a number of panels is laid out in, row by row."""
    columns = min(COLUMNS, panels)
    return -(-panels // columns), columns


def panels(names: Sequence[str], rules: Sequence[str], **margins: float) -> tuple[Figure, list]:
    """Make a figure of equal panels, each complete in its own rectangle of the grid.

    The report page shows each rectangle by itself, beside or below the others as the screen
    allows; so no legend or label is shared.

    Args:
        names: one per panel, letters, digits, `-` and `_`; they become ids in the SVG.
        rules: labels that are written beside the panels; many of them, and one more for chance,
            make the panels higher.
        margins: inches, in place of those of `MARGIN_IN`; `right` is as wide as the labels.

    Returns:
        The figure and its axes.
    """
    margin = MARGIN_IN | {"right": max(1, 0.42 + 0.088 * max(map(len, rules)))} | margins
    rows, columns = grid(len(names))
    panel = (PANEL_IN[0], max(PANEL_IN[1], LABEL_PT / 72 * len(rules)))
    cell = (
        margin["left"] + panel[0] + margin["right"],
        margin["bottom"] + panel[1] + margin["top"],
    )
    width, height = cell[0] * columns, cell[1] * rows
    with matplotlib.rc_context(RC):
        figure = Figure(figsize=(width, height))
        axes = []
        for place, name in enumerate(names):
            left = (place % columns) * cell[0] + margin["left"]
            bottom = height - (place // columns + 1) * cell[1] + margin["bottom"]
            box = (left / width, bottom / height, panel[0] / width, panel[1] / height)
            axes.append(figure.add_axes(box, gid=f"panel--{name}"))
    return figure, axes


def frozen(axes: Axes, value: float, **look: Any) -> None:
    """Draw the horizontal line of a rule that does not train."""
    axes.axhline(value, dashes=FROZEN_DASHES, linewidth=1.2, zorder=2, **look)


def save(figure: Figure, output: Path, title: str) -> None:
    """Write a figure as SVG: the same bytes whenever it is drawn from the same numbers.

    Args:
        figure: the figure.
        output: the .svg file.
        title: what it shows, for those who cannot see it.

    Raises:
        StoreError: the disk is full.
    """
    metadata = {"Date": None, "Creator": None, "Title": title}
    with matplotlib.rc_context(RC), whole(Path(output)) as temporary:
        figure.savefig(temporary, format="svg", metadata=metadata, facecolor="white")
