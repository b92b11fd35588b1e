"""Specification curves: uniform p where nothing is there, power where something is, plain loops."""

import numpy as np
import pytest
from scipy.stats import kstest, t

from rulealign.claims.specification_curve import (
    InErrors,
    median_test,
    no_alignment,
    no_difference,
    shared_noise,
)
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.primary import (
    STIMULI,
    Effect,
    Part,
    PrimaryInterval,
    primary_interval,
    seed_variance,
    variance_parts,
)
from rulealign.rsa.bootstrap.spearman import resample_counts

N, SEEDS, UNIVERSES, DRAWS = 40, (1, 2, 3, 4, 5), 9, 300
NOISE = shared_noise(3, DRAWS, SEEDS, 1)
COUNTS = resample_counts(N, DRAWS, seed=1)


def correlated(rng, *shape, share=0.7):
    """Give standard normal numbers that universes, the last axis, have `share` in common of."""
    common, own = rng.standard_normal((*shape, 1)), rng.standard_normal((*shape, UNIVERSES))
    return np.sqrt(share) * common + np.sqrt(1 - share) * own


def contrasts(seed, mean=0.0):
    """Give correlated effects in units that differ: means over stimuli, of 5 seeds each."""
    rng = np.random.default_rng(seed)
    of_stimuli, of_seeds = correlated(rng, N), correlated(rng, len(SEEDS))
    own = correlated(rng, len(SEEDS), N, share=0.3)
    values = mean + of_stimuli + 0.15 * of_seeds[:, None] + 0.5 * own
    values = values * np.linspace(0.5, 4, UNIVERSES)  # shape (seeds, stimuli, universes)
    for universe in range(UNIVERSES):
        x = values[..., universe]
        samples = [counts @ x.T / counts.sum(axis=1, keepdims=True) for counts in (COUNTS, LEFT)]
        yield Effect(x.mean(axis=1)[:, None], *(sample[..., None] for sample in samples))


LEFT = left_out_counts(N)


def contrast_p(seed, mean=0.0):
    universes = []
    for effect in contrasts(seed, mean):
        of_seed = seed_variance(effect.scores.mean(axis=1))
        found = primary_interval(effect, STIMULI, 0.95, of_seed)
        parts = variance_parts(effect, STIMULI, of_seed)
        universes.append(no_difference(effect, found, parts, SEEDS, NOISE))
    return median_test(universes).p


def interval(variance, freedom):
    """Give an interval of which only the standard error and degrees of freedom matter."""
    return PrimaryInterval(0.0, np.sqrt(variance), freedom, np.nan, np.nan, np.nan)


def test_p_of_a_contrast_is_uniform_where_there_is_no_difference_and_small_where_there_is():
    p = [contrast_p(seed) for seed in range(200)]
    assert kstest(p, "uniform").pvalue > 0.01
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert np.mean([contrast_p(seed, mean=0.8) <= 0.05 for seed in range(30)]) > 0.9


def level_p(seed, alignment=0.0):
    rng = np.random.default_rng(seed)
    brain, model = rng.standard_normal(N), correlated(rng, N) + 0.0
    model += alignment * brain[:, None]
    orders = [rng.permutation(N) for _ in range(200)]
    scores = [(model - model.mean(axis=0)).T @ one for one in (brain, *(brain[o] for o in orders))]
    return median_test([no_alignment(own[0], own[1:]) for own in np.transpose(scores)]).p


def test_p_of_a_level_is_uniform_where_there_is_no_alignment_and_small_where_there_is():
    assert kstest([level_p(seed) for seed in range(300)], "uniform").pvalue > 0.01
    assert np.mean([level_p(seed, alignment=0.7) <= 0.05 for seed in range(40)]) > 0.9


def test_counting_verdicts_or_single_universes_would_not_be_valid():
    # what the median is for: some universe of the same nulls has a verdict too often
    some = 0
    for seed in range(60):
        found = [
            primary_interval(one, STIMULI, 0.95, seed_variance(one.scores.mean(axis=1)))
            for one in contrasts(seed)
        ]
        some += any(one.p < 0.05 for one in found)
    assert some / 60 > 0.1


def test_each_part_has_its_own_variance_and_seeds_are_shared_by_universes():
    rng = np.random.default_rng(1)
    by_seed = rng.standard_normal(5)
    effect = Effect(by_seed[:, None], rng.standard_normal((20_000, 5, 1)), np.empty((9, 5, 1)))
    noise = shared_noise(1, 20_000, SEEDS, 1)
    parts = {"stimuli": Part(0.3, 1e9), "seeds": Part(0.7, 1e9)}
    one = no_difference(effect, interval(1, 1e9), parts, SEEDS, noise).null
    assert one.var() == pytest.approx(1, abs=0.03)
    # the same seeds with the other sign: what is left in common is the stimuli's share
    flipped = Effect(-effect.scores, effect.drawn, effect.left_out)
    other = no_difference(flipped, interval(1, 1e9), parts, SEEDS, noise).null
    assert np.corrcoef(one, other)[0, 1] == pytest.approx(0.3 - 0.7, abs=0.03)


def test_draws_have_the_tails_of_the_primary_intervals_t_distribution():
    rng = np.random.default_rng(2)
    effect = Effect(np.zeros((1, 1)), rng.standard_normal((40_000, 1, 1)), np.empty((9, 1, 1)))
    noise = shared_noise(1, 40_000, (1,), 1)
    found = no_difference(effect, interval(4, 5), {"stimuli": Part(4.0, 5)}, (1,), noise).null
    assert kstest(found, t(5).cdf).pvalue > 0.01


def test_the_median_test_is_a_plain_loop():
    rng = np.random.default_rng(4)
    observed, null = rng.normal(1, 1, 8), rng.standard_normal((99, 8))
    found = median_test([InErrors(*one) for one in zip(observed, null.T, strict=True)])
    far = 0
    for draw in null:
        ordered = sorted(draw)
        far += abs((ordered[3] + ordered[4]) / 2) >= abs(found.median)
    assert found.median == pytest.approx(sum(sorted(observed)[3:5]) / 2)
    assert found.p == (far + 1) / 100


def test_an_effect_without_variance_lies_at_0_in_every_draw():
    still = Effect(np.zeros((5, 1)), np.zeros((DRAWS, 5, 1)), np.zeros((N, 5, 1)))
    found = primary_interval(still, STIMULI, 0.95, seed_variance(np.zeros(5)))
    assert not no_difference(still, found, {}, SEEDS, NOISE).null.any()
    assert no_alignment(0.0, np.zeros(9)).effect == 0
