"""Scores of sparse features against whole numbers, which no order of summation can change."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata, spearmanr, zscore

from rulealign.errors import DataError
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.ceiling import nili_bounds, null_bounds
from rulealign.rsa.compare import spearman_matrix, with_mean
from rulealign.rsa.comparisons.kendall import KendallTauA
from rulealign.rsa.partial import partial_correlations
from rulealign.rsa.quality.unrepeated import agreement
from rulealign.rsa.ranking import in_steps
from rulealign.rsa.rdm import correlation_rdm

N, FEATURES, WINNERS = 14, 150, 6
IDS = [f"image-{number}" for number in range(N)]


def winners(seed, copies=0):
    """Choose the features that are on for each stimulus; some stimuli have those of another."""
    rng = np.random.default_rng(seed)
    chosen = [set(rng.choice(18, WINNERS, replace=False).tolist()) for _ in range(N)]
    for place in rng.choice(np.arange(1, N), copies, replace=False):
        chosen[place] = chosen[place - 1]
    return chosen


def not_shared(chosen):
    """Count the winners that two stimuli do not share: the order of 1 - Pearson, in integers."""
    return np.array([WINNERS - len(one & other) for one, other in combinations(chosen, 2)])


def rdm(chosen, order, amplitude=1.0):
    """Compute 1 - Pearson of the features, laid out in an order that changes all sums' rounding."""
    features = np.zeros((N, FEATURES), dtype=np.float32)
    for row, on in zip(features, chosen, strict=True):
        row[list(on)] = amplitude
    shuffled = features[:, np.random.default_rng(order).permutation(FEATURES)]
    return correlation_rdm(shuffled, centred=False, ids=IDS)


ORDERS = range(6)
MODEL, CONTROL = winners(1, copies=4), winners(2, copies=2)
SUBJECTS = [winners(seed, copies=3) for seed in (3, 4, 5)]
COUNTED_MODEL, COUNTED_CONTROL = not_shared(MODEL), not_shared(CONTROL)
COUNTED = np.stack([not_shared(chosen) for chosen in SUBJECTS])


def drawn(order):
    """Compute the RDMs of the model, the control and the subjects, as kept in files."""
    # each subject's patterns are as large as they like: correlations do not see it
    subjects = [rdm(chosen, order, 0.3 + place) for place, chosen in enumerate(SUBJECTS)]
    model, control = (rdm(chosen, order).astype(np.float32) for chosen in (MODEL, CONTROL))
    return model, control, np.stack(subjects)


def test_the_planted_ties_are_broken_by_rounding_before_they_are_counted_in_steps():
    values = [len(np.unique(drawn(order)[2][0])) for order in ORDERS]
    assert min(values) > len(np.unique(COUNTED[0])) == len(np.unique(in_steps(drawn(0)[2])[0]))


