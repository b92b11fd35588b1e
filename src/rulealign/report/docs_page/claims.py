"""Claims on a page of docs/results: their verdicts, and what each of their universes says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from rulealign.claims.measure import NOT_APPLICABLE
from rulealign.claims.verdicts import MISSING, UNINFORMATIVE, UNRESOLVED, VERDICTS
from rulealign.config.universes import ESTIMANDS, listed_axes
from rulealign.errors import DataError
from rulealign.plan.files import FILES
from rulealign.report import select
from rulealign.report.docs_page import markdown
from rulealign.report.formatting import plain_p, with_ends
from rulealign.store import read_csv


def claims(results: Path) -> str:
    """Write every claim: its verdict over universes, its primary universe, and counts of universes.

    Args:
        results: the folder of the study's results.

    Returns:
        A Markdown table, from `statistics/claims_summary.csv`.

    Raises:
        StoreError: the study has no such table.
    """
    summary = read_csv(results / FILES["table"].format(table="claims_summary"))
    heads = ["claim", "verdict", "p of the median, Holm", "on the claimed side"]
    heads += ["primary universe", "effect", "single universes", "p, Holm", "p of seeds, Holm"]
    return markdown.table(heads, [_row(row) for _, row in summary.iterrows()])


def _row(row: pd.Series) -> list[str]:
    effect = str(row["reason"]) if row["verdict"] == MISSING else _effect(row)
    p = [_p(row, name) for name in _P]
    verdict = row["verdict"]
    if verdict != MISSING and not pd.isna(row["reason"]):
        verdict = f"{verdict}: {row['reason']}"
    name = f"{row['statement']} (`{row['claim']}`)"
    return [name, *_over_cell(row), verdict, effect, row["summary"], *p]


def _over_cell(row: pd.Series) -> list[str]:
    if pd.isna(row["cell_p_holm"]):
        return [row["cell_verdict"], f"missing: {row['cell_reason']}", ""]
    side = f"{row['claimed_side']:.0%} of {row['cell_universes']:.0f}"
    return [row["cell_verdict"], plain_p(row["cell_p_holm"]), side]


def _p(row: pd.Series, name: str) -> str:
    if pd.isna(row[f"{name}_holm"]):
        return f"missing: {row[f'{name}_reason']}"
    return plain_p(row[f"{name}_holm"])


_P = ("p", "p_seeds")


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
    rows = read_csv(results / FILES["table"].format(table="claims"))
    rows = rows[rows["claim"] == claim]
    if rows.empty or axis not in listed_axes(rows):
        raise DataError(f"the table of claims has no '{claim}' by '{axis}'.")
    body = [
        [str(value), str(len(own)), *_counts(own["verdict"].value_counts())]
        for value, own in rows.groupby(axis, sort=False)
    ]
    return markdown.table([axis, "universes", *VERDICTS], body)


def effect(results: Path, claim: str, choices: Mapping[str, str | int]) -> str:
    """Write a claim's effect in one universe.

    Args:
        results: the folder of the study's results.
        claim: the label of a claim.
        choices: axis -> value, of axes that differ from the primary universe.

    Returns:
        The effect with its interval, bold where the claim holds or is reversed there.

    Raises:
        DataError: there is no such claim, or universe.
    """
    rows = read_csv(results / FILES["table"].format(table="claims"))
    own = rows[rows["claim"] == claim]
    if own.empty:
        raise DataError(f"the table of claims has no '{claim}'.")
    wanted = own[own["primary"]].iloc[0][listed_axes(own)].to_dict() | choices
    return _interval(select.only(own, wanted, "claims"))


def verdict(results: Path, claim: str, question: Mapping[str, str | int]) -> str:
    """Write a claim's verdict over all universes of one question.

    Args:
        results: the folder of the study's results.
        claim: the label of a claim.
        question: axis of `ESTIMANDS` -> value, of axes that differ from the primary universe.

    Returns:
        The verdict with its adjusted p, or why there is none.

    Raises:
        DataError: there is no such claim or question.
    """
    rows = read_csv(results / FILES["table"].format(table="specification_curves"))
    own = rows[rows["claim"] == claim]
    if own.empty:
        raise DataError(f"the specification curves have no '{claim}'.")
    wanted = own[own["primary"]].iloc[0][listed_axes(own, ESTIMANDS)].to_dict() | question
    row = select.only(own, wanted, "specification_curves")
    if pd.isna(row["p_adjusted"]):
        return f"{row['verdict']}: {row['reason']}"
    return f"{row['verdict']} ({plain_p(row['p_adjusted'])})"


def intervals(results: Path, axis: str) -> str:
    """Write the effect of every claim by one axis, all else as in the primary universe.

    Args:
        results: the folder of the study's results.
        axis: one of the grid's axes.

    Returns:
        A Markdown table, from `statistics/claims.csv`: a row per claim, a column per value of the
        axis; bold where the claim holds or is reversed, `missing` where it cannot be computed, and
        "the same" where the value's universes are those of another one.

    Raises:
        DataError: there is no such axis.
        StoreError: the study has no such table.
    """
    rows = read_csv(results / FILES["table"].format(table="claims"))
    axes = listed_axes(rows)
    if axis not in axes:
        raise DataError(f"the table of claims has no axis '{axis}'; there are {', '.join(axes)}.")
    values = list(dict.fromkeys(rows[axis].astype(str)))
    body = []
    for claim, own in rows.groupby("claim", sort=False):
        others = [one for one in axes if one != axis]
        first = own[own["primary"]].iloc[0][others]
        # where an axis means nothing to the primary universe, the first of its values stands
        free = first.astype(str) == NOT_APPLICABLE
        alike = own[((own[others] == first) | free).all(axis=1)].drop_duplicates(axis)
        by_value = {str(row[axis]): _interval(row) for _, row in alike.iterrows()}
        body.append([f"`{claim}`", *(by_value.get(value, "the same") for value in values)])
    return markdown.table(["claim", *values], body)


def _interval(row: pd.Series) -> str:
    if row["verdict"] == MISSING:
        return MISSING
    quiet = row["verdict"] in (UNRESOLVED, UNINFORMATIVE)
    return _effect(row) if quiet else f"**{_effect(row)}**"


def _effect(row: pd.Series) -> str:
    return with_ends(row["effect"], row["low"], row["high"])


def _counts(found: Mapping[str, int]) -> list[str]:
    return [str(found.get(verdict, 0)) for verdict in VERDICTS]
