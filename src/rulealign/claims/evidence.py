"""What resampled stimuli and seeds say against a claim: intervals, and p-values of one side.

A claim has a direction, and so has its p: it is against "no effect on the claimed side" (or none
beyond the smallest one of interest), while the interval is of both sides.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rulealign.claims.verdicts import SIDES
from rulealign.rsa.bootstrap import percentile_interval
from rulealign.rsa.corrected import corrected_interval
from rulealign.rsa.seeds import SignFlip, sign_flip_test

ALTERNATIVES = {"positive": "greater", "negative": "less"}
"""Direction of a claim -> what a sign-flip test of it is against."""


class StimulusEvidence(NamedTuple):
    """An effect's interval and p; they generalise to other stimuli, not to seeds or people.

    Attributes:
        low: lower end, in units of the score.
        high: upper end.
        p: one-sided.
    """

    low: float
    high: float
    p: float


def stimulus_p(draws: np.ndarray, direction: str, smallest_effect: float = 0.0) -> float:
    """Give the one-sided p of a claim by the resamples of the stimuli that deny it.

    Args:
        draws: shape (draws,); the effect in each resample, in units of the score.
        direction: positive or negative: of the claimed effect.
        smallest_effect: that the claim is about, in units of the score; 0 for any.

    Returns:
        (k + 1) / (n + 1), with k of n draws not beyond the smallest effect on the claimed side;
        never below 1 / (n + 1). It generalises to other stimuli, not to other seeds or people.

    Source: Davison & Hinkley, Bootstrap Methods and their Application (1997), section 4.2.1.
    """
    denying = int((SIDES[direction] * draws <= smallest_effect).sum())
    return (denying + 1) / (len(draws) + 1)


def by_percentiles(
    draws: np.ndarray, direction: str, smallest_effect: float, coverage: float
) -> StimulusEvidence:
    """Take interval and p of an effect from its resamples as they are.

    Too careful where noise of single pairs is strong: see `rsa.corrected`.

    Args:
        draws: shape (draws,); the effect in each resample, in units of the score.
        direction: positive or negative: of the claimed effect.
        smallest_effect: that the claim is about, in units of the score; 0 for any.
        coverage: such as .95.

    Returns:
        The evidence.

    Raises:
        DataError: as in `rsa.bootstrap.percentile_interval`.
    """
    low, high = percentile_interval(draws, coverage)
    return StimulusEvidence(float(low), float(high), stimulus_p(draws, direction, smallest_effect))


def by_corrected_variance(
    effect: float,
    drawn: np.ndarray,
    left_out: np.ndarray,
    direction: str,
    smallest_effect: float,
    coverage: float,
) -> StimulusEvidence:
    """Take interval and p of an effect from its corrected variance over stimuli.

    Args:
        effect: of all stimuli, in units of the score.
        drawn: shape (draws,); the same in each resample.
        left_out: shape (n_stimuli,); the same without each stimulus.
        direction: positive or negative: of the claimed effect.
        smallest_effect: that the claim is about, in units of the score; 0 for any.
        coverage: such as .95.

    Returns:
        The evidence; its p is half the two-sided one against the smallest effect where the effect
        lies beyond that, and 1 less that half where it does not.

    Raises:
        DataError: as in `rsa.corrected.corrected_variance`.
    """
    beyond = effect - SIDES[direction] * smallest_effect
    found = corrected_interval(
        np.atleast_1d(beyond), drawn[:, np.newaxis], left_out[:, np.newaxis], coverage
    )
    half = float(found.p[0]) / 2
    low, high = (float(end[0] + effect - beyond) for end in (found.low, found.high))
    return StimulusEvidence(low, high, half if SIDES[direction] * beyond > 0 else 1 - half)


def over_seeds(by_seed: np.ndarray, direction: str, smallest_effect: float = 0.0) -> SignFlip:
    """Test a claim over seeds, by the exact sign-flip test of its own side.

    Args:
        by_seed: shape (n_seeds,); the effect with each seed, in units of the score.
        direction: positive or negative: of the claimed effect.
        smallest_effect: that the claim is about, in units of the score; 0 for any.

    Returns:
        The test; without a p where there are fewer than 2 seeds, or more than 20.

    Raises:
        DataError: there is no seed, or an effect is not finite.
    """
    beyond = by_seed - SIDES[direction] * smallest_effect
    return sign_flip_test(beyond, ALTERNATIVES[direction])
