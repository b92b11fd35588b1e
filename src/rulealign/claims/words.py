"""Where a claim holds and where it does not, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rulealign.claims.measure import NOT_APPLICABLE
from rulealign.claims.measures import MEASURES, measure_class
from rulealign.claims.verdicts import HOLDS, MISSING, TOO_SMALL, UNRESOLVED, VERDICTS
from rulealign.config.universes import AXES, NO_CONTROL, listed_axes
from rulealign.rsa.comparisons import REGISTRY, comparison_class

MOST_PLACES = 3
"""Places of one verdict that are named; what lies elsewhere is said to."""

MOST_AXES = 2
"""Axes that a place is named by."""

SHARE = 0.25
"""Of the rows with a verdict that a place must hold to be named, where places do not hold all."""

_PHRASES = {
    "network": "in {}",
    "features": "with {}",
    "measure": "by {}",
    "stimuli": "with stimuli {}",
    "size": "at {} px",
    "descriptor": "with {}",
    "centring": "{}",
    "pairs": "over {} pairs",
    "convention": "with {}",
    "comparison": "by {}",
    "control": "with {} partialled out",
    "baseline": "against {}",
    "initialisation": "with initialisation {}",
}
_NAMES = {
    "cross_run": "cross-run",
    "per_subject": "each subject's RDM",
    "mean_rdm": "the mean RDM",
    "own": "its own epoch 0",
    "gradient": "gradients",
    "teaching": "teaching signals",
}


class _Places(NamedTuple):
    # in words, whether they are all there is, and how many axes name them
    named: list[str]
    all_of_it: bool
    axes: int


def value_words(axis: str, value: Any) -> str:
    """Say a value of an axis in words, such as "at 32 px".

    Args:
        axis: one of `AXES`.
        value: one of its values.

    Returns:
        Words that fit after a verdict.
    """
    if axis == "measure" and value in MEASURES:
        return measure_class(value).words
    if value == NOT_APPLICABLE:
        return f"by measures without {axis}"
    if axis == "comparison" and value in REGISTRY:
        return _PHRASES[axis].format(comparison_class(value).words)
    if axis == "control" and value == NO_CONTROL:
        return "without a control"
    name = _NAMES.get(str(value), str(value)).replace("+", " and ")
    return _PHRASES[axis].format(name)


def summary_line(rows: pd.DataFrame) -> str:
    """Say in one line where a claim holds.

    Args:
        rows: of one claim, from `statistics/claims.csv`; one per universe.

    Returns:
        As `where`, then in how many universes it holds, such as "reversed at 32 px; holds at 224 px
        (holds in 9 of 24 universes)". Those that cannot be computed are not among the 24, and are
        counted after it.
    """
    known = rows.loc[rows["verdict"] != MISSING, "verdict"]
    holds = int((known == HOLDS).sum())
    if known.empty:
        return "cannot be computed"
    if len(known) == 1:
        return f"{where(rows)} (one universe)"
    count = f"all {len(known)}" if holds == len(known) else f"{holds or 'none'} of {len(known)}"
    more = len(rows) - len(known)
    left_out = f"; {more} more {'does' if more == 1 else 'do'} not exist" if more else ""
    return f"{where(rows)} (holds in {count} universes{left_out})"


def where(rows: pd.DataFrame, axes: Sequence[str] = AXES) -> str:
    """Say where a claim has which verdict, by the values of axes.

    Args:
        rows: of one claim, with its verdict; one per universe, or one per question.
        axes: to tell rows apart by.

    Returns:
        Such as "holds at 96 px and with grid-8; unresolved everywhere else". A place is named only
        where every row in it has the verdict, but after "in part, only": what all rows with the
        verdict have in common, and after "most often": where their share is largest. "In part
        elsewhere" says that some other rows have it, too. What is too small to matter, and what
        cannot be computed, is said in the same way.
    """
    known = rows[rows["verdict"] != MISSING]
    if known.empty:
        return "cannot be computed"
    if len(known["verdict"].unique()) > 1:
        said = _verdicts(known, axes)
    else:
        all_of = "everywhere" if len(known) == len(rows) else "wherever it can be computed"
        said = [f"{known['verdict'].iloc[0]} {all_of}"]
    if "reason" in known:
        said += _also(TOO_SMALL, known, known["reason"].astype(str).str.startswith(TOO_SMALL), axes)
    return "; ".join([*said, *_also("cannot be computed", rows, rows["verdict"] == MISSING, axes)])


def _verdicts(known: pd.DataFrame, axes: Sequence[str]) -> list[str]:
    there = [verdict for verdict in VERDICTS if (known["verdict"] == verdict).any()]
    found = {one: _places(known, known["verdict"] == one, axes) for one in there}
    said = {one: _joined(places.named) for one, places in found.items()}
    # one verdict need not be located: what was not shown, or what takes most words to
    cost = {one: (not it.all_of_it, one == UNRESOLVED, it.axes) for one, it in found.items()}
    rest = max(there, key=cost.__getitem__)
    if not found[rest].all_of_it or found[rest].axes > 2:
        del said[rest]
        exact = all(found[one].all_of_it for one in said)
        said[rest] = "everywhere else" if exact else "in the rest"
    return [f"{one} {words}" for one, words in said.items()]


def _also(words: str, rows: pd.DataFrame, has: pd.Series, axes: Sequence[str]) -> list[str]:
    if not has.any():
        return []
    found = _places(rows, has, axes)
    return [f"{words} {_joined(found.named) if found.all_of_it else 'in part'}"]


def _joined(words: Sequence[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def _places(rows: pd.DataFrame, has: pd.Series, axes: Sequence[str]) -> _Places:
    # the largest place first: values of one axis or two that no row without the verdict has
    if has.all():
        return _Places(["everywhere"], True, 0)
    varied = [axis for axis in listed_axes(rows, axes) if len(rows[axis].unique()) > 1]
    codes = {axis: pd.factorize(rows[axis])[0] for axis in varied}
    left, found = has.to_numpy(), []
    while left.any() and len(found) < MOST_PLACES:
        place = _largest(codes, has.to_numpy(), left)
        if place is None:
            break
        inside = np.all([codes[axis] == code for axis, code in place.items()], axis=0)
        found.append((inside, place))
        left = left & ~inside
    if left.any():  # places that say little are not named
        found = [one for one in found if SHARE * has.sum() <= one[0].sum()]
    named = [_words(rows[inside].iloc[0], place) for inside, place in found]
    if left.any():
        named.append("in part elsewhere" if named else _roughly(rows, has, varied))
    return _Places(named, not left.any(), sum(len(place) for _, place in found))


def _roughly(rows: pd.DataFrame, has: pd.Series, varied: Sequence[str]) -> str:
    # what all rows with the verdict have in common, or else where most of them are
    own = rows[has]
    common = [axis for axis in varied if len(own[axis].unique()) == 1]
    if common:
        few = sorted(common, key=lambda axis: (rows[axis] == own[axis].iloc[0]).sum())[:MOST_AXES]
        return f"in part, only {_words(own.iloc[0], [axis for axis in varied if axis in few])}"
    if not varied:
        return "in part"
    shares = {axis: has.groupby(rows[axis], sort=False).agg(["sum", "size"]) for axis in varied}
    axis = max(varied, key=lambda name: _spread(shares[name]))
    share = shares[axis]["sum"] / shares[axis]["size"]
    return f"most often {value_words(axis, share.idxmax())}"


def _spread(shares: pd.DataFrame) -> float:
    # how well an axis separates: the variance of the verdict that its values explain, with each
    # row counted once, so that an axis of few odd rows does not come first; for each further value
    # that it takes to do so
    share = shares["sum"] / shares["size"]
    mean = shares["sum"].sum() / shares["size"].sum()
    return float((shares["size"] * (share - mean) ** 2).sum()) / (len(shares) - 1)


def _words(row: pd.Series, axes: Iterable[str]) -> str:
    return " ".join(value_words(axis, row[axis]) for axis in axes)


def _largest(
    codes: Mapping[str, np.ndarray], has: np.ndarray, left: np.ndarray
) -> dict[str, int] | None:
    # axis -> code of its value; of places as large, that of the fewest axes, then the first
    best, most = None, 0
    for number in range(1, min(MOST_AXES, len(codes)) + 1):
        for axes in combinations(codes, number):
            values, place = np.unique(
                np.stack([codes[axis] for axis in axes]), axis=1, return_inverse=True
            )
            place = place.ravel()
            fresh = np.bincount(place, left)
            fresh[np.bincount(place, ~has) > 0] = 0
            if fresh.max() > most:
                most, at = fresh.max(), int(fresh.argmax())
                best = dict(zip(axes, values[:, at].tolist(), strict=True))
    return best
