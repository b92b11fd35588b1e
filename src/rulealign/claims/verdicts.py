"""What an interval says about a claim."""

from __future__ import annotations

from typing import NamedTuple

HOLDS, REVERSED, UNRESOLVED, MISSING = "holds", "reversed", "unresolved", "missing"
VERDICTS = (HOLDS, REVERSED, UNRESOLVED, MISSING)
SIDES = {"positive": 1, "negative": -1}
"""Direction of a claim -> the sign of the effect that it claims."""

TOO_SMALL = "too small to matter"


class Verdict(NamedTuple):
    """What an interval says.

    Attributes:
        word: one of `VERDICTS`.
        reason: why it is unresolved or missing, where there is more to say; "" otherwise.
    """

    word: str
    reason: str = ""


def judge(low: float, high: float, direction: str, smallest_effect: float) -> Verdict:
    """Hold the interval of an effect against a claim.

    Args:
        low: lower end of the interval, in units of the score.
        high: upper end.
        direction: positive or negative: of the claimed effect.
        smallest_effect: that matters, in units of the score; 0 for none.

    Returns:
        `holds` where the whole interval lies beyond the smallest effect on the claimed side,
        `reversed` where it does so on the other side, and `unresolved` otherwise: which is no
        evidence that there is no effect, unless the reason says that it is too small to matter.
    """
    nearest, farthest = sorted((SIDES[direction] * low, SIDES[direction] * high))
    if nearest > smallest_effect:
        return Verdict(HOLDS)
    if farthest < -smallest_effect:
        return Verdict(REVERSED)
    if smallest_effect > 0 and nearest >= -smallest_effect and farthest <= smallest_effect:
        within = f"the interval lies within ±{smallest_effect:g}"
        return Verdict(UNRESOLVED, f"{TOO_SMALL}: {within}")
    return Verdict(UNRESOLVED)
