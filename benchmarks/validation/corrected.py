"""Intervals that the validation holds beside those of the pipeline, which has the primary one.

Those over stimuli count the noise of single pairs once (see `rsa.bootstrap.jackknife`). Where
subjects are a sample too, the variance over subjects of their scores holds, besides what they
differ in, all noise of their own. What is to be added is only what stimuli and pairs do alike in
all subjects: the covariance between subjects of their scores over stimuli, corrected in the same
way.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from rulealign.errors import DataError
from rulealign.rsa.bootstrap.jackknife import jackknife_variance
from rulealign.rsa.bootstrap.subjects import (
    MIN_DRAWS,
    ROUNDING,
    SubjectInterval,
    draw_variance,
    require_subjects,
    subject_draws,
    t_interval,
)


@dataclass(frozen=True)
class StimulusInterval:
    """Scores with intervals that generalise to new stimuli, for the same subjects.

    Attributes:
        estimate: float64, shape (n_scores,).
        low: lower ends.
        high: upper ends.
        variance: of the estimates, corrected.
        p: two-sided, of a score of 0; for differences.
        degrees_of_freedom: of the t distribution that ends and p are taken from.
    """

    estimate: np.ndarray
    low: np.ndarray
    high: np.ndarray
    variance: np.ndarray
    p: np.ndarray
    degrees_of_freedom: int


def subject_interval(rho: np.ndarray, counts: np.ndarray, coverage: float) -> SubjectInterval:
    """Give the mean over subjects an interval that generalises to new subjects, not new stimuli.

    Args:
        rho: shape (n_scores, n_subjects); each subject's score. For a contrast, pass each
            subject's differences as scores. Convention `per_subject` only: a mean over subjects of
            RDMs is no mean of scores.
        counts: shape (draws, n_subjects); of `subject_counts`.
        coverage: such as .95.

    Returns:
        Means with t intervals of n_subjects - 1 degrees of freedom, from the bootstrap variance
        times n / (n - 1).

    Raises:
        DataError: there are fewer than 3 subjects or 100 draws, scores and counts do not fit, or a
            score is not finite or does not vary.
    """
    variance = draw_variance(subject_draws(rho, counts), "subjects")
    n = counts.shape[1]
    return t_interval(rho.mean(axis=1), variance * n / (n - 1), n - 1, coverage)


def corrected_variance(drawn: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Combine bootstrap and jackknife into a variance that counts stimuli and pairs once.

    With the shares a of stimuli and q of pairs, the truth a + q lies between half the jackknife,
    a + 2 q, and all of it; the result is kept there. As the difference of two estimates scatters,
    it is some tenths too large where pairs are all of the variance (1.2 times at 80 stimuli).

    Args:
        drawn: shape (draws, n_scores); scores in resamples of the stimuli.
        left_out: shape (n_stimuli, n_scores); the same scores without each stimulus.

    Returns:
        float64, shape (n_scores,).

    Raises:
        DataError: there are fewer than 100 draws, the numbers of scores differ, or a score is not
            finite or the same in every resample.
    """
    _require_draws(drawn, left_out)
    jackknife = jackknife_variance(left_out)
    return np.clip(_unlimited_variance(drawn, left_out), jackknife / 2, jackknife)


def corrected_interval(
    score: np.ndarray, drawn: np.ndarray, left_out: np.ndarray, coverage: float
) -> StimulusInterval:
    """Give scores intervals that generalise to new stimuli, for the same subjects.

    Symmetric around the score, unlike percentiles. Not for scores near 1 or of few stimuli, whose
    distribution is skewed; and, like all resampling of stimuli, not where stimuli share the noise
    of a run.

    Args:
        score: shape (n_scores,); scores, or differences of scores, of all stimuli.
        drawn: shape (draws, n_scores); the same in resamples of the stimuli.
        left_out: shape (n_stimuli, n_scores); the same without each stimulus, from
            `left_out_counts`.
        coverage: such as .95.

    Returns:
        The intervals, from a t distribution of n_stimuli - 1 degrees of freedom.

    Raises:
        DataError: as in `corrected_variance`.
    """
    variance, freedom = corrected_variance(drawn, left_out), len(left_out) - 1
    spread = np.sqrt(variance)
    reach = stdtrit(freedom, (1 + coverage) / 2) * spread
    p = 2 * stdtr(freedom, -np.abs(score) / spread)
    return StimulusInterval(score, score - reach, score + reach, variance, p, freedom)