@pytest.mark.parametrize("order", ORDERS)
def test_scores_are_those_of_whole_numbers(order):
    model, _, subjects = drawn(order)
    theirs = [*COUNTED, COUNTED.sum(axis=0)]
    expected = [spearmanr(COUNTED_MODEL, one).statistic for one in theirs]
    assert spearman_matrix(model, with_mean(subjects))[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_kendalls_tau_a_is_that_of_whole_numbers(order):
    model, _, subjects = drawn(order)

    def tau_a(one, other):
        couples = list(combinations(range(len(one)), 2))
        signs = [np.sign((one[i] - one[j]) * (other[i] - other[j])) for i, j in couples]
        return sum(map(int, signs)) / len(couples)

    expected = [tau_a(COUNTED_MODEL, one) for one in COUNTED]
    assert KendallTauA.scores(model, subjects)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_draws_are_those_of_whole_numbers(order):
    model, _, subjects = drawn(order)
    counts = resample_counts(N, 5, seed=8)
    rho = bootstrap_spearman(model, subjects, counts)[:, 0]
    tau = KendallTauA.sampled(model, subjects, counts)[:, 0]
    first, second = np.triu_indices(N, 1)
    for draw, count in enumerate(counts):
        times = count[first] * count[second]
        ours = np.repeat(COUNTED_MODEL, times)
        for place, subject in enumerate(COUNTED):
            theirs = np.repeat(subject, times)
            assert rho[draw, place] == pytest.approx(spearmanr(ours, theirs).statistic, abs=1e-12)
            # tau-b is tau-a over the share of couples that are not tied
            untied = [
                1 - sum(k * (k - 1) for k in np.bincount(x)) / len(x) / (len(x) - 1)
                for x in (ours, theirs)
            ]
            expected = kendalltau(ours, theirs).statistic * np.sqrt(np.prod(untied))
            assert tau[draw, place] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_partial_scores_are_those_of_whole_numbers(order):
    model, control, subjects = drawn(order)
    x = np.column_stack([np.ones(len(COUNTED_CONTROL)), rankdata(COUNTED_CONTROL)])

    def left(values):
        ranked = rankdata(values)
        return ranked - x @ np.linalg.lstsq(x, ranked, rcond=None)[0]

    expected = [np.corrcoef(left(COUNTED_MODEL), left(one))[0, 1] for one in COUNTED]
    found = partial_correlations(spearman_matrix, model, subjects, control[np.newaxis])[0]
    assert found == pytest.approx(expected, abs=1e-12)
    once = np.ones((1, N), dtype=int)  # a resample that is the sample

    def correlate(ours, theirs):
        return bootstrap_spearman(ours, theirs, once)

    draws = partial_correlations(correlate, model[np.newaxis], subjects, control[np.newaxis])
    assert draws[0, 0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_the_noise_ceiling_is_that_of_whole_numbers(order):
    subjects, ranked = drawn(order)[2], [rankdata(one) for one in COUNTED]
    everyone = sum(ranked)
    lower = [spearmanr(one, everyone - one).statistic for one in ranked]
    upper = [spearmanr(one, everyone).statistic for one in ranked]
    highest = zscore(ranked, axis=1).mean(axis=0)
    any_model = [np.corrcoef(one, highest)[0, 1] for one in ranked]
    expected = [np.mean(lower), np.mean(upper), np.mean(any_model)]
    assert nili_bounds(subjects) == pytest.approx(expected, abs=1e-12)
    assert null_bounds(subjects, 20, 7) == pytest.approx(null_bounds(COUNTED, 20, 7), abs=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_agreement_between_subjects_is_that_of_whole_numbers(order):
    squares = []
    for values in drawn(order)[2][:2]:
        square = np.zeros((N, N))
        square[np.triu_indices(N, 1)] = values
        squares.append(square + square.T)
    expected = spearmanr(COUNTED[0], COUNTED[1]).statistic
    assert agreement(*squares, 0, 0)[0] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("batch", range(5))
def test_the_winner_alone_counts_whatever_a_batch_rounds_in_its_activation(batch):
    rng, noise = np.random.default_rng(11), np.random.default_rng(batch)
    winner = rng.integers(4, size=60)
    features = np.zeros((60, 150), dtype=np.float32)
    # single precision: another batch size moves an activation by about 1e-7 of it
    activation = 1 + rng.random(60)
    features[np.arange(60), winner] = activation * (1 + 1e-7 * noise.uniform(-1, 1, 60))
    ids = [str(place) for place in range(60)]
    found = correlation_rdm(features, centred=False, ids=ids).astype(np.float32)
    first, second = np.triu_indices(60, 1)
    brain = rng.permutation(len(first))
    expected = spearmanr(winner[first] != winner[second], brain).statistic
    assert spearman_matrix(found, brain)[0, 0] == pytest.approx(expected, abs=1e-12)


def test_scores_of_dense_features_stay():
    rng = np.random.default_rng(5)
    ids = [str(place) for place in range(92)]
    rdms = [
        correlation_rdm(np.maximum(rng.normal(size=(92, 150)), 0), centred=False, ids=ids)
        for _ in range(8)
    ]
    expected = [[spearmanr(one, other).statistic for other in rdms[5:]] for one in rdms[:5]]
    found = spearman_matrix(np.stack(rdms[:5]), np.stack(rdms[5:]))
    assert np.abs(found - expected).max() < 1e-6


def test_what_is_counted_in_steps_is_not_changed_by_counting_again():
    values = np.random.default_rng(0).normal(size=(3, 500)) * [[1e-6], [1.0], [1e9]]
    once = in_steps(values)
    assert (in_steps(once) == once).all()
    assert (in_steps(once.astype(np.float32)) == once).all()
    assert np.abs(once * np.abs(values).max(axis=1, keepdims=True) / 2**23 - values).max(
        axis=1
    ) == pytest.approx(np.abs(values).max(axis=1) / 2**24, rel=0.05)


def test_no_ratio_of_counts_is_so_near_the_middle_of_two_steps_that_rounding_decides():
    for whole in (*range(2, 200), 3 * 2**20 - 1):
        parts = np.arange(1, min(whole, 300))
        exact = [round(Fraction(int(part), whole) * 2**23) for part in parts]
        for off in (-1e-14, 0, 1e-14):
            rdm = np.append(parts / whole * (1 + off), 1.0)
            assert in_steps(rdm[np.newaxis])[0, :-1].tolist() == exact


def test_an_rdm_that_only_rounding_orders_is_refused_as_constant():
    rng = np.random.default_rng(0)
    noise = 1 + 1e-8 * rng.random(91)
    with pytest.raises(DataError, match="brain RDM 0 is constant"):
        spearman_matrix(rng.random(91), noise)
    with pytest.raises(DataError, match="model RDM 0 is constant"):
        bootstrap_spearman(noise, rng.random(91), resample_counts(N, 2, 0))
