"""p-values of comparisons that are true nulls, and what families of them reject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rulealign.rsa.families import adjust_family
from rulealign.rsa.seeds import sign_flip_test

LEVEL = 0.05
"""The share of families with a rejection that a family may have where every null is true."""


@dataclass(frozen=True)
class Flip:
    """A sign-flip test of one comparison.

    Attributes:
        p: as tested, two-sided.
        ties: share of the sign patterns that are exactly as extreme as the observed one.
    """

    p: float
    ties: float


def sign_flips(scores: np.ndarray) -> dict[str, Flip]:
    """Test every rule against the first, network by network; they all share that first rule.

    Args:
        scores: float64, shape (rules, networks).

    Returns:
        Comparison -> its test.
    """
    tests = {
        f"rule {rule} less rule 0": sign_flip_test(scores[rule] - scores[0], "two-sided")
        for rule in range(1, len(scores))
    }
    # differences without ties: the observed pattern and its mirror image are as extreme
    return {name: Flip(test.p, test.floor) for name, test in tests.items()}


def randomised(p: float, ties: float, rng: np.random.Generator) -> float:
    """Spread a p-value of few possible values evenly, so that it is uniform under its null.

    A test with so many permutations only has p-values that far apart, and no test of uniformity
    would forgive it. Only for looking at p-values as here: a randomised p decides nothing.

    Args:
        p: as tested: the share that is at least as extreme.
        ties: the share that is exactly as extreme.
        rng: draws where between `p - ties` and `p`.

    Returns:
        The randomised p.
    """
    return float(p - ties * rng.random())


def two_sided_p(draws: np.ndarray) -> float:
    """Turn draws of a difference into a p: the smallest level whose percentile interval excludes 0.

    Args:
        draws: shape (draws,).

    Returns:
        Twice the smaller of the shares on either side of 0, counting the observed one; at most 1.
    """
    sides = np.array([(draws <= 0).sum(), (draws >= 0).sum()])
    return float(min(1.0, 2 * (1 + sides.min()) / (1 + len(draws))))


def family_rejections(family: str, p_values: Mapping[str, float]) -> dict[str, float]:
    """Say whether a family of true nulls rejects any, by each adjustment and by none.

    Args:
        family: its name.
        p_values: comparison -> p.

    Returns:
        `holm`, `benjamini-hochberg` and `unadjusted` -> 1 where any p is at most `LEVEL`, else 0.
    """
    adjusted = adjust_family(family, list(p_values), p_values, {})
    smallest = {
        "holm": min(each.holm for each in adjusted),
        "benjamini-hochberg": min(each.benjamini_hochberg for each in adjusted),
        "unadjusted": min(p_values.values()),
    }
    return {name: float(p <= LEVEL) for name, p in smallest.items()}