def common_variance(drawn: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    """Estimate the variance over stimuli that all subjects have in common: a mean covariance.

    A subject's own corrected variance is common + own, that of the mean over n subjects is
    common + own / n; so common is (n of_mean - single) / (n - 1), the mean over pairs of subjects
    of the covariance of their scores. Not for few stimuli: it is right up to terms of
    1 / n_stimuli.

    Args:
        drawn: shape (draws, n_scores, n_subjects); each subject's scores in resamples of the
            stimuli, the same resamples for all.
        left_out: shape (n_stimuli, n_scores, n_subjects); the same without each stimulus.

    Returns:
        float64, shape (n_scores,); below 0 now and then, as it is nearly unbiased.

    Raises:
        DataError: there are fewer than 3 subjects or 100 draws, the shapes do not fit, or a score
            is not finite or the same in every resample.
    """
    n_subjects = drawn.shape[-1]
    require_subjects(n_subjects)
    _require_draws(drawn, left_out)
    of_mean = _unlimited_variance(drawn.mean(axis=-1), left_out.mean(axis=-1))
    single = _unlimited_variance(drawn, left_out).mean(axis=-1)
    return (n_subjects * of_mean - single) / (n_subjects - 1)


def _unlimited_variance(drawn: np.ndarray, left_out: np.ndarray) -> np.ndarray:
    return 2 * jackknife_variance(left_out) - drawn.var(axis=0, ddof=1)


def corrected_crossed_interval(
    rho: np.ndarray, drawn: np.ndarray, left_out: np.ndarray, coverage: float
) -> SubjectInterval:
    """Give the mean over subjects an interval that generalises to new subjects and new stimuli.

    Not where stimuli share the noise of a run; and not for scores near 1, as it is symmetric. The
    degrees of freedom of the common part are an upper limit: where noise of pairs is strong it
    scatters more, and intervals of 95% may cover a per cent or two less.

    Args:
        rho: shape (n_scores, n_subjects); each subject's score, or difference of scores.
        drawn: shape (draws, n_scores, n_subjects); the same in resamples of the stimuli.
        left_out: shape (n_stimuli, n_scores, n_subjects); the same without each stimulus, from
            `left_out_counts`.
        coverage: such as .95.

    Returns:
        Means with t intervals. Their variance is that over subjects divided by their number, plus
        `common_variance`, taken as 0 where it is below; degrees of freedom by Satterthwaite 1946
        from those of the two parts, n_subjects - 1 and n_stimuli - 1.

    Raises:
        DataError: as in `common_variance`; or a score is the same in all subjects and has nothing
            in common over stimuli.
    """
    n_stimuli, n_subjects = len(left_out), rho.shape[1]
    require_subjects(n_subjects)
    if drawn.shape[1:] != rho.shape or left_out.shape[1:] != rho.shape:
        raise DataError(
            f"scores of the shape {rho.shape} do not fit draws of {drawn.shape[1:]} and scores"
            f" without a stimulus of {left_out.shape[1:]}."
        )
    if not np.isfinite(rho).all():
        raise DataError("a subject's score is not finite; leave no subject out silently.")
    of_subjects = rho.var(axis=1, ddof=1) / n_subjects
    common = np.maximum(common_variance(drawn, left_out), 0)
    variance = of_subjects + common
    constant = variance <= (ROUNDING * np.abs(rho).max(axis=1)) ** 2
    if constant.any():
        raise DataError(
            f"score {int(np.argmax(constant))} is the same in all subjects and has nothing in"
            " common over stimuli: it has no interval."
        )
    parts = of_subjects**2 / (n_subjects - 1) + common**2 / (n_stimuli - 1)
    return t_interval(rho.mean(axis=1), variance, variance**2 / parts, coverage)


def _require_draws(drawn: np.ndarray, left_out: np.ndarray) -> None:
    if len(drawn) < MIN_DRAWS:
        raise DataError(
            f"a variance over resamples of stimuli needs {MIN_DRAWS} draws or more, not"
            f" {len(drawn)}; raise statistics.bootstrap_draws."
        )
    if drawn.shape[1:] != left_out.shape[1:]:
        raise DataError(
            f"draws of {drawn.shape[1:]} scores do not fit {left_out.shape[1:]} without a stimulus."
        )
    for what, values in (("resample", drawn), ("sample without a stimulus", left_out)):
        if not np.isfinite(values).all():
            raise DataError(f"a score is not finite in some {what}; leave no draw out silently.")
        constant = np.ptp(values, axis=0) <= ROUNDING * np.abs(values).max(axis=0)
        if constant.any():
            score, *subject = (int(place) for place in np.argwhere(constant)[0])
            of_whom = f" of subject {subject[0]} (from 0)" if subject else ""
            raise DataError(f"score {score}{of_whom} is the same in every {what}: no interval.")
