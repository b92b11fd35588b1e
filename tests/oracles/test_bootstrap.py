"""The stimulus bootstrap against writing every resample out and ranking it anew."""

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import rankdata, spearmanr

from rulealign.rsa.bootstrap import (
    bootstrap_seed,
    bootstrap_spearman,
    percentile_interval,
    resample_counts,
)

N = 12
PAIRS = N * (N - 1) // 2


def written_out(rdm, count):
    """List a resample's dissimilarities: a stimulus drawn k times is there k times."""
    drawn = np.repeat(np.arange(len(count)), count)
    first, second = np.triu_indices(len(drawn), 1)
    different = drawn[first] != drawn[second]
    return squareform(rdm)[drawn[first], drawn[second]][different]


def plain_spearman(model, brain, count):
    model, brain = (rankdata(written_out(rdm, count)) for rdm in (model, brain))
    return np.corrcoef(model, brain)[0, 1]


def rdms(kind, n_rdms, seed):
    values = np.random.default_rng(seed).random((n_rdms, PAIRS))
    return {
        "continuous": values,
        "single precision": values.astype(np.float32),
        "rounded": values.round(1),
        "mostly equal": np.where(values < 0.7, 0.5, values.round(1)),
        "integers": (values * 5).astype(np.int64),
    }[kind]


@pytest.mark.parametrize("brain_kind", ["continuous", "rounded"])
@pytest.mark.parametrize(
    "model_kind", ["continuous", "single precision", "rounded", "mostly equal", "integers"]
)
def test_every_draw_equals_writing_it_out_and_ranking_anew(model_kind, brain_kind):
    models, brains = rdms(model_kind, 5, seed=1), rdms(brain_kind, 3, seed=2)
    counts = resample_counts(N, draws=40, seed=3)
    rho = bootstrap_spearman(models, brains, counts)
    for draw, count in enumerate(counts):
        expected = [[plain_spearman(model, brain, count) for brain in brains] for model in models]
        np.testing.assert_allclose(rho[draw], expected, atol=1e-12, rtol=0)


def test_a_resample_worked_out_by_hand():
    # stimuli 0 0 1 2 of 4: the pairs 01 01 02 02 12, stimulus 3 is not drawn, 00 is dropped
    #              01 02 03 12 13 23
    model = np.array([1, 2, 9, 3, 9, 0.0])  # written out 1 1 2 2 3: ranks 1.5 1.5 3.5 3.5 5
    brain = np.array([1, 3, 0, 2, 9, 5.0])  # written out 1 1 3 3 2: ranks 1.5 1.5 4.5 4.5 3
    rho = bootstrap_spearman(model, brain, np.array([[2, 1, 1, 0]]))
    assert rho.item() == pytest.approx(6 / 9, abs=1e-15)


def test_drawing_every_stimulus_once_is_the_plain_score():
    models, brains = rdms("rounded", 4, seed=1), rdms("continuous", 2, seed=2)
    rho = bootstrap_spearman(models, brains, np.ones((1, N), dtype=np.int64))[0]
    expected = [[spearmanr(model, brain).statistic for brain in brains] for model in models]
    np.testing.assert_allclose(rho, expected, atol=1e-13)


def test_the_order_of_stimuli_does_not_matter():
    model, brain = rdms("rounded", 1, seed=1)[0], rdms("continuous", 1, seed=2)[0]
    counts, order = resample_counts(N, 10, seed=3), np.random.default_rng(4).permutation(N)
    moved = [squareform(squareform(rdm)[np.ix_(order, order)]) for rdm in (model, brain)]
    rho = bootstrap_spearman(*moved, counts[:, order])
    np.testing.assert_allclose(rho, bootstrap_spearman(model, brain, counts), atol=1e-13)


def test_treating_models_in_sets_does_not_change_a_draw():
    models, brains = rdms("rounded", 30, seed=1), rdms("continuous", 2, seed=2)
    counts = resample_counts(N, 10, seed=3)
    fractions = []
    few = bootstrap_spearman(models, brains, counts, work_mb=0.001, progress=fractions.append)
    np.testing.assert_allclose(few, bootstrap_spearman(models, brains, counts), atol=1e-14)
    assert fractions == sorted(fractions)
    assert len(fractions) == 4 * 10  # 8 of 30 models at a time
    assert fractions[-1] == 1


def test_combined_draws_are_combinations_of_all_draws():
    models, brains = rdms("rounded", 4, seed=1), rdms("continuous", 3, seed=2)
    counts = resample_counts(N, 10, seed=3)
    means = bootstrap_spearman(models, brains, counts, combine=np.full((3, 1), 1 / 3))
    every = bootstrap_spearman(models, brains, counts)
    np.testing.assert_allclose(means[..., 0], every.mean(axis=2), atol=1e-14)


def test_counts_are_those_of_draws_with_replacement():
    counts = resample_counts(50, draws=4000, seed=1)
    assert (counts.sum(axis=1) == 50).all()
    # multinomial: mean 1, variance 1 - 1/n, covariance -1/n
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=0.1)
    assert counts.var() == pytest.approx(1 - 1 / 50, abs=0.02)
    assert (counts == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.01)
    covariance = np.cov(counts.T)[np.triu_indices(50, 1)]
    assert covariance.mean() == pytest.approx(-1 / 50, abs=0.002)


def test_resamples_are_shared_by_all_with_the_same_study_seed_and_stimuli():
    np.testing.assert_array_equal(resample_counts(20, 9, 5), resample_counts(20, 9, 5))
    assert len({bootstrap_seed(1, 92), bootstrap_seed(2, 92), bootstrap_seed(1, 91)}) == 3


def test_percentile_interval_is_central():
    draws = np.stack([np.arange(1001.0), -np.arange(1001.0)], axis=1)
    low, high = percentile_interval(np.random.default_rng(0).permutation(draws), 0.9)
    np.testing.assert_allclose(low, [50, -950])
    np.testing.assert_allclose(high, [950, -50])
