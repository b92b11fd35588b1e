"""Differences between seeds: the exact sign-flip test, and Cohen's d, paired and unpaired."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rulealign.errors import ConfigurationError, DataError

ALTERNATIVES = ("greater", "less", "two-sided")
"""What a sign-flip test is against: a mean difference above 0, below 0, or either."""

LEAST_SEEDS = 3
"""With fewer, a variance over seeds is hardly an estimate."""

_TOLERANCE = 1e-12
"""Sums that differ by less than this share of the largest difference are equal but for rounding."""

_MOST_SEEDS = 20
"""2^20 sign patterns are 8 MB; more seeds than that need no exact test."""


class SignFlip(NamedTuple):
    """The result of a sign-flip test.

    Attributes:
        p: share of the sign patterns with a mean at least as extreme, the observed one among
            them; None where it is missing.
        floor: the smallest p that so many seeds allow; None where p is missing.
        reason: why p is missing; "" where it is not.
    """

    p: float | None
    floor: float | None
    reason: str = ""


class EffectSize(NamedTuple):
    """A standardised mean difference; paired and unpaired ones are not interchangeable.

    Attributes:
        value: in standard deviations; None where it is missing.
        reason: why the value is missing; "" where it is not.
    """

    value: float | None
    reason: str = ""


def sign_flip_test(differences: np.ndarray, alternative: str) -> SignFlip:
    """Test whether paired differences over seeds lie around 0, by all 2^n patterns of signs.

    If the two sides of a pair are exchangeable, each difference could as well have had the other
    sign. Means that differ by less than 1e-12 of the largest difference are counted as equal, so
    that p never depends on the order of summation. Its p cannot fall below 1/2^n (two-sided
    2/2^n), however large the effect, and a difference of 0 doubles that. Not for
    unpaired seeds, and not for stimuli or pairs of stimuli, which the bootstrap resamples.

    Args:
        differences: shape (n_seeds,), in units of the score; one side less the other, seed by
            seed.
        alternative: one of `ALTERNATIVES`; declare it before seeing the differences.

    Returns:
        The test; without a p where there are fewer than 2 seeds, or more than 20.

    Raises:
        DataError: there is no difference, or one is not finite.
        ConfigurationError: there is no such alternative.

    Source: Fisher, The Design of Experiments (1935), section 21.
    """
    differences = _finite(differences, "differences")
    if alternative not in ALTERNATIVES:
        raise ConfigurationError(f"there is no alternative {alternative!r}; use {ALTERNATIVES}.")
    n = len(differences)
    if n < 2:
        return SignFlip(
            None, None, f"{n} seed: flipping its sign tests nothing, train at least 2 seeds"
        )
    if n > _MOST_SEEDS:
        reason = f"{n} seeds have too many sign patterns to try them all; at most {_MOST_SEEDS}"
        return SignFlip(None, None, reason)
    side = {"greater": 1.0, "less": -1.0}.get(alternative)
    sums, observed = _flipped_sums(differences), differences.sum()
    sums, observed = (
        (np.abs(sums), abs(observed)) if side is None else (side * sums, side * observed)
    )
    p = float(np.mean(sums >= observed - _TOLERANCE * np.abs(differences).max() * n))
    return SignFlip(p, (1 if side else 2) / 2**n)


def _flipped_sums(differences: np.ndarray) -> np.ndarray:
    sums = np.zeros(1)
    for difference in differences:
        sums = np.concatenate([sums + difference, sums - difference])
    return sums


def paired_d(differences: np.ndarray) -> EffectSize:
    """Divide the mean of paired differences by their standard deviation: Cohen's d_z.

    With few seeds it overestimates (there is no correction of small samples here), and where the
    seeds' scores correlate it exceeds the unpaired d of the same scores. Not to be compared with
    an unpaired d.

    Args:
        differences: shape (n_seeds,), in units of the score; one side less the other, seed by
            seed.

    Returns:
        The effect size; without a value where there are fewer than 3 seeds, or the differences are
        all equal (but for rounding: 1e-12 of the largest).

    Raises:
        DataError: there is no difference, or one is not finite.

    Source: Cohen, Statistical Power Analysis (1988), section 2.3.5; Lakens 2013, Frontiers in
    Psychology 4:863, equation 6.
    """
    differences = _finite(differences, "differences")
    if len(differences) < LEAST_SEEDS:
        return EffectSize(None, _too_few(len(differences)))
    spread = float(np.std(differences, ddof=1))
    if spread <= _TOLERANCE * np.abs(differences).max():
        return EffectSize(None, "the differences of all seeds are equal")
    return EffectSize(float(np.mean(differences)) / spread)


def _too_few(n: int) -> str:
    return f"a standard deviation over seeds needs {LEAST_SEEDS} of them, not {n}"


def unpaired_d(one: np.ndarray, other: np.ndarray) -> EffectSize:
    """Divide the difference of two means by the pooled standard deviation: Cohen's d_s.

    For sides whose seeds do not belong together. The sides' variances are taken to be equal; with
    few seeds it overestimates (there is no correction of small samples here).

    Args:
        one: shape (n_one,); the scores of one side, a seed each.
        other: shape (n_other,); those of the other.

    Returns:
        The effect size, above 0 where `one` has the higher mean; without a value where a side has
        fewer than 3 seeds or neither varies (but for rounding: 1e-12 of the largest score).

    Raises:
        DataError: a side has no score, or one that is not finite.

    Source: Cohen, Statistical Power Analysis (1988), section 2.5; Lakens 2013, Frontiers in
    Psychology 4:863, equation 1.
    """
    one, other = _finite(one, "scores of one side"), _finite(other, "scores of the other side")
    n = (len(one), len(other))
    if min(n) < LEAST_SEEDS:
        return EffectSize(None, _too_few(min(n)))
    squares = ((one - one.mean()) ** 2).sum() + ((other - other.mean()) ** 2).sum()
    spread = float(np.sqrt(squares / (sum(n) - 2)))
    if spread <= _TOLERANCE * max(np.abs(one).max(), np.abs(other).max()):
        return EffectSize(None, "neither side varies over its seeds")
    return EffectSize(float(one.mean() - other.mean()) / spread)


def _finite(values: np.ndarray, what: str) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or not len(values):
        raise DataError(f"the {what} have the shape {values.shape}; give one number per seed.")
    if not np.isfinite(values).all():
        place = int(np.argmin(np.isfinite(values)))
        raise DataError(
            f"the {what} are {values[place]} at place {place}; leave no seed out of a"
            " test silently: find out why it has no score."
        )
    return values
