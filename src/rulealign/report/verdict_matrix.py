"""Verdicts by the value of every axis: a row per claim, a column per value."""

from __future__ import annotations

import pandas as pd
from markupsafe import Markup

from rulealign.claims.verdicts import HOLDS, MISSING, REVERSED
from rulealign.report.claims_figure import value_label, varied_values
from rulealign.report.formatting import curve_link, missing
from rulealign.report.tabulate import Table


def tabulate(rows: pd.DataFrame) -> Table | None:
    """Count the verdicts of every claim by the value of every axis that has several.

    Args:
        rows: the table `statistics/claims.csv`.

    Returns:
        A row per claim, in the order of the table; None where no axis has several values.
    """
    varied = varied_values(rows)
    if not varied:
        return None
    caption = (
        "Every claim (row) in the universes that have one value of an axis (column): the sign of"
        " the median effect, then how many universes hold / are reversed / of how many. Blue: some"
        " hold and none is reversed; orange: some are reversed and none holds; both colours: some"
        " of each. Counts describe, and test nothing."
    )
    head = ["claim", *(value_label(axis, value) for axis, value in varied)]
    body = [
        [curve_link(claim), *(_cell(own[own[axis] == value]) for axis, value in varied)]
        for claim, own in rows[rows["verdict"] != MISSING].groupby("claim", sort=False)
    ]
    return Table(caption, head, body)


def _cell(own: pd.DataFrame) -> Markup:
    if own.empty:
        return missing("none")
    holds, against = (int((own["verdict"] == verdict).sum()) for verdict in (HOLDS, REVERSED))
    middle = own["effect"].median()
    sign = "+" if middle > 0 else "−" if middle < 0 else "0"
    looks = [word for word, count in ((HOLDS, holds), (REVERSED, against)) if count]
    told = Markup('<span class="tile {}">{} {}\u2009/\u2009{}\u2009/\u2009{}</span>')
    return told.format(" ".join(looks), sign, holds, against, len(own))
