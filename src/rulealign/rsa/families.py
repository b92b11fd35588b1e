"""Families of comparisons that were declared before the run: adjusted p-values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rulealign.errors import DataError


@dataclass(frozen=True)
class AdjustedP:
    """One comparison of a family.

    Attributes:
        name: name of the comparison.
        p: as it was computed; None where it is missing.
        benjamini_hochberg: adjusted to control the false discovery rate; None with p.
        holm: adjusted to control the familywise error rate; None with p.
        declared: comparisons of the family, which is what p was adjusted for.
        reason: why p is missing; "" where it is not.
    """

    name: str
    p: float | None
    benjamini_hochberg: float | None
    holm: float | None
    declared: int
    reason: str


def adjust_family(
    family: str,
    declared: Sequence[str],
    p_values: Mapping[str, float | None],
    reasons: Mapping[str, str],
) -> list[AdjustedP]:
    """Adjust the p-values of a declared family for the number of its comparisons.

    A family keeps the size that was declared. A comparison whose p could not be computed stays
    missing, with its reason, and is counted as if its p was 1: that a comparison failed never
    makes another one look better. Holm's bound holds however the comparisons depend on each other;
    that of Benjamini and Hochberg where they are independent or positively dependent. Not for
    comparisons that were chosen after seeing their p.

    Args:
        family: name of the family, for messages.
        declared: the comparisons as declared before the run, in the order of the result.
        p_values: comparison -> p; None where it is missing.
        reasons: comparison -> why its p is missing; of exactly those that are missing.

    Returns:
        One result per declared comparison, in their order.

    Raises:
        DataError: the family is empty, a comparison is declared twice, the p-values are not of the
            declared comparisons, one is no number from 0 to 1, or one is missing without a
            reason (or has a reason and is not missing); names the family and the comparison.
    """
    _require_declared(family, declared, p_values)
    for name in declared:
        _require_p(f"family '{family}', comparison '{name}'", p_values[name], reasons.get(name, ""))
    counted = np.array([1.0 if p_values[name] is None else p_values[name] for name in declared])
    both = zip(benjamini_hochberg(counted).tolist(), holm(counted).tolist(), strict=True)
    return [
        AdjustedP(
            name,
            p_values[name],
            *(adjusted if p_values[name] is not None else (None, None)),
            len(declared),
            reasons.get(name, ""),
        )
        for name, adjusted in zip(declared, both, strict=True)
    ]


def benjamini_hochberg(p_values: np.ndarray) -> np.ndarray:
    """Adjust p-values to control the false discovery rate.

    Args:
        p_values: shape (n,), from 0 to 1; a whole family.

    Returns:
        float64, shape (n,); comparisons with at most alpha here have a false discovery rate of at
        most alpha, where they are independent or positively dependent.

    Source: Benjamini & Hochberg 1995, J R Stat Soc B 57:289-300.
    """
    from scipy.stats import false_discovery_control  # slow to import

    return false_discovery_control(p_values, method="bh")


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p-values to control the familywise error rate.

    Args:
        p_values: shape (n,), from 0 to 1; a whole family.

    Returns:
        float64, shape (n,); with those of at most alpha rejected, the probability of rejecting any
        true null is at most alpha, however they depend on each other.

    Source: Holm 1979, Scandinavian Journal of Statistics 6:65-70.
    """
    order = np.argsort(p_values, kind="stable")
    scaled = np.asarray(p_values, dtype=np.float64)[order] * np.arange(len(order), 0, -1)
    adjusted = np.empty(len(order))
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1)
    return adjusted


def _require_declared(
    family: str, declared: Sequence[str], p_values: Mapping[str, float | None]
) -> None:
    if not declared:
        raise DataError(f"family '{family}' has no comparison; declare one, or drop the family.")
    name, times = Counter(declared).most_common(1)[0]
    if times > 1:
        raise DataError(f"family '{family}' declares '{name}' {times} times; declare it once.")
    different = [name for name in declared if name not in p_values]
    different += [name for name in p_values if name not in declared]
    if different:
        where = "has no p-value" if different[0] in declared else "was not declared before the run"
        raise DataError(
            f"family '{family}': '{different[0]}' {where}; a family is adjusted whole and as it was"
            " declared (a p that could not be computed is given as None, with its reason)."
        )


def _require_p(what: str, p: float | None, reason: str) -> None:
    if p is None and not reason:
        raise DataError(f"{what}: its p is missing without a reason; say why.")
    if p is not None and reason:
        raise DataError(f"{what}: has p = {p} and yet a reason to be missing: {reason}.")
    # written so that NaN, which no comparison finds within, is refused too
    if p is not None and not 0 <= p <= 1:
        raise DataError(f"{what}: p = {p} is no number from 0 to 1; give None and the reason.")
