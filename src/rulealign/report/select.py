"""The rows of the result tables that a figure or a table of the report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from rulealign.errors import DataError
from rulealign.rsa.compare import (
    ALL_PAIRS,
    CROSS_RUN,
    require_same_convention,
    require_same_pairs_kind,
)

if TYPE_CHECKING:
    from rulealign.config.evaluation import LayerRoi, View

PAIRS_WORDS = {ALL_PAIRS: "all pairs", CROSS_RUN: "pairs in different runs"}
"""The kinds of pairs of stimuli, as figures and tables call them."""

NO_SPACE = "vector"
"""The descriptor of layers without spatial axes, which every view shares."""


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
    wanted = (
        (alignment["stimuli"] == view.stimuli)
        & (alignment["size"] == view.size)
        & (alignment["centring"] == view.centring)
        & alignment["descriptor"].isin([view.descriptor, NO_SPACE])
        & (alignment["convention"] == convention)
    )
    if not wanted.any():
        raise DataError(f"the alignment table has no rows for {words(view)}, {convention}.")
    require_same_pairs_kind(alignment.loc[wanted, "pairs"], [])
    return alignment[wanted]


def subject_means(subjects: pd.DataFrame | None, view: View) -> pd.DataFrame:
    """Average the scores of every subject over seeds, in one view.

    Args:
        subjects: the table `statistics/alignment_subjects.csv`; None for no rows.
        view: as in `at_view`.

    Returns:
        A row per rule, epoch, layer, ROI and subject, with its `score`.
    """
    keys = ["rule", "epoch", "layer", "roi", "subject"]
    if subjects is None:
        return pd.DataFrame(columns=[*keys, "score"])
    rows = at_view(subjects.assign(convention="per_subject"), view)
    return rows.groupby(keys, as_index=False, sort=False)["score"].mean()


def course(rows: pd.DataFrame, rule: str, layer: str, roi: str) -> pd.DataFrame:
    """Take one rule's alignments of one layer with one ROI, by epoch.

    Args:
        rows: the rows of one view.
        rule: a rule's label.
        layer: a layer.
        roi: an ROI.

    Returns:
        One row per epoch, in order; none where it was not measured.

    Raises:
        DataError: an epoch appears twice.
    """
    found = rows[(rows["rule"] == rule) & (rows["layer"] == layer) & (rows["roi"] == roi)]
    if found["epoch"].duplicated().any():
        raise DataError(f"the alignment table has {rule}, {layer}, {roi} twice for one epoch.")
    return found.sort_values("epoch")


def courses(rows: pd.DataFrame, rules: Sequence[str], pair: LayerRoi) -> dict[str, pd.DataFrame]:
    """Take the course of every rule that was measured.

    Args:
        rows: the rows of one view.
        rules: labels, in the study's order.
        pair: a layer and an ROI.

    Returns:
        label -> `course`; rules without any score are left out, and whoever shows the courses
        says so.

    Raises:
        DataError: no rule was measured.
    """
    found = {rule: course(rows, rule, pair.layer, pair.roi) for rule in rules}
    measured = {rule: one for rule, one in found.items() if one["score"].notna().any()}
    if not measured:
        raise DataError(f"the alignment table has no scores of {pair.layer} with {pair.roi}.")
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
