"""The primary interval of an effect: networks (seeds) with what the study generalises to.

Seeds are crossed with stimuli and with subjects. The variance over seeds of the effect with each of
them, divided by their number, holds seeds and all that is a seed's own: its interaction with
stimuli and subjects, and noise. What is to be added is only what stimuli, or subjects, do alike
with all seeds: the covariance between seeds. Were all of their variance added, interactions would
be counted twice. Where both are generalised to, what is added is, of subjects, the covariance
between seeds of their variance, and of stimuli the covariance between different seeds of different
subjects. Variances over stimuli count pairs once, as in `jackknife`; those of cross-validated
scores also hold what stimuli do to a score in pairs, as in `mutual`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.jackknife import jackknife_variance
from rulealign.rsa.bootstrap.mutual import mutual_variance
from rulealign.rsa.bootstrap.subjects import MIN_DRAWS, ROUNDING, require_subjects
from rulealign.rsa.seeds import LEAST_SEEDS

STIMULI, SUBJECTS, BOTH = "stimuli", "subjects", "both"
"""What a study may generalise to, besides other seeds."""

OF_SEEDS = "seeds"
"""The part of a variance that is over seeds."""

_SEEDS, _SUBJECTS = 1, 2

Variance = Callable[[np.ndarray], np.ndarray]
"""Given samples along the first axis, makes the variance of what stands along the others."""


@dataclass(frozen=True)
class Effect:
    """An effect with each seed and each subject, and the same in samples of the stimuli.

    Attributes:
        scores: float64, shape (n_seeds, n_subjects), in units of the score; a contrast is taken
            seed by seed. Generalising to stimuli alone, one column will do: the mean over subjects.
        drawn: shape (draws, n_seeds, n_subjects); in resamples of the stimuli.
        left_out: shape (n_stimuli, n_seeds, n_subjects); without each stimulus.
        mutual: shape (2 probes, n_seeds, n_subjects); of a cross-validated score, what stimuli do
            to it in pairs, by `mutual.probed`. None of other scores.
    """

    scores: np.ndarray
    drawn: np.ndarray
    left_out: np.ndarray
    mutual: np.ndarray | None = None

    @classmethod
    def total(cls, parts: Iterable[tuple[float, Effect]]) -> Effect:
        """Sum effects of the same seeds, subjects and samples, each times a weight."""
        weights, effects = zip(*parts, strict=True)

        def summed(name: str) -> np.ndarray:
            return sum(w * getattr(one, name) for w, one in zip(weights, effects, strict=True))

        names = ["scores", "drawn", "left_out"]
        names += ["mutual"] if effects[0].mutual is not None else []
        return cls(*map(summed, names))

    def less(self, other: Effect) -> Effect:
        """Subtract another one of the same seeds, subjects and samples."""
        return self.total([(1, self), (-1, other)])


def goal_words(generalise_to: str) -> str:
    """Say what an interval generalises to, besides seeds, as tables do."""
    return f"{STIMULI}, {SUBJECTS}" if generalise_to == BOTH else generalise_to


class Part(NamedTuple):
    """One part of a variance.

    Attributes:
        variance: of the mean, in squared units of the score.
        freedom: its degrees of freedom.
    """

    variance: float
    freedom: float


class PrimaryInterval(NamedTuple):
    """An effect with its interval and p, all from one t distribution.

    Attributes:
        estimate: the mean over seeds and subjects.
        standard_error: of the estimate; 0 where the effect is 0 in every sample.
        degrees_of_freedom: by Satterthwaite from those of its parts.
        low: lower end.
        high: upper end.
        p: two-sided, of an effect of 0; below 1 - coverage where the interval excludes 0, and only
            there.
    """

    estimate: float
    standard_error: float
    degrees_of_freedom: float
    low: float
    high: float
    p: float


def primary_interval(
    effect: Effect, generalise_to: str, coverage: float, of_seed: Part | None = None
) -> PrimaryInterval:
    """Give an effect the interval that generalises to new seeds and to what the study says.

    Symmetric: not for scores near 1, and not for few stimuli. Not where stimuli share the noise of
    a run. With one seed, all of its variance over stimuli is added, which is careful.

    Args:
        effect: with each seed and subject.
        generalise_to: `STIMULI`, `SUBJECTS` or `BOTH`.
        coverage: such as .95.
        of_seed: variance of the effect with a single seed, over seeds: from `seed_variance`, or
            pooled where seeds are few. Without it the interval is that of these seeds only.

    Returns:
        The interval, by a t distribution. The variance is that over seeds divided by their number,
        plus the parts that seeds have in common; each of these is 0 at the least.

    Raises:
        MissingValue: there are fewer than 100 draws; fewer than 3 subjects where they are
            generalised to; or an effect that is not 0 has no variance.

    Source: for the parts, Cornfield & Tukey 1956, Annals of Mathematical Statistics 27:907;
    Satterthwaite 1946, Biometrics Bulletin 2:110.
    """
    estimate = float(effect.scores.mean())
    parts = variance_parts(effect, generalise_to, of_seed).values()
    variance = sum(part.variance for part in parts)
    drawn = effect.drawn.mean(axis=(1, 2))
    if variance == 0 or np.ptp(drawn) <= ROUNDING * np.abs(drawn).max():
        return _without_variance(estimate, float(len(effect.left_out) - 1))
    freedom = variance**2 / sum(part.variance**2 / part.freedom for part in parts)
    error = float(np.sqrt(variance))
    reach = float(stdtrit(freedom, (1 + coverage) / 2)) * error
    p = float(2 * stdtr(freedom, -abs(estimate) / error))
    return PrimaryInterval(estimate, error, freedom, estimate - reach, estimate + reach, p)


def variance_parts(
    effect: Effect, generalise_to: str, of_seed: Part | None = None
) -> dict[str, Part]:
    """Split the variance of the primary interval into its parts.

    Args:
        effect: as in `primary_interval`, like all that follow.
        generalise_to: see there.
        of_seed: see there.

    Returns:
        `STIMULI`, `SUBJECTS` or both, and `OF_SEEDS` where it is known -> that part.

    Raises:
        MissingValue: as in `primary_interval`.
    """
    parts = _parts(effect, generalise_to, apart=of_seed is not None)
    if of_seed is not None:
        parts[OF_SEEDS] = Part(of_seed.variance / len(effect.scores), of_seed.freedom)
    return parts


def _without_variance(estimate: float, freedom: float) -> PrimaryInterval:
    # both sides are the same representation, such as a layer that a rule does not touch
    if estimate:
        raise MissingValue(f"an effect of {estimate:g} is the same in every sample of stimuli")
    return PrimaryInterval(0.0, 0.0, freedom, 0.0, 0.0, 1.0)


def seed_variance(by_seed: np.ndarray) -> Part | None:
    """Estimate the variance over seeds of an effect with a single one.

    Args:
        by_seed: shape (n_seeds,); the effect with each seed, a contrast seed by seed.

    Returns:
        The variance, with one degree of freedom less than there are seeds; None below
        `LEAST_SEEDS`.
    """
    if len(by_seed) < LEAST_SEEDS:
        return None
    return Part(float(by_seed.var(ddof=1)), len(by_seed) - 1)


def _parts(effect: Effect, generalise_to: str, *, apart: bool) -> dict[str, Part]:
    # what is not over seeds; `apart`: only what seeds have in common
    seeds = (_SEEDS,) if apart else ()
    taken_whole = (*(() if apart else (-2,)), *((-1,) if generalise_to == STIMULI else ()))
    scores, drawn, left_out, mutual = (
        values if values is None else values.mean(axis=taken_whole, keepdims=True)
        for values in (effect.scores, effect.drawn, effect.left_out, effect.mutual)
    )
    parts = {}
    if generalise_to != STIMULI:
        n_subjects = scores.shape[1]
        require_subjects(n_subjects)
        shared = _shared(lambda x: x.var(axis=0, ddof=1), scores.T, seeds) / n_subjects
        parts[SUBJECTS] = Part(max(shared, 0.0), n_subjects - 1)
    if generalise_to != SUBJECTS:
        subjects = () if generalise_to == STIMULI else (_SUBJECTS,)
        parts[STIMULI] = _over_stimuli(drawn, left_out, mutual, (*subjects, *seeds))
    return parts


def _over_stimuli(
    drawn: np.ndarray, left_out: np.ndarray, mutual: np.ndarray | None, apart: Sequence[int]
) -> Part:
    if len(drawn) < MIN_DRAWS:
        raise MissingValue(
            f"a variance over resamples of stimuli needs {MIN_DRAWS} draws or more, not"
            f" {len(drawn)}; raise statistics.bootstrap_draws"
        )
    jackknife = max(_shared(jackknife_variance, left_out, apart), 0.0)
    bootstrap = _shared(lambda x: x.var(axis=0, ddof=1), drawn, apart)
    # with a of stimuli and q of pairs it is a + q: half the jackknife, a + 2 q, at the least
    variance = min(max(2 * jackknife - bootstrap, jackknife / 2), jackknife)
    if mutual is not None:
        variance = max(variance + _shared(mutual_variance, mutual, apart), jackknife / 2)
    return Part(variance, len(left_out) - 1)


def _shared(variance: Variance, values: np.ndarray, apart: Sequence[int]) -> float:
    """Estimate the variance of a mean that its members have in common: a mean covariance.

    A member's variance is common + own, that of the mean of n is common + own / n: so common is
    (n of_mean - single) / (n - 1). Over two axes, the members differ in both.

    Args:
        variance: of samples along the first axis.
        values: shape (n_samples, ...).
        apart: axes of members; one with a single member is taken as it is.

    Returns:
        The common variance; below 0 now and then, as it is nearly unbiased.
    """
    if not apart:
        return float(variance(values).mean())
    axis, *others = apart
    n = values.shape[axis]
    of_mean = _shared(variance, values.mean(axis=axis, keepdims=True), others)
    if n == 1:
        return of_mean
    single = np.mean([_shared(variance, one, others) for one in np.split(values, n, axis)])
    return float((n * of_mean - single) / (n - 1))
