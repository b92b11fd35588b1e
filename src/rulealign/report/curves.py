"""Specification curves on the page: the verdict of every claim over each cell of the grid."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from rulealign.claims.cells import NO_ALIGNMENT
from rulealign.claims.verdicts import HOLDS, REVERSED, UNRESOLVED
from rulealign.claims.words import value_words
from rulealign.config.universes import ESTIMANDS, listed_axes
from rulealign.report.formatting import missing, number, p_value, percent, plain
from rulealign.report.tabulate import Table

HEAD = [
    "claim",
    "where",
    "verdict",
    "median",
    "p",
    "adjusted",
    "universes",
    "claimed side",
    "one by one",
]


def tabulate(rows: pd.DataFrame, interval: float) -> Table:
    """Tabulate every claim over every cell.

    Args:
        rows: the table `statistics/specification_curves.csv`.
        interval: coverage of intervals; p is held against 1 less it.

    Returns:
        A row per claim and cell, in the order of the table; that of the primary universe is strong.
    """
    sizes = rows[rows["primary"].astype(bool)].groupby("family", sort=False)["family_size"].first()
    families = ", ".join(f"{family}: {size}" for family, size in sizes.items())
    level = " A level is held against no alignment, and a contrast against no difference."
    caption = (
        "The verdict of each claim over each cell (strong: that of the primary universe). Median:"
        " of the effects of a cell’s universes, each in units of its standard error. p: two-sided,"
        " of a median as far from 0 where nothing is there. Adjusted: that of primary universes’"
        f" cells by Holm over the claims of a family ({families}); that of a claim’s other cells by"
        " the largest of their medians in the same draws. It is held against"
        f" {plain(1 - interval, 2)}. The share of universes on the"
        f" claimed side and, one by one, how many are {HOLDS} / {REVERSED} / {UNRESOLVED} describe,"
        " and test nothing."
        f"{level if (rows['null'] == NO_ALIGNMENT).any() else ''}"
    )
    varied = [axis for axis in listed_axes(rows, ESTIMANDS) if len(rows[axis].unique()) > 1]
    return Table(caption, HEAD, [_row(row, varied) for _, row in rows.iterrows()])


def _row(row: pd.Series, varied: list[str]) -> list[str | Markup]:
    where = ", ".join(value_words(axis, row[axis]) for axis in varied) or "everywhere"
    strong = Markup("<strong>{}</strong>") if row["primary"] else Markup("{}")
    if pd.isna(row["p"]):
        nothing = [missing("")] * (len(HEAD) - 3)
        return [
            row["claim"],
            strong.format(where),
            missing(f"{row['verdict']}: {row['reason']}"),
            *nothing,
        ]
    return [
        row["claim"],
        strong.format(where),
        strong.format(row["verdict"]),
        number(row["median"], 2),
        p_value(row["p"]),
        p_value(row["p_adjusted"]),
        number(row["universes"], 0),
        percent(row["claimed_side"]),
        Markup(" / ").join(number(row[word], 0) for word in (HOLDS, REVERSED, UNRESOLVED)),
    ]
