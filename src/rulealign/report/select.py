"""The rows of the result tables that a figure or a table of the report shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from rulealign.errors import DataError

NO_SPACE = "vector"
"""The descriptor of layers without spatial axes, which every view shares."""


def as_view(settings: Mapping[str, object]) -> dict[str, object]:
    """Name a view as the result tables do, where pixels per side are `px`, not `size`."""
    return {"px" if key == "size" else key: value for key, value in settings.items()}


def at_view(
    alignment: pd.DataFrame,
    view: Mapping[str, object],
    *,
    convention: str = "per_subject",
    pairs: str = "all",
) -> pd.DataFrame:
    """Take the alignments of one view, in one convention: conventions are never mixed.

    Args:
        alignment: the table `statistics/alignment.csv`.
        view: the keys stimuli, px, descriptor and centring.
        convention: `per_subject` or `mean_rdm`.
        pairs: which pairs of stimuli.

    Returns:
        The rows; layers without spatial axes are in every view.

    Raises:
        DataError: the table has no such rows.
    """
    wanted = (
        (alignment["stimuli"] == view["stimuli"])
        & (alignment["px"] == view["px"])
        & (alignment["centring"] == view["centring"])
        & alignment["descriptor"].isin([view["descriptor"], NO_SPACE])
        & (alignment["convention"] == convention)
        & (alignment["pairs"] == pairs)
    )
    if not wanted.any():
        raise DataError(f"the alignment table has no rows for {dict(view)}, {convention}, {pairs}.")
    return alignment[wanted]


def course(rows: pd.DataFrame, rule: str, layer: str, roi: str) -> pd.DataFrame:
    """Take one rule's alignments of one layer with one area, by epoch.

    Args:
        rows: the rows of one view.
        rule: a rule's label.
        layer: a layer.
        roi: an area.

    Returns:
        One row per epoch, in order; none where it was not measured.

    Raises:
        DataError: an epoch occurs twice.
    """
    found = rows[(rows["rule"] == rule) & (rows["layer"] == layer) & (rows["roi"] == roi)]
    if found["epoch"].duplicated().any():
        raise DataError(f"the alignment table has {rule}, {layer}, {roi} twice for one epoch.")
    return found.sort_values("epoch")


def courses(
    rows: pd.DataFrame, rules: Sequence[str], pair: Mapping[str, str]
) -> dict[str, pd.DataFrame]:
    """Take the course of every rule that was measured.

    Args:
        rows: the rows of one view.
        rules: labels, in the study's order.
        pair: with `layer` and `roi`.

    Returns:
        label -> `course`; rules without any score are left out, and whoever shows the courses
        says so.

    Raises:
        DataError: no rule was measured.
    """
    found = {rule: course(rows, rule, pair["layer"], pair["roi"]) for rule in rules}
    measured = {rule: one for rule, one in found.items() if one["score"].notna().any()}
    if not measured:
        raise DataError(f"the alignment table has no scores of {pair['layer']} with {pair['roi']}.")
    return measured


def last(courses: Mapping[str, pd.DataFrame]) -> dict[str, pd.Series]:
    """Take the last checkpoint of every course; an earlier one does not stand in for it."""
    rows = {rule: one.iloc[-1] for rule, one in courses.items()}
    return {rule: row for rule, row in rows.items() if pd.notna(row["score"])}


def words(view: Mapping[str, object]) -> str:
    """Name a view in words."""
    return "stimuli {stimuli}, {px} px, {descriptor}, {centring}".format(**view)


def ceiling(
    ceilings: pd.DataFrame, roi: str, convention: str = "per_subject", pairs: str = "all"
) -> pd.Series:
    """Take the noise ceiling of one area.

    Args:
        ceilings: the table `statistics/ceilings.csv`.
        roi: an area.
        convention: as in `at_view`; a ceiling holds for scores of its own convention only.
        pairs: as in `at_view`.

    Returns:
        The table's row.

    Raises:
        DataError: the table has not exactly one such row.
    """
    found = ceilings[
        (ceilings["roi"] == roi)
        & (ceilings["convention"] == convention)
        & (ceilings["pairs"] == pairs)
    ]
    if len(found) != 1:
        raise DataError(f"the ceiling table has {len(found)} rows for {roi}, {convention}.")
    return found.iloc[0]
