"""Trajectory measures against closed forms of straight and exponential trajectories."""

import numpy as np
import pytest

from rulealign.rsa.trajectory import (
    AREA,
    DROP,
    HALF_DECAY,
    NET_CHANGE,
    RELATIVE_DROP,
    trajectory_measures,
)

EPOCHS = np.array([0, 1, 2, 5, 10, 20, 30, 40])


def measured(epochs, scores, draws=None, coverage=0.95):
    scores = np.asarray(scores, dtype=float)
    draws = np.tile(scores, (100, 1)) if draws is None else draws
    return {m.name: m for m in trajectory_measures(np.asarray(epochs), scores, draws, coverage)}


def test_a_straight_fall_is_measured_exactly():
    # s = .5 - .01 t: half of .5 is passed at 25, between the checkpoints of 20 and 30
    found = measured(EPOCHS, 0.5 - 0.01 * EPOCHS)
    expected = {
        DROP: 0.01,
        RELATIVE_DROP: 0.02,
        NET_CHANGE: -0.4,
        AREA: 0.5 - 0.01 * 20,  # the mean height of a line is its height in the middle
        HALF_DECAY: 25,
    }
    assert {name: m.value for name, m in found.items()} == pytest.approx(expected, abs=1e-12)
    assert list(found) == list(expected)
    units = {DROP: "score", RELATIVE_DROP: "fraction", HALF_DECAY: "epochs"}
    assert {name: found[name].unit for name in units} == units
    assert all(m.reason == "" for m in found.values())


def test_an_exponential_fall_is_measured_as_its_formula_says():
    epochs, rate = np.arange(0, 41), 0.13
    found = measured(epochs, 0.2 * np.exp(-rate * epochs))
    assert found[RELATIVE_DROP].value == pytest.approx(1 - np.exp(-rate), abs=1e-14)
    assert found[DROP].value == pytest.approx(0.2 * (1 - np.exp(-rate)), abs=1e-14)
    # trapezoids of a geometric series, summed: (1 - q^n) / (1 - q) times the first trapezoid
    first = 0.1 * (1 + np.exp(-rate))
    area = first * (1 - np.exp(-rate * 40)) / (1 - np.exp(-rate)) / 40
    assert found[AREA].value == pytest.approx(area, abs=1e-14)
    # the half-life is log 2 / rate = 5.33; a chord lies above the curve by at most s rate^2 / 8
    assert found[HALF_DECAY].value == pytest.approx(np.log(2) / rate, abs=rate / 8 * 1.1)
    assert found[HALF_DECAY].value > np.log(2) / rate


def test_the_first_fall_to_half_counts_and_not_a_later_one():
    assert measured([0, 1, 2, 3, 4], [0.4, 0.1, 0.5, 0.3, 0.0])[HALF_DECAY].value == (
        pytest.approx(2 / 3)
    )
    assert measured([0, 1, 2], [0.4, 0.2, 0.1])[HALF_DECAY].value == 1


def test_growth_and_area_do_not_depend_on_how_closely_epochs_are_saved():
    closely = measured(np.arange(41), 0.1 + 0.002 * np.arange(41))
    rarely = measured([0, 1, 40], 0.1 + 0.002 * np.array([0, 1, 40]))
    for name in (DROP, RELATIVE_DROP, NET_CHANGE, AREA):
        assert closely[name].value == pytest.approx(rarely[name].value, abs=1e-14)
    assert closely[NET_CHANGE].value == pytest.approx(0.08)
    assert closely[DROP].value == pytest.approx(-0.002)


def plain(epochs, scores):
    """Measure one trajectory by a loop."""
    half = next(
        (
            a + (s - scores[0] / 2) / (s - later) * (b - a)
            for a, b, s, later in zip(epochs, epochs[1:], scores, scores[1:], strict=False)
            if later <= scores[0] / 2
        ),
        np.inf,
    )
    trapezoids = [
        (b - a) * (s + later) / 2
        for a, b, s, later in zip(epochs, epochs[1:], scores, scores[1:], strict=False)
    ]
    return {
        DROP: scores[0] - scores[1],
        RELATIVE_DROP: (scores[0] - scores[1]) / scores[0],
        NET_CHANGE: scores[-1] - scores[0],
        AREA: sum(trapezoids) / (epochs[-1] - epochs[0]),
        HALF_DECAY: half,
    }


def noisy_fall(n_draws=400, seed=0, noise=0.01):
    scores = 0.1 * np.exp(-0.2 * EPOCHS)
    rng = np.random.default_rng(seed)
    common = rng.normal(0, noise, (n_draws, 1))  # resamples move all epochs together
    return scores, scores + common + rng.normal(0, noise / 3, (n_draws, len(EPOCHS)))


@pytest.mark.parametrize("coverage", [0.9, 0.95])
def test_intervals_are_percentiles_of_the_measures_of_each_draw(coverage):
    scores, draws = noisy_fall()
    found = measured(EPOCHS, scores, draws, coverage)
    each = [plain(EPOCHS, draw) for draw in draws]
    for name, measure in found.items():
        ends = np.quantile([one[name] for one in each], [(1 - coverage) / 2, (1 + coverage) / 2])
        assert (measure.low, measure.high) == pytest.approx(tuple(ends), abs=1e-12)
        assert measure.value == pytest.approx(plain(EPOCHS, scores)[name], abs=1e-12)


def test_the_interval_of_a_drop_uses_that_draws_share_their_resamples():
    scores, draws = noisy_fall()
    shared = measured(EPOCHS, scores, draws)[DROP]
    shuffled = draws.copy()
    shuffled[:, 1] = np.random.default_rng(5).permutation(draws[:, 1])
    apart = measured(EPOCHS, scores, shuffled)[DROP]
    assert shared.high - shared.low < 0.5 * (apart.high - apart.low)


def test_intervals_cover_the_true_measures():
    rng, true = np.random.default_rng(2), 0.2 * np.exp(-0.3 * EPOCHS)
    exact, hits = plain(EPOCHS, true), {name: 0 for name in plain(EPOCHS, true)}
    mix = np.linalg.cholesky(0.01**2 * (0.8 + 0.2 * np.eye(len(EPOCHS))))
    for _ in range(200):
        # normal estimates, whose draws spread around them as they do around the truth
        scores = true + mix @ rng.standard_normal(len(EPOCHS))
        draws = scores + rng.standard_normal((200, len(EPOCHS))) @ mix.T
        for name, m in measured(EPOCHS, scores, draws).items():
            hits[name] += m.low <= exact[name] <= m.high
    assert all(0.9 <= count / 200 <= 0.99 for count in hits.values()), hits


def test_two_epochs_are_a_trajectory():
    found = measured([0, 1], [0.4, 0.1])
    assert found[DROP].value == pytest.approx(0.3)
    assert found[HALF_DECAY].value == pytest.approx(2 / 3)
