"""Tables in Markdown, for pages of docs/."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(heads: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Write a table.

    Args:
        heads: of the columns.
        body: rows of cells.

    Returns:
        Markdown, one line per row, without a line break at the end.
    """
    lines = [heads, ["---"] * len(heads), *body]
    cells = [[cell.replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)
