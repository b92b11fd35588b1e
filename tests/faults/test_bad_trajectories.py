"""Guard 34: shares of a baseline near zero; and trajectories that are none."""

import numpy as np
import pytest

from rulealign.errors import DataError
from rulealign.rsa.trajectory import (
    DROP,
    HALF_DECAY,
    NET_CHANGE,
    RELATIVE_DROP,
    trajectory_measures,
)

EPOCHS = np.array([0, 1, 5, 20])
SCORES = np.array([0.10, 0.06, 0.04, 0.03])


def around(scores, spread, n_draws=1000, seed=0):
    rng = np.random.default_rng(seed)
    return scores + rng.normal(0, spread, (n_draws, len(scores)))


def measured(scores, draws, epochs=EPOCHS, coverage=0.95):
    scores = np.asarray(scores, dtype=float)
    return {m.name: m for m in trajectory_measures(epochs, scores, draws, coverage)}


@pytest.mark.parametrize("baseline", [0.0, 0.008, -0.008, -0.1])
def test_no_share_is_given_of_a_baseline_at_or_below_zero(baseline):
    # planted: a drop of .05 from such a baseline is no "percent of alignment lost"
    scores = np.array([baseline, baseline - 0.05, 0, 0])
    draws = around(scores, 0.01)
    found = measured(scores, draws)
    low = np.quantile(draws[:, 0], 0.025, method="lower")
    high = np.quantile(draws[:, 0], 0.975, method="higher")
    for name in (RELATIVE_DROP, HALF_DECAY):
        assert (found[name].value, found[name].low, found[name].high) == (None, None, None)
        assert f"its interval {low:.4f} to {high:.4f}" in found[name].reason
        assert DROP in found[name].reason
    assert found[DROP].value == pytest.approx(0.05)
    assert found[DROP].low > 0
    assert found[DROP].reason == found[NET_CHANGE].reason == ""


def test_the_guard_turns_on_the_interval_and_not_on_the_score():
    clear, unclear = around(SCORES, 0.02), around(SCORES, 0.06)
    assert measured(SCORES, clear)[RELATIVE_DROP].value == pytest.approx(0.4)
    assert measured(SCORES, unclear)[RELATIVE_DROP].value is None
    # the same draws are clear of zero at a smaller coverage
    assert measured(SCORES, unclear, coverage=0.8)[RELATIVE_DROP].value == pytest.approx(0.4)
    # draws clear of zero do not save a score that is not
    assert measured([-0.01, 0, 0, 0], around(SCORES, 0.01))[RELATIVE_DROP].value is None


def test_draws_without_a_baseline_widen_a_share_and_are_not_left_out():
    # 2% of the draws lie below 0: the interval excludes 0, and yet these draws have no share
    draws = np.tile(SCORES, (1000, 1)) * np.linspace(0.9, 1.1, 1000)[:, np.newaxis]
    draws[:, 1] = draws[:, 0] * np.linspace(0.5, 0.7, 1000)  # shares fall from .5 to .3
    draws[:20, 0] = -0.05
    share = measured(SCORES, draws)[RELATIVE_DROP]
    shares = np.sort(1 - draws[20:, 1] / draws[20:, 0])
    assert share.low == pytest.approx(shares[24 - 20])  # as if these were 20 of the lowest
    assert share.high == pytest.approx(shares[975])  # and, at the other end, of the highest
    half = measured(SCORES, draws)[HALF_DECAY]
    assert half.low is not None
    assert half.low <= half.value <= half.high


def test_a_score_that_never_halves_has_no_epoch_of_half_decay():
    scores = np.array([0.1, 0.08, 0.07, 0.06])
    half = measured(scores, around(scores, 0.001))[HALF_DECAY]
    assert (half.value, half.low, half.high) == (None, None, None)
    assert "never falls to half of 0.1000 by epoch 20" in half.reason
    assert "in 0.0% of the draws" in half.reason


