"""Bootstraps over subjects against rsatoolbox, all resamples, t intervals and known truth."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.bootstrap.subjects import (
    crossed_draws,
    crossed_interval,
    crossed_variance,
    subject_counts,
    subject_draws,
    subject_seed,
)
from rulealign.rsa.compare import spearman_matrix
from validation.corrected import subject_interval


def every_resample(n):
    """All n^n ways to draw n of n, as counts."""
    return np.array([np.bincount(drawn, minlength=n) for drawn in product(range(n), repeat=n)])


def test_variance_over_all_resamples_gives_the_t_interval():
    rho = np.random.default_rng(0).normal(0.2, 0.1, (3, 5))
    counts = every_resample(5)
    found = subject_interval(rho, counts, 0.9)
    theirs = ttest_1samp(rho, 0, axis=1).confidence_interval(0.9)
    # the variance of 3,125 draws is that of all resamples but for 3125 / 3124
    reach = (theirs.high - theirs.low) / 2 * np.sqrt(len(counts) / (len(counts) - 1))
    np.testing.assert_allclose(found.estimate, rho.mean(axis=1), atol=1e-15)
    np.testing.assert_allclose(found.high - found.estimate, reach, rtol=1e-12)
    np.testing.assert_allclose(found.estimate - found.low, reach, rtol=1e-12)
    assert found.degrees_of_freedom == 4


def test_draws_equal_indexing_subjects_by_a_loop():
    rng = np.random.default_rng(1)
    rho, drawn = rng.random((3, 4)), rng.random((20, 3, 4))
    counts = subject_counts(4, 20, seed=2)
    for draw, count in enumerate(counts):
        who = np.repeat(np.arange(4), count)
        for score in range(3):
            assert subject_draws(rho, counts)[draw, score] == pytest.approx(rho[score, who].mean())
            expected = np.mean([drawn[draw, score, subject] for subject in who])
            assert crossed_draws(drawn, counts)[draw, score] == pytest.approx(expected, abs=1e-14)


def test_counts_are_those_of_draws_with_replacement():
    counts = subject_counts(6, 20_000, seed=subject_seed(1, 6))
    assert (counts.sum(axis=1) == 6).all()
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.03)
    assert counts.var() == pytest.approx(1 - 1 / 6, abs=0.02)
    np.testing.assert_array_equal(counts, subject_counts(6, 20_000, seed=subject_seed(1, 6)))
    assert len({subject_seed(1, 6), subject_seed(2, 6), subject_seed(1, 7)}) == 3


@pytest.mark.parametrize(("n_subjects", "n_stimuli"), [(3, 92), (15, 20), (30, 8)])
def test_combined_variance_is_that_of_rsatoolbox(n_subjects, n_stimuli):
    from rsatoolbox.util.inference_util import extract_variances

    # variances of unrelated sizes, so that each of the bounds is met
    three = np.random.default_rng(3).random((3, 12)) + np.array([[0.7], [0], [0]])
    matrices = np.stack([np.diag(one) for one in three])
    theirs = extract_variances(matrices, False, n_subjects, n_stimuli)[0]
    ours = crossed_variance(*three, n_subjects, n_stimuli)
    np.testing.assert_allclose(ours, theirs, rtol=1e-13)
    sizes = zip(three[1:], (n_subjects, n_stimuli), strict=True)
    single = np.maximum(*(variance * n / (n - 1) for variance, n in sizes))
    bounded = np.isclose(ours, three[0]) | np.isclose(ours, single)
    assert 0 < bounded.mean() < 1


def population(rng, n_subjects, n_stimuli, noise):
    """Draw stimuli, and subjects who weight their features differently and are measured noisily."""
    first, second = np.triu_indices(n_stimuli, 1)
    known, unknown = rng.standard_normal((2, n_stimuli, 6))
    brains = []
    for _ in range(n_subjects):
        weights = np.abs(rng.normal(1, 0.3, 12))
        patterns = np.hstack([known, unknown]) * weights
        patterns += noise * rng.standard_normal(patterns.shape)
        brains.append(np.linalg.norm(patterns[first] - patterns[second], axis=1))
    return np.linalg.norm(known[first] - known[second], axis=1), np.array(brains)


def test_a_crossed_bootstrap_equals_that_of_rsatoolbox_on_its_resamples(monkeypatch):
    from rsatoolbox.inference import evaluate
    from rsatoolbox.model import ModelFixed
    from rsatoolbox.rdm import RDMs

    resamples, draw = [], evaluate.bootstrap_sample

    def recorded(*args, **options):
        sample = draw(*args, **options)
        resamples.append(sample[1:])
        return sample

    monkeypatch.setattr(evaluate, "bootstrap_sample", recorded)
    monkeypatch.setattr(evaluate.tqdm, "trange", range)
    model, brains = population(np.random.default_rng(4), 5, 12, noise=1)
    np.random.seed(5)  # noqa: NPY002 - rsatoolbox draws from numpy's global state
    theirs = evaluate.eval_dual_bootstrap(
        [ModelFixed("model", model)], RDMs(brains), method="spearman", N=120
    )
    people, stimuli = (
        np.array([np.bincount(one, minlength=n) for one in drawn])
        for drawn, n in zip(zip(*resamples, strict=True), (5, 12), strict=True)
    )
    drawn = bootstrap_spearman(model, brains, stimuli)
    rho = spearman_matrix(model, brains)
    for kind, ours in enumerate(
        (crossed_draws(drawn, people), subject_draws(rho, people), drawn.mean(axis=2))
    ):
        expected = theirs.evaluations[:, 0, 0, 0, kind]
        np.testing.assert_allclose(ours[:, 0], expected, atol=1e-12)
    found = crossed_interval(rho, drawn, people, 12, 0.95)
    np.testing.assert_allclose(found.variance, theirs.model_var, rtol=1e-10)
    assert found.degrees_of_freedom == theirs.dof == 4
    ends = theirs.get_ci(0.95)  # theirs lie around the mean of the draws, ours around the score
    assert found.high - found.low == pytest.approx(ends[1] - ends[0], rel=1e-10)


def test_intervals_cover_a_known_truth_and_uncorrected_ones_are_too_wide():
    # score = .3 + subject + stimulus + noise, a mean over stimuli: the truth is .3
    rng, n, n_draws, spreads = np.random.default_rng(6), 20, 200, (0.1, 0.1, 0.6)
    true_variance = sum(s**2 / size for s, size in zip(spreads, (n, n, n * n), strict=True))
    hits, wide, variances = [], [], []
    for seed in range(400):
        sizes = ((n, 1), (1, n), (n, n))
        each = 0.3 + sum(rng.normal(0, s, size) for s, size in zip(spreads, sizes, strict=True))
        people, stimuli = (subject_counts(n, n_draws, seed=seed + 1000 * k) for k in (1, 2))
        drawn = (stimuli @ each.T / n)[:, np.newaxis]
        found = crossed_interval(each.mean(axis=1)[np.newaxis], drawn, people, n, 0.95)
        uncorrected = crossed_draws(drawn, people).var(axis=0, ddof=1)
        error = np.abs(found.estimate - 0.3)
        hits.append(found.low <= 0.3 <= found.high)
        wide.append(error <= student.ppf(0.975, n - 1) * np.sqrt(uncorrected))
        variances.append([found.variance, uncorrected])
    corrected, uncorrected = np.mean(variances, axis=0)[:, 0] / true_variance
    assert 0.92 <= np.mean(hits) <= 0.98
    assert np.mean(wide) > 0.985
    assert corrected == pytest.approx(1, abs=0.15)
    assert uncorrected > 1.6


def test_intervals_of_rdms_cover_the_score_of_new_subjects_and_stimuli():
    rng, size = np.random.default_rng(7), (8, 20)
    estimates = [spearman_matrix(*population(rng, *size, 1.5)).mean() for _ in range(800)]
    truth, hits, ratios = np.mean(estimates), [], []
    for seed in range(80):
        model, brains = population(rng, *size, 1.5)
        rho = spearman_matrix(model, brains)
        drawn = bootstrap_spearman(model, brains, resample_counts(20, 100, seed))
        people = subject_counts(8, 100, seed)
        found = crossed_interval(rho, drawn, people, 20, 0.95)
        hits.append(found.low <= truth <= found.high)
        uncorrected = crossed_draws(drawn, people).var(axis=0, ddof=1)
        ratios.append([found.variance, uncorrected] / np.var(estimates))
    corrected, uncorrected = np.mean(ratios, axis=0)[:, 0]
    assert np.mean(hits) >= 0.92
    assert 0.8 < corrected < 1.4
    assert uncorrected > 1.7


def test_three_people_are_enough_for_an_interval():
    rho = np.array([[0.1, 0.2, 0.4]])
    found = subject_interval(rho, subject_counts(3, 4000, seed=1), 0.95)
    plain = ttest_1samp(rho[0], 0).confidence_interval(0.95)
    assert (found.low[0], found.high[0]) == pytest.approx((plain.low, plain.high), abs=0.02)
