"""The stimulus bootstrap against writing every resample out and ranking it anew."""

import itertools
import time

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import rankdata, spearmanr

from resampled import written_out
from rulealign.rsa.bootstrap.spearman import (
    bootstrap_seed,
    bootstrap_spearman,
    percentile_interval,
    resample_counts,
)

N = 12
PAIRS = N * (N - 1) // 2


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
        "signed": (values - 0.5).round(1) * np.array([1.0, -1.0])[np.arange(PAIRS) % 2],
        "all but one equal": np.where(values == values.max(axis=1, keepdims=True), 2.0, 1.0),
    }[kind]


@pytest.mark.parametrize("brain_kind", ["continuous", "rounded"])
@pytest.mark.parametrize(
    "model_kind",
    ["continuous", "single precision", "rounded", "mostly equal", "integers", "signed"],
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


def test_one_pair_that_stands_out_is_ranked_where_it_was_drawn():
    models, brains = rdms("all but one equal", 6, seed=1), rdms("continuous", 2, seed=2)
    first, second = np.triu_indices(N, 1)
    counts = resample_counts(N, draws=2000, seed=3)
    there = counts[:, first[models.argmax(axis=1)]] * counts[:, second[models.argmax(axis=1)]]
    counts = counts[(there > 0).all(axis=1)]
    assert len(counts) > 10
    for draw, rho in enumerate(bootstrap_spearman(models, brains, counts)):
        expected = [[plain_spearman(m, b, counts[draw]) for b in brains] for m in models]
        np.testing.assert_allclose(rho, expected, atol=1e-12, rtol=0)


def test_a_stimulus_drawn_very_often_counts_as_often():
    models, brains = rdms("rounded", 3, seed=1), rdms("continuous", 2, seed=2)
    count = np.array([40, 0, 25, 1, 0, 0, 3, 0, 0, 90, 0, 2])
    expected = [[plain_spearman(model, brain, count) for brain in brains] for model in models]
    rho = bootstrap_spearman(models, brains, count[np.newaxis])[0]
    np.testing.assert_allclose(rho, expected, atol=1e-12, rtol=0)


def whole_ranks(rdms, times):
    """Give twice the ranks less their mean, of every occurrence, in Python's own whole numbers."""
    written = [np.repeat(rdm, times) for rdm in rdms]
    return [(2 * rankdata(values)).astype(np.int64) - len(values) - 1 for values in written]


@pytest.mark.parametrize("kind", ["distinct", "many equal"])
def test_up_to_775_stimuli_nothing_is_lost_to_rounding(kind):
    # the largest sums there are, about T^3 / 3 of T pairs, are those of an RDM with itself
    n = 775
    first, second = np.triu_indices(n, 1)
    rng = np.random.default_rng(1)
    rdms = np.stack([rng.permutation(len(first)) for _ in range(2)])
    rdms = np.vstack([rdms[0], rdms if kind == "distinct" else rdms // 3000])
    counts = np.stack([np.ones(n, dtype=np.int64), resample_counts(n, 1, seed=2)[0]])
    for count, rho in zip(counts, bootstrap_spearman(rdms, rdms[1:], counts), strict=True):
        ranked = whole_ranks(rdms, count[first] * count[second])
        squares = [int((ranks * ranks).sum()) for ranks in ranked]  # exact: below 2^63
        assert max(squares) < 2**53
        for (m, model), (b, brain) in itertools.product(enumerate(ranked), enumerate(ranked[1:])):
            product = int((model * brain).sum())
            assert rho[m, b] == product / (np.sqrt(squares[m]) * np.sqrt(squares[b + 1]))


def test_beyond_775_stimuli_draws_are_right_to_rounding():
    n = 800
    first, second = np.triu_indices(n, 1)
    models, brains = np.random.default_rng(1).random((2, 2, len(first))).round(4)
    counts = resample_counts(n, 3, seed=2)
    rho = bootstrap_spearman(models, brains, counts)
    for draw, count in enumerate(counts):
        times = count[first] * count[second]
        ranked = [[rankdata(np.repeat(rdm, times)) for rdm in rdms] for rdms in (models, brains)]
        expected = [[np.corrcoef(model, brain)[0, 1] for brain in ranked[1]] for model in ranked[0]]
        np.testing.assert_allclose(rho[draw], expected, atol=1e-10, rtol=0)
    other = bootstrap_spearman(models, brains, counts, threads=2, work_mb=1)
    np.testing.assert_allclose(other, rho, atol=1e-15, rtol=0)


def test_combined_draws_are_combinations_of_all_draws():
    models, brains = rdms("rounded", 4, seed=1), rdms("continuous", 3, seed=2)
    counts = resample_counts(N, 10, seed=3)
    combine = np.array([[0.2, 1 / 3], [0, 1 / 3], [0.8, 1 / 3]])
    means = bootstrap_spearman(models, brains, counts, combine=combine)
    every = bootstrap_spearman(models, brains, counts)
    np.testing.assert_allclose(means[..., 0], 0.2 * every[..., 0] + 0.8 * every[..., 2], atol=1e-14)
    np.testing.assert_allclose(means[..., 1], every.mean(axis=2), atol=1e-14)


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


def cpu_seconds(function):
    began = time.process_time()
    function()
    return time.process_time() - began


@pytest.mark.slow
def test_a_further_draw_costs_a_tenth_of_ranking_anew_or_less():
    # 30 times and more with 200 models; so few share the weights of a draw among fewer RDMs. Both
    # sides are the best of three, as these are times.
    n, further = 720, 8
    rng = np.random.default_rng(0)
    models = rng.random((40, n * (n - 1) // 2)).astype(np.float32)
    brains = rng.random((6, models.shape[1]))
    counts = resample_counts(n, 1 + further, seed=1)
    first, second = np.triu_indices(n, 1)
    times = counts[0, first] * counts[0, second]

    def anew():
        for rdm in (models[0], brains[0]):
            rankdata(np.repeat(rdm, times))

    def fast(draws):
        return lambda: bootstrap_spearman(models, brains, counts[:draws])

    bootstrap_spearman(models[:1], brains[:1], counts[:1])
    plain = min(cpu_seconds(anew) for _ in range(3)) / 2 * (len(models) + len(brains))
    every, one = (min(cpu_seconds(fast(k)) for _ in range(3)) for k in (1 + further, 1))
    assert (every - one) / further < plain / 10
