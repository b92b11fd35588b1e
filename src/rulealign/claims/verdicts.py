"""What an interval says about a claim."""

from __future__ import annotations

from typing import NamedTuple

from scipy.special import stdtr

from rulealign.rsa.bootstrap.primary import PrimaryInterval

HOLDS, REVERSED, UNRESOLVED = "holds", "reversed", "unresolved"
UNINFORMATIVE, MISSING = "uninformative", "missing"
VERDICTS = (HOLDS, REVERSED, UNRESOLVED, UNINFORMATIVE, MISSING)
SIDES = {"positive": 1, "negative": -1}
"""Direction of a claim -> the sign of the effect that it claims."""

TOO_SMALL = "too small to matter"


class Verdict(NamedTuple):
    """What an interval says.

    Attributes:
        word: one of `VERDICTS`.
        reason: why it is missing, or that it is too small to matter; "" otherwise.
    """

    word: str
    reason: str = ""


def judge(low: float, high: float, direction: str) -> str:
    """Hold the interval of an effect against a claim: superiority over 0.

    Args:
        low: lower end of the interval, in units of the score.
        high: upper end.
        direction: positive or negative: of the claimed effect.

    Returns:
        `holds` where the whole interval lies on the claimed side of 0, `reversed` where it lies on
        the other side, and `unresolved` otherwise: which is no evidence that there is no effect.
    """
    nearest, farthest = sorted((SIDES[direction] * low, SIDES[direction] * high))
    if nearest > 0:
        return HOLDS
    return REVERSED if farthest < 0 else UNRESOLVED


def equivalence_p(found: PrimaryInterval, smallest_effect: float) -> float:
    """Test whether an effect is too small to matter, by two one-sided tests.

    Args:
        found: the effect with its interval.
        smallest_effect: that matters, on either side of 0; above 0, in units of the score.

    Returns:
        The larger p of the tests against an effect beyond it on either side: at most .05 where the
        90% interval lies within the smallest effect on both sides, and only there.

    Source: Schuirmann 1987, J Pharmacokinet Biopharm 15:657.
    """
    room = smallest_effect - abs(found.estimate)
    if not found.standard_error:
        return 0.0 if room > 0 else 1.0
    return float(stdtr(found.degrees_of_freedom, -room / found.standard_error))


def too_small(p: float, coverage: float, smallest_effect: float) -> str:
    """Say that an effect is too small to matter; "" where that is not shown.

    Args:
        p: of `equivalence_p`.
        coverage: of the two-sided interval, such as .95; the level is 1 less it.
        smallest_effect: that matters, in units of the score.
    """
    if p > 1 - coverage:
        return ""
    inner = 100 * (1 - 2 * (1 - coverage))
    return f"{TOO_SMALL}: the {inner:.3g}% interval lies within ±{smallest_effect:g}"
