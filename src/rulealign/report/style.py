"""How figures look: colours and shapes that survive colour blindness and black-and-white print."""

from __future__ import annotations

# Okabe & Ito's colours for colour-blind readers, without yellow, which fades on white paper
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#882255")
SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
SHAPES += ("triangle-right", "triangle-left")
"""The markers of the lines of a panel, by their names in Vega."""
INK, QUIET, PALE = "#222222", "#6B6B6B", "#DEDEDE"
SHADES = ("#F6F6F3", "#0B4F79")
"""Of no alignment and of the highest score, or of the most similar pair and the least."""
COLUMNS = 2


def grid(panels: int) -> tuple[int, int]:
    """Return the rows and columns that a number of panels is laid out in, row by row."""
    columns = max(1, min(COLUMNS, panels))
    return -(-panels // columns), columns
