"""Claims on a page of docs/results: their verdicts, and what each of their universes says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from rulealign.claim_sections import AXES
from rulealign.claims.verdicts import MISSING, VERDICTS
from rulealign.errors import DataError
from rulealign.report import markdown
from rulealign.report.formatting import plain
from rulealign.store import read_csv


def claims(results: Path) -> str:
    """Write every claim: verdict and effect in the primary universe, and what all universes say.

    Args:
        results: the folder of the study's results.

    Returns:
        A Markdown table, from `statistics/claims_summary.csv`.

    Raises:
        StoreError: the study has no such table.
    """
    summary = read_csv(results / "statistics" / "claims_summary.csv")
    heads = ["claim", "first universe", "effect", "over all universes", "p of seeds, Holm"]
    heads += ["p of stimuli, Holm"]
    return markdown.table(heads, [_row(row) for _, row in summary.iterrows()])


def _row(row: pd.Series) -> list[str]:
    effect = str(row["reason"])
    if row["verdict"] != MISSING:
        effect = f"{plain(row['effect'])} [{plain(row['low'])}, {plain(row['high'])}]"
    p = ["none" if pd.isna(row[f"{p}_holm"]) else plain(row[f"{p}_holm"], 3) for p in _P]
    return [f"{row['statement']} (`{row['claim']}`)", row["verdict"], effect, row["summary"], *p]


_P = ("p_seeds", "p_stimuli")


def verdicts(results: Path, claim: str, axis: str) -> str:
    """Write how often one claim has each verdict, by the value of one axis.

    Args:
        results: the folder of the study's results.
        claim: the label of a claim.
        axis: one of the grid's axes.

    Returns:
        A Markdown table, from `statistics/claims.csv`; a row per value, in the order of the grid.

    Raises:
        DataError: there is no such claim or axis.
        StoreError: the study has no such table.
    """
    rows = read_csv(results / "statistics" / "claims.csv")
    rows = rows[rows["claim"] == claim]
    if rows.empty or axis not in AXES:
        raise DataError(f"the table of claims has no '{claim}' by '{axis}'.")
    body = [
        [str(value), str(len(own)), *_counts(own["verdict"].value_counts())]
        for value, own in rows.groupby(axis, sort=False)
    ]
    return markdown.table([axis, "universes", *VERDICTS], body)


def _counts(found: Mapping[str, int]) -> list[str]:
    return [str(found.get(verdict, 0)) for verdict in VERDICTS]
