"""The rows of the result tables that a figure or a table of the report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from rulealign.errors import DataError
from rulealign.rsa.compare import (
    ALL_PAIRS,
    CROSS_RUN,
    PRESENT,
    require_same_convention,
    require_same_pairs_kind,
)

if TYPE_CHECKING:
    from rulealign.arm import Mapped
    from rulealign.config.evaluation import View

PAIRS_WORDS = {
    ALL_PAIRS: "all pairs",
    CROSS_RUN: "pairs in different runs",
    PRESENT: "pairs that every RDM has",
}
"""The kinds of pairs of stimuli, as figures and tables call them."""

COURSE_KEYS = ["network", "rule", "layer", "roi"]
"""Columns that tell the courses of one view apart."""

NO_SPACE = "vector"
"""The descriptor of layers without spatial axes, which every view shares."""


def in_view(rows: pd.DataFrame, view: View) -> pd.Series:
    """Mark the rows of one view.

    Args:
        rows: of any table with stimuli, size, centring and descriptor.
        view: what is shown.

    Returns:
        bool, one of each row; layers without spatial axes are in every view.
    """
    return (
        (rows["stimuli"] == view.stimuli)
        & (rows["size"] == view.size)
        & (rows["centring"] == view.centring)
        & rows["descriptor"].isin([view.descriptor, NO_SPACE])
    )


def at_view(
    alignment: pd.DataFrame,
    view: View,
    *,
    convention: str = "per_subject",
) -> pd.DataFrame:
    """Take the alignments of one view, in one convention and over one kind of pairs.

    Args:
        alignment: the table `statistics/alignment.csv`.
        view: what is shown.
        convention: `per_subject` or `mean_rdm`.

    Returns:
        The rows; layers without spatial axes are in every view.

    Raises:
        DataError: the table has no such rows.
        GuardError: they are over different kinds of pairs.
    """
    wanted = in_view(alignment, view) & (alignment["convention"] == convention)
    if not wanted.any():
        raise DataError(f"the alignment table has no rows for {words(view)}, {convention}.")
    require_same_pairs_kind(alignment.loc[wanted, "pairs"], [])
    return alignment[wanted]


def of_network(rows: pd.DataFrame, network: str) -> pd.DataFrame:
    """Take the rows of one network."""
    return rows[rows["network"] == network]


def course(rows: pd.DataFrame, rule: str, pair: Mapped) -> pd.DataFrame:
    """Take one rule's alignments of one network's layer with one ROI, by epoch.

    Args:
        rows: the rows of one view.
        rule: a rule's label.
        pair: the network, its layer and an ROI.

    Returns:
        One row per epoch, in order; none where it was not measured.

    Raises:
        DataError: an epoch appears twice.
    """
    wanted = {"rule": rule, **pair._asdict()}
    found = rows[(rows[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    if found["epoch"].duplicated().any():
        name = ", ".join(wanted.values())
        raise DataError(f"the alignment table has {name} twice for one epoch.")
    return found.sort_values("epoch")


def courses(rows: pd.DataFrame, rules: Sequence[str], pair: Mapped) -> dict[str, pd.DataFrame]:
    """Take the course of every rule that was measured.

    Args:
        rows: the rows of one view.
        rules: labels, in the study's order.
        pair: a network, its layer and an ROI.

    Returns:
        label -> `course`; rules without any score are left out, and whoever shows the courses
        says so.

    Raises:
        DataError: no rule was measured.
    """
    found = {rule: course(rows, rule, pair) for rule in rules}
    measured = {rule: one for rule, one in found.items() if one["score"].notna().any()}
    if not measured:
        raise DataError(f"the alignment table has no scores of {', '.join(pair)}.")
    return measured


def last(courses: Mapping[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """Take the last checkpoint of every course; an earlier one does not stand in for it."""
    rows = {rule: one.iloc[-1] for rule, one in courses.items()}
    return {rule: row for rule, row in rows.items() if pd.notna(row["score"])}


def words(view: View) -> str:
    """Name a view in words."""
    return f"stimuli {view.stimuli}, {view.size} px, {view.descriptor}, {view.centring}"


def pairs_words(rows: pd.DataFrame) -> str:
    """Name the kind of pairs that alignments rest on, in words.

    Args:
        rows: of the table `statistics/alignment.csv`, at least one.

    Returns:
        Text such as "all pairs".

    Raises:
        GuardError: the rows are over different kinds of pairs.
    """
    require_same_pairs_kind(rows["pairs"], [])
    return PAIRS_WORDS[rows["pairs"].iloc[0]]


def bounds(ceilings: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Take the noise ceilings that hold for some alignments.

    Args:
        ceilings: the table `statistics/ceilings.csv`, which may have several kinds of pairs.
        rows: alignments of one convention and kind of pairs.

    Returns:
        The ceilings over the alignments' pairs.

    Raises:
        GuardError: the alignments are of several kinds or conventions, or the ceilings have no row
            over their pairs, or are of another convention (guard 9).
    """
    require_same_convention(rows["convention"], ceilings["convention"])
    own = ceilings[ceilings["pairs"].isin(rows["pairs"])]
    require_same_pairs_kind(rows["pairs"], (ceilings if own.empty else own)["pairs"])
    return own


def informative(ceiling: pd.Series) -> str:
    """Say whether brain data tell anything, and by what where that is not the lower bound.

    Args:
        ceiling: a row of the ceiling table.

    Returns:
        yes, no or unknown, such as "no: reliability over 2 sessions".
    """
    by = ceiling["informative_by"]
    if not isinstance(by, str) or not by:
        return "unknown"
    word = "yes" if ceiling["informative"] else "no"
    return word if ceiling["n_subjects"] > 1 else f"{word}: {by}"


def ceiling(ceilings: pd.DataFrame, roi: str, convention: str = "per_subject") -> pd.Series:
    """Take the noise ceiling of one ROI.

    Args:
        ceilings: those that `bounds` gives.
        roi: an ROI.
        convention: as in `at_view`; a ceiling holds for scores of its own convention only.

    Returns:
        The table's row.

    Raises:
        DataError: the table has not exactly one such row.
    """
    found = ceilings[(ceilings["roi"] == roi) & (ceilings["convention"] == convention)]
    if len(found) != 1:
        raise DataError(f"the ceiling table has {len(found)} rows for {roi}, {convention}.")
    return found.iloc[0]


def only(rows: pd.DataFrame, wanted: Mapping[str, Any], table: str) -> pd.Series:
    """Give the one row of a table that has some values.

    Args:
        rows: of the table.
        wanted: column -> value; compared as texts, as a table that is read has 32 for "32".
        table: its name, for the error.

    Returns:
        The row.

    Raises:
        DataError: there is no such row, or more than one.
    """
    for column, value in wanted.items():
        rows = rows[rows[column].astype(str) == str(value)]
    if len(rows) != 1:
        raise DataError(f"{table}.csv has {len(rows)} rows of {dict(wanted)}, not one.")
    return rows.iloc[0]
