"""Specification curves: whether a claim holds over many universes that share their data.

Universes are the same networks, stimuli and subjects, so their verdicts cannot be counted as
evidence: where nothing is there, a grid has some by chance. What is tested instead is the median
effect over them, each in units of its standard error, against what all of them together would show
where nothing is there.

Source: Simonsohn, Simmons & Nelson 2020, Nature Human Behaviour 4:1208.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import gammaincinv

from rulealign.provenance import derive_seed
from rulealign.rsa.bootstrap.primary import (
    OF_SEEDS,
    STIMULI,
    SUBJECTS,
    Effect,
    Part,
    PrimaryInterval,
)

_ROUNDING = 1e-12
"""Medians that differ by less are equal but for rounding."""


class InErrors(NamedTuple):
    """A universe's effect in standard errors, and what it would be where nothing is there.

    Attributes:
        effect: in standard errors.
        null: float64, shape (draws,); jointly drawn with those of other universes.
    """

    effect: float
    null: np.ndarray


class Curve(NamedTuple):
    """The median of a curve, and its test.

    Attributes:
        median: over the universes, in standard errors.
        p: two-sided; never below 1 / (draws + 1).
        null: shape (draws,); the medians where nothing is there.
    """

    median: float
    p: float
    null: np.ndarray


@dataclass(frozen=True)
class Noise:
    """Random numbers that the null draws of all universes share.

    Attributes:
        scale: shape (draws,), from 0 to 1: how far each draw's standard errors are off.
        seeds: seed -> float64, shape (draws,); standard normal.
        subjects: float64, shape (draws, n_subjects); standard normal.
    """

    scale: np.ndarray
    seeds: Mapping[int, np.ndarray]
    subjects: np.ndarray


def shared_noise(study_seed: int, draws: int, seeds: Sequence[int], n_subjects: int) -> Noise:
    """Draw the random numbers of a study's curves.

    Args:
        study_seed: the study's seed.
        draws: number of resamples of the stimuli.
        seeds: of the networks; each has numbers of its own, whatever the others are.
        n_subjects: number of subjects.

    Returns:
        The numbers.
    """
    source = "specification curve"

    def generator(*what: object) -> np.random.Generator:
        return np.random.default_rng(derive_seed(study_seed, source, *what))

    each = {seed: generator("seed", seed).standard_normal(draws) for seed in seeds}
    subjects = generator("subjects").standard_normal((draws, n_subjects))
    return Noise(generator("scale").random(draws), each, subjects)


def no_difference(
    effect: Effect,
    found: PrimaryInterval,
    parts: Mapping[str, Part],
    seeds: Sequence[int],
    noise: Noise,
) -> InErrors:
    """Put a contrast beside what it would be, in standard errors, were there no difference.

    Each part of the variance of the primary interval has draws of its own, with just that variance:
    the resamples of the stimuli, centred at their own mean; and seeds and subjects, whose
    deviations from their mean get random weights. All are shared by the universes, and so are their
    correlations. As the standard error is itself an estimate, draws have the tails of its t
    distribution.

    Args:
        effect: of one universe.
        found: its primary interval.
        parts: the parts of its variance, from `primary.variance_parts`.
        seeds: of the networks, as in the effect's scores.
        noise: from `shared_noise`.

    Returns:
        The effect and its draws; 0 where it has no variance.
    """
    error, freedom = found.standard_error, found.degrees_of_freedom
    if not error:
        return InErrors(0.0, np.zeros(len(noise.scale)))
    members = {
        STIMULI: lambda: _standardised(effect.drawn.mean(axis=(1, 2))),
        SUBJECTS: lambda: _weighted(
            noise.subjects[:, : effect.scores.shape[1]], effect.scores.mean(axis=0)
        ),
        OF_SEEDS: lambda: _weighted(
            np.stack([noise.seeds[seed] for seed in seeds], axis=1), effect.scores.mean(axis=1)
        ),
    }
    drawn = sum(np.sqrt(part.variance) * members[name]() for name, part in parts.items())
    # the square of a standard error is off by a chi-square over its degrees of freedom
    off = 2 * gammaincinv(freedom / 2, noise.scale) / freedom
    return InErrors(found.estimate / error, drawn / (error * np.sqrt(off)))


def _standardised(drawn: np.ndarray) -> np.ndarray:
    spread = drawn.std()
    return (drawn - drawn.mean()) / spread if spread else np.zeros(len(drawn))


def _weighted(normal: np.ndarray, members: np.ndarray) -> np.ndarray:
    # standard normal; correlated between universes as their members' deviations are
    apart = members - members.mean()
    if not apart.any():  # one member, whose variance was taken from elsewhere
        apart = np.ones(len(members))
    return normal @ apart / np.linalg.norm(apart)


def no_alignment(effect: float, shuffled: np.ndarray) -> InErrors:
    """Put a level beside what it would be, in standard errors, were there no alignment.

    Args:
        effect: of one universe, in units of the score.
        shuffled: shape (shuffles,); the same with the brain's stimuli permuted, by the same
            permutations in all universes.

    Returns:
        The effect, and what shuffles made of it, both divided by the standard deviation of all of
        these: so that the effect is exchangeable with them where there is no alignment.
    """
    error = float(np.append(shuffled, effect).std())
    if not error:
        return InErrors(0.0, np.zeros(len(shuffled)))
    return InErrors(effect / error, shuffled / error)


def median_test(universes: Sequence[InErrors]) -> Curve:
    """Test the median of a curve.

    Args:
        universes: one or more, from `no_difference` or all from `no_alignment`; of equally many
            draws.

    Returns:
        The median and its two-sided p: (k + 1) / (draws + 1), with k draws whose median lies as
        far from 0.
    """
    median = float(np.median([one.effect for one in universes]))
    null = np.median([one.null for one in universes], axis=0)
    far = np.abs(null) >= abs(median) - _ROUNDING
    return Curve(median, (int(far.sum()) + 1) / (len(null) + 1), null)


def adjusted_together(curves: Sequence[Curve]) -> list[float]:
    """Adjust the tests of curves over the same draws for their number, by the largest of them.

    A median is held against the largest median of *all* curves in each draw, each in units of the
    standard deviation of its own null (Westfall & Young 1993, single step). That one or more of
    them are found where nothing is there is as seldom as for one curve alone. Correlated curves
    count for less than independent ones, and p does not rise with their mere number, as it does by
    Holm: 280 cells times 1 / 1001 could never be below .05.

    Args:
        curves: from `median_test`, of universes with the same draws: not levels with contrasts.

    Returns:
        The adjusted p of each, never below its own nor below 1 / (draws + 1).
    """
    if not curves:
        return []
    nulls = np.stack([curve.null for curve in curves])
    spread = nulls.std(axis=1)
    units = np.where(spread > 0, spread, np.inf)
    largest = np.abs(nulls / units[:, None]).max(axis=0)
    far = np.abs([curve.median for curve in curves]) / units - _ROUNDING
    counts = (largest >= far[:, None]).sum(axis=1)
    return [float(p) for p in (counts + 1) / (len(largest) + 1)]
