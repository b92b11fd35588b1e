"""Bootstraps that generalise to new subjects: over subjects, and crossed with that over stimuli."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from rulealign.errors import DataError
from rulealign.provenance import derive_seed
from rulealign.reasons import MissingValue

MIN_SUBJECTS = 3
"""With fewer subjects there is no bootstrap over them."""

RECOMMENDED_SUBJECTS = 5
"""With fewer subjects, a variance over them is hardly an estimate."""

MIN_DRAWS = 100
"""With fewer draws, a variance over them has a relative standard error of more than a seventh."""

ROUNDING = 1e-12
"""Draws that spread by less than this share of the largest are equal but for rounding."""


@dataclass(frozen=True)
class SubjectInterval:
    """Means over subjects, with intervals that generalise to other subjects.

    Attributes:
        estimate: float64, shape (n_scores,).
        low: lower ends.
        high: upper ends.
        variance: of the estimates, corrected.
        degrees_of_freedom: of the t distribution that the ends are taken from; where they differ
            between scores, float64, shape (n_scores,).
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    variance: np.ndarray
    degrees_of_freedom: int | np.ndarray


def subject_seed(study_seed: int, n_subjects: int) -> int:
    """Derive the seed that every rule, layer, ROI and epoch of a study shares.

    Args:
        study_seed: the study's seed.
        n_subjects: number of subjects.

    Returns:
        The seed of `subject_counts`.
    """
    return derive_seed(study_seed, "subject bootstrap", n_subjects)


def subject_counts(n_subjects: int, draws: int, seed: int) -> np.ndarray:
    """Draw as many subjects as there are, with replacement, and count each.

    Args:
        n_subjects: number of subjects.
        draws: number of resamples.
        seed: of the draws, normally `subject_seed`.

    Returns:
        int64, shape (draws, n_subjects); every row sums to `n_subjects`.

    Raises:
        DataError: there are fewer than 3 subjects; names the number.
    """
    require_subjects(n_subjects)
    chance = np.full(n_subjects, 1 / n_subjects)
    return np.random.default_rng(seed).multinomial(n_subjects, chance, size=draws)


