"""Where a claim holds and where it does not, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import pandas as pd

from rulealign.claims.measure import NOT_APPLICABLE
from rulealign.claims.measures import MEASURES, measure_class
from rulealign.claims.verdicts import (
    HOLDS,
    MISSING,
    REVERSED,
    TOO_SMALL,
    UNINFORMATIVE,
    UNRESOLVED,
)
from rulealign.config.universes import AXES, listed_axes
from rulealign.rsa.comparisons import REGISTRY, comparison_class

_PHRASES = {
    "network": "in {}",
    "features": "read by {}",
    "measure": "by {}",
    "stimuli": "with stimuli {}",
    "size": "at {} px",
    "descriptor": "with {}",
    "centring": "{}",
    "pairs": "over {} pairs",
    "convention": "against {}",
    "comparison": "by {}",
    "control": "with {} partialled out",
    "baseline": "measured from {}",
    "initialisation": "with initialisation {}",
}
_NAMES = {
    "cross_run": "cross-run",
    "per_subject": "each subject",
    "mean_rdm": "the mean RDM",
    "none": "nothing",
    "own": "its own epoch 0",
}


def value_words(axis: str, value: Any) -> str:
    """Say a value of an axis in words, such as "at 32 px".

    Args:
        axis: one of `AXES`.
        value: one of its values.

    Returns:
        Words that fit after "everything".
    """
    if axis == "measure" and value in MEASURES:
        return measure_class(value).words
    if value == NOT_APPLICABLE:
        return f"without any {axis}"
    if axis == "comparison" and value in REGISTRY:
        return _PHRASES[axis].format(comparison_class(value).words)
    name = _NAMES.get(str(value), str(value)).replace("+", " and ")
    if axis == "baseline" and value != "own":
        name += " in place of epoch 0"
    return _PHRASES[axis].format(name)


def summary_line(rows: pd.DataFrame) -> str:
    """Say in one line where a claim holds.

    Args:
        rows: of one claim, from `statistics/claims.csv`; one per universe.

    Returns:
        Such as "holds in 9 of 24, reversed in 6: everything at 32 px; 9 unresolved (2 too small to
        matter); 4 more do not exist". Universes that do not exist are not among the 24. What is
        reversed is located by the value of an axis, or two, that all of these universes have and no
        other one; else it is counted by the axis that tells most. Where nothing is reversed, what
        is unresolved is located.
    """
    known = rows[rows["verdict"] != MISSING]
    lost = len(rows) - len(known)
    more = [f"{lost} more {'does' if lost == 1 else 'do'} not exist"] if lost else []
    if known.empty:
        return f"none of {lost} exists"
    counts = known["verdict"].value_counts()
    small = known.loc[known["reason"].astype(str).str.startswith(TOO_SMALL), "verdict"]
    holds = _with_small(f"{int(counts.get(HOLDS, 0))}", small, HOLDS)
    if counts.get(HOLDS, 0) == len(known):
        all_of = f"holds in all {holds}" if len(known) > 1 else "holds in the only one"
        return "; ".join([all_of, *more])
    located, others = REVERSED if counts.get(REVERSED, 0) else UNRESOLVED, []
    for verdict in (REVERSED, UNRESOLVED, UNINFORMATIVE):
        if counts.get(verdict, 0):
            count = _with_small(f"{counts[verdict]}", small, verdict)
            where = f": {locate(known, verdict)}" if verdict == located else ""
            others.append(f"{verdict} in {count}{where}")
    start = f"holds in {int(counts.get(HOLDS, 0))} of {len(known)}"
    start = _with_small(start, small, HOLDS)
    # what is located ends with words of its own
    return f"{start}, {'; '.join([*others, *more])}"


def _with_small(words: str, small: pd.Series, verdict: str) -> str:
    count = int((small == verdict).sum())
    return f"{words} ({count} {TOO_SMALL})" if count else words


def locate(rows: pd.DataFrame, verdict: str, axes: Sequence[str] = AXES) -> str:
    """Say which universes of one claim have a verdict.

    Args:
        rows: as in `summary_line`.
        verdict: of at least one row.
        axes: that the rows have.

    Returns:
        "everything at 32 px" where these are all and only the universes with one value, or two, or
        with some values of one axis; else the counts by value of the axis that tells most.
    """
    known = rows[rows["verdict"] != MISSING]
    if not (known["verdict"] != verdict).any():
        return "everything"
    varied = [axis for axis in listed_axes(known, axes) if len(known[axis].unique()) > 1]
    for number in (1, 2):
        for some in combinations(varied, number):
            found = _exactly(known, verdict, some)
            if found:
                return f"everything {found}"
    return _counted(known, verdict, varied) if varied else f"{len(known)} of them"


def _exactly(known: pd.DataFrame, verdict: str, axes: Sequence[str]) -> str:
    has = known["verdict"] == verdict
    first = known.loc[has, list(axes)].drop_duplicates()
    if len(first) != 1:
        return ""
    wanted = first.iloc[0]
    if ((known[list(axes)] == wanted).all(axis=1) != has).any():
        return ""
    return _together(wanted)


def _together(values: Mapping[str, Any]) -> str:
    return " ".join(value_words(axis, value) for axis, value in values.items())


def _counted(known: pd.DataFrame, verdict: str, varied: Sequence[str]) -> str:
    has = known["verdict"] == verdict
    shares = {axis: has.groupby(known[axis], sort=False).agg(["sum", "size"]) for axis in varied}
    axis = max(varied, key=lambda name: _spread(shares[name]))
    rows = shares[axis].sort_values("sum", ascending=False, kind="stable")
    rows = rows[rows["sum"] > 0]
    if (rows["sum"] == rows["size"]).all():  # counts would say nothing more
        return f"everything {' and '.join(value_words(axis, value) for value in rows.index)}"
    return ", ".join(
        f"{row['sum']} of {row['size']} {value_words(axis, value)}"
        for value, row in rows.iterrows()
    )


def _spread(shares: pd.DataFrame) -> float:
    # how well an axis separates: the variance of the verdict that its values explain, with each
    # universe counted once, so that an axis of few odd universes does not come first; for each
    # further value that it takes to do so
    share = shares["sum"] / shares["size"]
    mean = shares["sum"].sum() / shares["size"].sum()
    return float((shares["size"] * (share - mean) ** 2).sum()) / (len(shares) - 1)
