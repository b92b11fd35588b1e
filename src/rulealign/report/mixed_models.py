"""The mixed models of claims on the page."""

from __future__ import annotations

import pandas as pd

from rulealign.report.formatting import missing, number, plain
from rulealign.report.tabulate import Table

HEAD = ["claim", "effect", "low", "high", "p", "degrees of freedom"]
HEAD += ["SD over seeds", "SD over subjects", "SD of the rest"]
_DIGITS = {"degrees_of_freedom": 1}
_NAMES = ("effect", "low", "high", "p", "degrees_of_freedom", "sd_seeds", "sd_subjects", "sd_rest")


def tabulate(rows: pd.DataFrame, interval: float) -> Table:
    """Tabulate the mixed model of every claim.

    Args:
        rows: the table `statistics/mixed_models.csv`.
        interval: coverage of the intervals.

    Returns:
        A row per claim, in the order of the study.
    """
    caption = (
        "Every claim in its primary universe as a mixed model of seeds x subjects: effect = mean +"
        " seed + subject + rest, seeds and subjects random and crossed. The"
        f" {plain(100 * interval, 0)}% interval and the two-sided p generalise to other seeds and"
        " other subjects, for these very stimuli; verdicts rest on the primary interval, not on"
        " them."
    )
    return Table(caption, HEAD, [_row(row) for _, row in rows.iterrows()])


def _row(row: pd.Series) -> list:
    if pd.isna(row["effect"]):
        return [row["claim"], missing(row["reason"]), *[missing("")] * (len(_NAMES) - 1)]
    return [row["claim"], *(number(row[name], _DIGITS.get(name, 3)) for name in _NAMES)]