def subject_draws(rho: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average scores over every resample of the subjects.

    Args:
        rho: shape (n_scores, n_subjects); each subject's score, or difference of scores.
        counts: shape (draws, n_subjects); of `subject_counts`.

    Returns:
        float64, shape (draws, n_scores).

    Raises:
        DataError: scores and counts do not fit, there are fewer than 3 subjects, or a score is not
            finite.
    """
    _require_fit(rho, counts)
    return counts @ rho.T / counts.shape[1]


def crossed_draws(stimulus_rho: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Average over resamples of the subjects scores that rest on resamples of the stimuli.

    Args:
        stimulus_rho: shape (draws, n_scores, n_subjects); each subject's score, or difference of
            scores, in each resample of the stimuli: `bootstrap.bootstrap_spearman` of the
            subjects' RDMs (without their mean) and without `combine`.
        counts: shape (draws, n_subjects); of `subject_counts`. A draw resamples both.

    Returns:
        float64, shape (draws, n_scores); too widely spread for an interval: see `crossed_variance`.

    Raises:
        DataError: as `subject_draws`.
    """
    _require_fit(stimulus_rho, counts)
    if len(stimulus_rho) != len(counts):
        raise DataError(
            f"{len(stimulus_rho)} draws of stimuli do not fit {len(counts)} of subjects."
        )
    return np.einsum("dms,ds->dm", stimulus_rho, counts / counts.shape[1])


def crossed_variance(
    both: np.ndarray, subjects: np.ndarray, stimuli: np.ndarray, n_subjects: int, n_stimuli: int
) -> np.ndarray:
    """Combine three bootstrap variances into that of a mean over new subjects and new stimuli.

    Resampling both factors counts the variance of each once and that of their interaction (with
    all noise of measurement) three times; resampling one counts that of this factor and of the
    interaction once. So 2 (subjects + stimuli) - both counts each once. For samples of n, a
    bootstrap variance is (n - 1) / n of the true one; each term is divided by its factors. The
    result is kept between the larger of the two single variances, corrected, and `both`.

    Args:
        both: shape (n_scores,); variance over draws that resample subjects and stimuli.
        subjects: shape (n_scores,); variance over the same draws of subjects, all stimuli kept.
        stimuli: shape (n_scores,); variance over the same draws of stimuli, all subjects kept.
        n_subjects: number of subjects.
        n_stimuli: number of stimuli.

    Returns:
        float64, shape (n_scores,).

    Source: Schuett et al. 2023, eLife 12:e82566, the corrected 2-factor bootstrap; with the small
    samples' factors and the bounds of rsatoolbox (`eval_dual_bootstrap`).
    """
    of_subjects, of_stimuli = (n / (n - 1) for n in (n_subjects, n_stimuli))
    interaction = of_subjects * of_stimuli * (both - subjects - stimuli)
    single = np.maximum(of_subjects * subjects, of_stimuli * stimuli)
    combined = of_subjects * subjects + of_stimuli * stimuli - interaction
    return np.minimum(np.maximum(combined, single), both)


def crossed_interval(
    rho: np.ndarray, stimulus_rho: np.ndarray, counts: np.ndarray, n_stimuli: int, coverage: float
) -> SubjectInterval:
    """Give the mean over subjects an interval that generalises to new subjects and new stimuli.

    Args:
        rho: shape (n_scores, n_subjects); each subject's score. For a contrast, pass each
            subject's differences as scores. Convention `per_subject` only: a mean over subjects of
            RDMs is no mean of scores.
        stimulus_rho: shape (draws, n_scores, n_subjects); the same scores in each resample of the
            stimuli; see `crossed_draws`.
        counts: shape (draws, n_subjects); of `subject_counts`.
        n_stimuli: number of stimuli.
        coverage: such as .95.

    Returns:
        Means with t intervals of min(n_subjects, n_stimuli) - 1 degrees of freedom, from
        `crossed_variance`; cautious where the stimuli, the larger sample, make most of it.

    Raises:
        DataError: there are fewer than 3 subjects or 100 draws, scores and counts do not fit, or a
            score is not finite or does not vary.
    """
    if stimulus_rho.shape[1:] != rho.shape:
        raise DataError(
            f"scores of the shape {rho.shape} do not fit draws of {stimulus_rho.shape[1:]}."
        )
    both = draw_variance(crossed_draws(stimulus_rho, counts), "subjects and stimuli")
    subjects = draw_variance(subject_draws(rho, counts), "subjects")
    stimuli = draw_variance(stimulus_rho.mean(axis=2), "stimuli")
    n = counts.shape[1]
    variance = crossed_variance(both, subjects, stimuli, n, n_stimuli)
    return t_interval(rho.mean(axis=1), variance, min(n, n_stimuli) - 1, coverage)


def draw_variance(draws: np.ndarray, what: str) -> np.ndarray:
    """Estimate the variance over draws.

    Args:
        draws: shape (draws, n_scores).
        what: is resampled, for the message.

    Returns:
        float64, shape (n_scores,).

    Raises:
        DataError: there are fewer than 100 draws, or a score is the same in all.
    """
    if len(draws) < MIN_DRAWS:
        raise DataError(f"variance over {what}: needs {MIN_DRAWS} draws or more, not {len(draws)}.")
    variance = draws.var(axis=0, ddof=1)
    constant = variance <= (ROUNDING * np.abs(draws).max(axis=0)) ** 2
    if constant.any():
        place = int(np.argmax(constant))
        raise DataError(f"score {place} is the same in every resample of {what}: no interval.")
    return variance


def t_interval(
    estimate: np.ndarray,
    variance: np.ndarray,
    freedom: int | np.ndarray,
    coverage: float,
) -> SubjectInterval:
    """Give means over subjects a symmetric interval.

    Args:
        estimate: shape (n_scores,).
        variance: of the estimates, shape (n_scores,).
        freedom: degrees of freedom of the t distribution; one, or one per score.
        coverage: such as .95.

    Returns:
        The intervals. Not for estimates of a skewed distribution, such as scores near 1.
    """
    reach = stdtrit(freedom, (1 + coverage) / 2) * np.sqrt(variance)
    return SubjectInterval(estimate, estimate - reach, estimate + reach, variance, freedom)


def require_subjects(n_subjects: int) -> None:
    """Refuse to generalise to other subjects from too few.

    Args:
        n_subjects: number of subjects.

    Raises:
        MissingValue: there are fewer than 3; names the number and the remedy.
    """
    if n_subjects < MIN_SUBJECTS:
        raise MissingValue(
            f"a bootstrap over subjects needs at least {MIN_SUBJECTS} of them (better"
            f" {RECOMMENDED_SUBJECTS}), not {n_subjects}; use the bootstrap over stimuli"
        )


def _require_fit(rho: np.ndarray, counts: np.ndarray) -> None:
    n_subjects = rho.shape[-1]
    require_subjects(n_subjects)
    if counts.shape[1] != n_subjects or (counts.sum(axis=1) != n_subjects).any():
        raise DataError(
            f"scores of {n_subjects} subjects do not fit resamples of {counts.shape[1]}, as"
            " `subject_counts` draws them."
        )
    if not np.isfinite(rho).all():
        place = tuple(np.argwhere(~np.isfinite(rho))[0].tolist())
        raise DataError(f"the score at {place} is {rho[place]}; leave no subject out silently.")
