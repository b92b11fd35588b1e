"""The primary interval against plain loops, closed forms and simulations with a known truth."""

import itertools

import numpy as np
import pytest
from scipy.stats import t as student

from rulealign.errors import DataError
from rulealign.rsa.bootstrap.primary import (
    Effect,
    Part,
    primary_interval,
    seed_variance,
    variance_parts,
)
from validation.corrected import corrected_interval

GOALS = ("stimuli", "subjects", "both")


def sampled(values, draws, rng):
    """Take means over stimuli of (stimuli, seeds, subjects): all, drawn anew, without each."""
    n = len(values)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=draws)
    drawn = np.tensordot(counts, values, 1) / n
    return Effect(values.mean(axis=0), drawn, (values.sum(axis=0) - values) / (n - 1))


def arrays(effect):
    return effect.scores, effect.drawn, effect.left_out


def covariances(effect):
    """Give the corrected covariance over stimuli of every two of (seed, subject)."""
    n, shape = len(effect.left_out), effect.scores.shape
    drawn, left_out = effect.drawn.reshape(-1, np.prod(shape)), effect.left_out.reshape(n, -1)
    jackknife = (n - 1) ** 2 / n * np.cov(left_out.T)
    parts = 2 * jackknife - np.cov(drawn.T), jackknife
    return [np.atleast_2d(part).reshape(*shape, *shape) for part in parts]


def limited(variance, jackknife):
    jackknife = max(jackknife, 0)
    return min(max(variance, jackknife / 2), jackknife)


def expected_parts(effect, goal):
    """Work out each part pair by pair: of different seeds, and of different subjects."""
    n_seeds, n_people = effect.scores.shape
    seeds = effect.scores.mean(axis=1)
    parts = [(np.sum((seeds - seeds.mean()) ** 2) / (n_seeds - 1) / n_seeds, n_seeds - 1)]
    if goal != "stimuli":
        people = np.cov(effect.scores, ddof=1)  # of every two seeds, over subjects
        between = np.mean([people[i, j] for i, j in itertools.permutations(range(n_seeds), 2)])
        parts.append((max(between, 0) / n_people, n_people - 1))
    if goal != "subjects":
        both = [
            np.mean(
                [
                    one[s, p, t, q]
                    for s, t in itertools.permutations(range(n_seeds), 2)
                    for p, q in itertools.product(range(n_people), repeat=2)
                    if goal == "stimuli" or p != q
                ]
            )
            for one in covariances(effect)
        ]
        parts.append((limited(*both), len(effect.left_out) - 1))
    return parts


def random_effect(seed, shape=(20, 4, 5), mean=0.0):
    rng = np.random.default_rng(seed)
    n, k, m = shape
    values = mean + rng.normal(0, 0.5, (n, 1, 1)) + rng.normal(0, 0.1, (1, k, 1))
    values = values + rng.normal(0, 0.1, (1, 1, m)) + rng.normal(0, 0.3, shape)
    return sampled(values, 150, rng)


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("seed", range(4))
def test_the_interval_equals_a_loop_over_pairs_of_seeds_and_subjects(goal, seed):
    effect = random_effect(seed)
    found = primary_interval(effect, goal, 0.9, seed_variance(effect.scores.mean(axis=1)))
    parts = expected_parts(effect, goal)
    variance = sum(part for part, _ in parts)
    freedom = variance**2 / sum(part**2 / free for part, free in parts)
    reach = student.ppf(0.95, freedom) * np.sqrt(variance)
    estimate = effect.scores.mean()
    assert found.standard_error == pytest.approx(np.sqrt(variance))
    assert found.degrees_of_freedom == pytest.approx(freedom)
    assert (found.low, found.high) == pytest.approx((estimate - reach, estimate + reach))
    assert found.p == pytest.approx(2 * student.sf(abs(estimate) / np.sqrt(variance), freedom))


def test_of_these_seeds_only_it_is_the_corrected_interval():
    effect = random_effect(5)
    one = primary_interval(effect, "stimuli", 0.95)
    over = [x.mean(axis=(-2, -1)) for x in arrays(effect)]
    known = corrected_interval(np.array([over[0]]), over[1][:, None], over[2][:, None], 0.95)
    assert (one.low, one.high, one.p) == pytest.approx((known.low[0], known.high[0], known.p[0]))


def test_seeds_that_agree_add_nothing_and_the_effect_of_one_is_taken_whole():
    rng = np.random.default_rng(1)
    one = sampled(rng.normal(0.1, 0.5, (30, 1, 1)), 200, rng)
    three = Effect(*(np.repeat(x, 3, axis=-2) for x in arrays(one)))
    alone = primary_interval(one, "stimuli", 0.95)
    together = primary_interval(three, "stimuli", 0.95, seed_variance(three.scores[:, 0]))
    assert together == pytest.approx(alone)
    pooled = primary_interval(one, "stimuli", 0.95, Part(0.04, 6))
    assert pooled.standard_error**2 == pytest.approx(alone.standard_error**2 + 0.04)


