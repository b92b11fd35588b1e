"""From many data sets to a table: what was promised, what was seen, and whether it holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest, kstest

from rulealign.errors import DataError
from validation.families import LEVEL

COVERAGE = (0.92, 0.98)
"""Between which shares an interval of 95% has to cover its truth."""

UNIFORM = 0.01
"""The p of a Kolmogorov-Smirnov test below which p-values are not taken to be uniform."""

RAISED, NEAR = 5.0, 3.0
"""Standard errors above 0 that an artefact must show, and within which nothing is seen."""

MET = "met"


@dataclass(frozen=True)
class Line:
    """A line of the table.

    Attributes:
        quantity: what was looked at.
        target: what was promised.
        seen: what was found, with its binomial interval or standard error.
        sets: in how many data sets.
        verdict: `MET`, or how it was missed; "" where nothing was promised.
    """

    quantity: str
    target: str
    seen: str
    sets: int
    verdict: str


def _column(rows: pd.DataFrame, name: str) -> np.ndarray:
    if name not in rows:
        raise DataError(f"the data sets have no number called '{name}'; measure them anew.")
    values = rows[name].to_numpy(dtype=float)
    if not np.isfinite(values).all():
        place = int(np.argmin(np.isfinite(values)))
        raise DataError(f"data set {place}: '{name}' is {values[place]}; find out why.")
    return values


def share_seen(hits: int, sets: int) -> str:
    """Write a share with its exact 95% binomial interval, such as 96.0% [92.3, 98.3].

    Args:
        hits: how often.
        sets: of how many.
    """
    low, high = binomtest(hits, sets).proportion_ci(0.95, method="exact")
    return f"{hits / sets:.1%} [{100 * low:.1f}, {100 * high:.1f}]"


def covered(rows: pd.DataFrame, interval: str, truth: float) -> int:
    """Count the data sets whose interval covers the truth.

    Args:
        rows: of `data_sets.measured`.
        interval: the interval's name in it, such as `percentile true`.
        truth: what it has to cover.

    Returns:
        How many.
    """
    low, high = (_column(rows, f"{interval} {end}") for end in ("low", "high"))
    return int(((low <= truth) & (truth <= high)).sum())


def coverage_line(rows: pd.DataFrame, interval: str, truth: float, quantity: str) -> Line:
    """Judge how often an interval of 95% covers its truth: 95 +- 3% are asked for.

    Args:
        rows: of `data_sets.measured`.
        interval: the interval's name in it.
        truth: what it has to cover.
        quantity: in words.

    Returns:
        The line.
    """
    hits = covered(rows, interval, truth)
    share, (low, high) = hits / len(rows), COVERAGE
    verdict = "too wide" if share > high else "too narrow" if share < low else MET
    return Line(quantity, "95 ± 3%", share_seen(hits, len(rows)), len(rows), verdict)


def uniform_line(rows: pd.DataFrame, name: str, quantity: str) -> Line:
    """Judge whether p-values of true nulls are uniform, by a Kolmogorov-Smirnov test.

    Args:
        rows: of `data_sets.measured`.
        name: the p-value's name in it, such as `p sign-flip`.
        quantity: in words.

    Returns:
        The line.
    """
    values = _column(rows, name)
    found = kstest(values, "uniform").pvalue
    small = int((values <= LEVEL).sum())
    seen = f"KS p = {found:.2g}; p ≤ .05 in {share_seen(small, len(rows))}"
    missed = "too often small" if small > LEVEL * len(rows) else "too seldom small"
    return Line(quantity, "KS p > .01", seen, len(rows), MET if found > UNIFORM else missed)


def error_line(rows: pd.DataFrame, name: str, quantity: str, *, promised: bool = True) -> Line:
    """Judge how often true nulls are taken for effects: in at most 5% of the data sets.

    Args:
        rows: of `data_sets.measured`.
        name: of an error in it (1 where there is one), such as `family sign-flip holm` for a
            rejection, or `verdict corrected` for a claim that gets a verdict.
        quantity: in words.
        promised: False for a line that is there to compare with.

    Returns:
        The line; more than 5% are within the target where that many have a probability of more
        than .025 if 5% are true.
    """
    hits = int(_column(rows, name).sum())
    by_chance = binomtest(hits, len(rows), LEVEL, alternative="greater").pvalue > 0.025
    verdict = (MET if by_chance else "too many") if promised else ""
    target = "≤ 5%" if promised else "(to compare)"
    return Line(quantity, target, share_seen(hits, len(rows)), len(rows), verdict)


def bound_lines(rows: pd.DataFrame, truth: float) -> list[Line]:
    """Judge whether the noise ceiling's bounds lie on either side of the true model's score.

    Args:
        rows: of `data_sets.measured`.
        truth: expected score of the true model.

    Returns:
        A line for each bound's mean, and one for the data sets taken singly.
    """
    lower, upper, score = (_column(rows, n) for n in ("lower", "upper", "percentile true score"))
    lines = []
    for name, values, sign in (("lower", lower, 1), ("upper", upper, -1)):
        error = values.std(ddof=1) / np.sqrt(len(values))
        fine = sign * (values.mean() - truth) <= NEAR * error
        target = f"{'≤' if sign > 0 else '≥'} truth, {truth:.3f}"
        seen = f"{values.mean():.3f} ± {error:.3f}"
        lines.append(Line(f"mean {name} bound", target, seen, len(rows), MET if fine else "missed"))
    hits = int(((lower <= score) & (score <= upper)).sum())
    words = "lower bound ≤ score of the true model ≤ upper bound, in a data set"
    verdict = MET if hits / len(rows) >= COVERAGE[0] else "missed"
    lines.append(Line(words, "≥ 95 - 3%", share_seen(hits, len(rows)), len(rows), verdict))
    return lines


def artefact_line(rows: pd.DataFrame, name: str, quantity: str, *, raised: bool) -> Line:
    """Judge whether an artefact shows in a mean over data sets in which nothing was seen.

    Args:
        rows: of `data_sets.measured`.
        name: what is averaged, such as `agreement shared all`.
        quantity: in words.
        raised: whether the artefact has to show (it was planted, and nothing is done against it).

    Returns:
        The line.
    """
    values = _column(rows, name)
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(len(values))
    target = f"> {RAISED:.0f} standard errors" if raised else f"0 ± {NEAR:.0f} standard errors"
    fine = mean > RAISED * error if raised else abs(mean) <= NEAR * error
    seen = f"{mean:.4f} ± {error:.4f}"
    return Line(quantity, target, seen, len(values), MET if fine else "missed")


def variance_ratios(
    rows: pd.DataFrame, names: Sequence[str], kinds: Sequence[str]
) -> list[tuple[str, float, float]]:
    """Hold the mean variances of two methods against that of the scores over the data sets.

    Args:
        rows: of `data_sets.measured`.
        names: quantities, such as `true`.
        kinds: the methods, as intervals are named: as published, and corrected.

    Returns:
        Name, and for each method its mean variance over that seen; 1 is right.
    """
    found = []
    for name in names:
        seen = _column(rows, f"{kinds[0]} {name} score").var(ddof=1)
        columns = (f"{kind} {name} variance" for kind in kinds)
        found.append((name, *(float(_column(rows, one).mean() / seen) for one in columns)))
    return found