def test_draws_that_never_halve_leave_the_upper_end_open():
    scores = np.array([0.1, 0.08, 0.07, 0.049])
    draws = around(scores, 0.004)
    half = measured(scores, draws)[HALF_DECAY]
    assert 5 < half.low < half.value < 20
    assert half.high is None
    assert "the upper end is open: more than 2.5%" in half.reason


def test_a_trajectory_without_epoch_1_has_no_first_drop():
    found = measured(SCORES, around(SCORES, 0.001), epochs=np.array([0, 2, 5, 20]))
    for name in (DROP, RELATIVE_DROP):
        assert found[name].value is None
        assert "no score of epoch 1, the next after 0 is 2" in found[name].reason
    assert found[NET_CHANGE].value == pytest.approx(-0.07)


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        ([1, 2, 5, 20], r"\[1.0, 2.0, 5.0, 20.0\]; a trajectory ascends from epoch 0"),
        ([0, 5, 1, 20], "ascends"),
        ([0, 1, 1, 20], "ascends"),
        ([0, 1, 5], r"shapes \(3,\), \(4,\) and \(100, 4\)"),
    ],
)
def test_epochs_that_are_no_trajectory_are_refused(epochs, message):
    with pytest.raises(DataError, match=message):
        measured(SCORES, around(SCORES, 0.01, 100), epochs=np.array(epochs))


def test_a_single_epoch_is_no_trajectory():
    with pytest.raises(DataError, match=r"the epochs are \[0.0\]"):
        measured([0.1], around(np.array([0.1]), 0.01, 100), epochs=np.array([0]))


def test_a_score_or_draw_that_is_not_finite_is_named():
    draws = around(SCORES, 0.01, 100)
    with pytest.raises(DataError, match="epoch 5 has a score or draw that is NaN"):
        measured([0.1, 0.06, np.nan, 0.03], draws)
    draws[7, 3] = np.inf
    with pytest.raises(DataError, match="epoch 20 has a score or draw that is NaN or infinite"):
        measured(SCORES, draws)


def test_fewer_draws_than_the_interval_allows_are_refused():
    with pytest.raises(DataError, match="interval of 0.95 needs at least 40 draws, not 39"):
        measured(SCORES, around(SCORES, 0.01, 39))
    assert measured(SCORES, around(SCORES, 0.01, 40))[DROP].value == pytest.approx(0.04)
    with pytest.raises(DataError, match="interval of 0.99 needs at least 200 draws"):
        measured(SCORES, around(SCORES, 0.01, 100), coverage=0.99)


def test_draws_with_a_baseline_of_exactly_zero_have_no_half_decay():
    # 2% of the draws: they leave both ends open, as those below 0 do
    draws = np.tile(SCORES, (1000, 1)) * np.linspace(0.9, 1.1, 1000)[:, np.newaxis]
    draws[:, 1] = draws[:, 0] * np.linspace(0.5, 0.7, 1000)  # so that half is passed ever later
    below = draws.copy()
    draws[-20:, 0], below[-20:, 0] = 0.0, -0.05
    exactly, under = (measured(SCORES, one)[HALF_DECAY] for one in (draws, below))
    assert exactly.low is not None
    assert (exactly.value, exactly.low, exactly.high) == (under.value, under.low, under.high)


@pytest.mark.parametrize(("lost", "given"), [(24, True), (25, False)])
def test_a_share_is_refused_before_draws_without_a_baseline_reach_the_ends(lost, given):
    # of 1,000 draws the 25th lowest is the lower end: a share of none could be told there
    draws = around(SCORES, 0.005)
    draws[:lost, 0] = draws[:lost, 1] = -0.05  # nor does a baseline below 0 divide by zero
    share = measured(SCORES, draws)[RELATIVE_DROP]
    assert (share.value is not None) == given
    assert (share.low is not None and share.high is not None) == given
    assert (share.reason == "") == given