def test_what_stimuli_do_in_pairs_is_added_where_all_seeds_have_it():
    rng = np.random.default_rng(2)
    plain = random_effect(4, (12, 3, 3))
    of_seed = seed_variance(plain.scores.mean(axis=1))
    own = rng.normal(0.4, 0.1, (2000, 3, 3))
    shared = np.broadcast_to(own[:, :1, :1], own.shape)
    product = (own[:1000, 0, 0] * own[1000:, 0, 0]).mean()
    apart = own - own.mean()  # each of its own: nothing in common
    for goal in ("stimuli", "both"):
        parts = variance_parts(plain, goal, of_seed)
        for mutual, expected in ((shared, product), (apart, 0)):
            effect = Effect(*arrays(plain), mutual)
            found = variance_parts(effect, goal, of_seed)
            more = found["stimuli"].variance - parts["stimuli"].variance
            assert more == pytest.approx(expected, abs=0.001)
            assert {**found, "stimuli": 0} == {**parts, "stimuli": 0}
    assert variance_parts(effect, "subjects", of_seed) == variance_parts(plain, "subjects", of_seed)
    nothing = effect.less(effect)
    assert (nothing.mutual == 0).all()
    assert (effect.less(Effect.total([(0.5, effect)])).mutual == effect.mutual / 2).all()


def test_a_verdict_and_its_p_never_disagree():
    verdicts = set()
    for seed in range(150):
        effect = random_effect(seed, (12, 3, 3), mean=0.3)
        for goal, coverage in itertools.product(GOALS, (0.9, 0.95)):
            found = primary_interval(effect, goal, coverage, seed_variance(effect.scores.mean(1)))
            outside = found.low > 0 or found.high < 0
            assert outside == (found.p < 1 - coverage)
            verdicts.add(outside)
    assert verdicts == {True, False}


def test_an_effect_that_is_0_in_every_sample_is_no_difference_and_another_is_an_error():
    nothing = Effect(np.zeros((3, 1)), np.zeros((100, 3, 1)), np.zeros((9, 3, 1)))
    found = primary_interval(nothing, "stimuli", 0.95, seed_variance(np.zeros(3)))
    assert (found.estimate, found.low, found.high, found.p) == (0, 0, 0, 1)
    still = Effect(*(x + 0.1 for x in arrays(nothing)))
    with pytest.raises(DataError, match="an effect of 0.1 is the same in every sample"):
        primary_interval(still, "stimuli", 0.95, Part(1, 2))
    with pytest.raises(DataError, match="needs 100 draws or more, not 99"):
        primary_interval(Effect(still.scores, still.drawn[:99], still.left_out), "stimuli", 0.95)
    with pytest.raises(DataError, match="at least 3 of them .*, not 1"):
        primary_interval(still, "both", 0.95)
    assert seed_variance(np.ones(2)) is None


def covers(goal, seeds, spread, sets, pooled=False):
    """Count intervals of 95% that cover 0, in an additive world whose truth is 0.

    `spread`: of stimuli, seeds, subjects, stimulus x seed, stimulus x subject and the rest, of
    those factors only that are generalised to.
    """
    rng = np.random.default_rng([seeds, sets, GOALS.index(goal)])
    n, m, hits = 40, 6, 0
    for _ in range(sets):
        shapes = [(n, 1, 1), (1, seeds, 1), (1, 1, m), (n, seeds, 1), (n, 1, m), (n, seeds, m)]
        of = [0 if goal == "subjects" else 1, 1, 0 if goal == "stimuli" else 1, 1, 1, 1]
        values = sum(
            on * scale * rng.normal(size=shape)
            for on, scale, shape in zip(of, spread, shapes, strict=True)
        )
        if goal == "subjects":  # the same stimuli: nothing of theirs is random
            values = values.mean(axis=0, keepdims=True) * np.ones((n, 1, 1))
        if goal == "stimuli":
            values = values.mean(axis=2, keepdims=True)
        effect = sampled(values + 1e-9 * rng.normal(size=(n, 1, 1)), 200, rng)
        own = seed_variance(effect.scores.mean(axis=1))
        if pooled:  # nine degrees of freedom from other rules
            others = rng.normal(size=(3, 4)) * np.hypot(spread[1], spread[3] / np.sqrt(n))
            own = Part(others.var(axis=1, ddof=1).mean(), 9)
        found = primary_interval(effect, goal, 0.95, own)
        hits += found.low <= 0 <= found.high
    return hits / sets


@pytest.mark.parametrize(
    ("goal", "seeds", "spread", "pooled"),
    [
        ("stimuli", 5, (0.6, 0.1, 0, 0.6, 0.5, 0.5), False),  # as much of seeds as of stimuli
        ("stimuli", 10, (0.1, 0.1, 0, 1, 0.5, 0.5), False),  # mostly of seeds
        ("stimuli", 3, (1, 0, 0, 0.2, 0.5, 0.5), False),  # mostly of stimuli
        ("stimuli", 2, (0.6, 0.1, 0, 0.4, 0, 0), True),
        ("both", 5, (0.6, 0.1, 0.2, 0.6, 0.6, 0.5), False),
        ("both", 5, (0.2, 0.02, 0.02, 1, 1, 1), False),
        ("subjects", 5, (0, 0.1, 0.2, 0.5, 0.5, 0.5), False),
    ],
)
def test_intervals_cover_what_they_promise_with_seeds_that_interact(goal, seeds, spread, pooled):
    assert covers(goal, seeds, spread, 400, pooled) == pytest.approx(0.95, abs=0.03)


def test_without_the_seeds_too_few_are_covered():
    # what was done before: the variance over stimuli alone
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(200):
        values = rng.normal(0, 0.6, (40, 1, 1)) + rng.normal(0, 0.2, (1, 5, 1))
        effect = sampled(values + rng.normal(0, 0.3, (40, 5, 1)), 200, rng)
        found = primary_interval(effect, "stimuli", 0.95)
        hits += found.low <= 0 <= found.high
    assert hits / 200 < 0.9
