"""Measures of a score over the epochs of training, each with its interval (guard 34)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rulealign.errors import DataError
from rulealign.rsa.bootstrap.spearman import percentile_interval, require_draws

DROP = "drop_after_first_epoch"
"""The score of epoch 0 less that of epoch 1: above 0 where alignment is lost."""

RELATIVE_DROP = "relative_drop_after_first_epoch"
"""The drop as a fraction of the score of epoch 0."""

NET_CHANGE = "net_change"
"""The score of the last epoch less that of epoch 0: above 0 where alignment is gained."""

AREA = "area_under_curve"
"""The area under the trajectory by trapezoids, divided by the epochs it spans: a mean height."""

HALF_DECAY = "epoch_of_half_decay"
"""When the score first is at most half that of epoch 0, by straight lines between epochs."""


@dataclass(frozen=True)
class Measure:
    """One measure of a trajectory.

    Attributes:
        name: one of the names of this module.
        unit: `score`, `fraction` or `epochs`.
        value: of the scores themselves; None where it is missing.
        low: lower end of the percentile interval; None where it is missing.
        high: upper end.
        reason: why something is missing; "" where nothing is.
    """

    name: str
    unit: str
    value: float | None
    low: float | None
    high: float | None
    reason: str = ""


def trajectory_measures(
    epochs: np.ndarray, scores: np.ndarray, draws: np.ndarray, coverage: float
) -> list[Measure]:
    """Measure how a score changes over training.

    The relative drop and the half decay are shares of the score of epoch 0: they are missing
    unless its interval lies above 0 (guard 34); the drop itself is always there. Draws whose score
    of epoch 0 is not above 0 have no relative drop and no half decay: rather than being left out,
    they widen the interval at both ends. Draws that never fall to half do so after the last epoch.

    Args:
        epochs: integer, shape (n_epochs,), ascending, from 0; those with a checkpoint.
        scores: shape (n_epochs,); the score of each.
        draws: shape (draws, n_epochs); the same scores in each resample, which the epochs share.
        coverage: of the percentile intervals, such as .95.

    Returns:
        `DROP`, `RELATIVE_DROP`, `NET_CHANGE`, `AREA` and `HALF_DECAY`, in this order.

    Raises:
        DataError: epochs are fewer than 2, not ascending or not from 0; epochs, scores and draws
            do not fit, one of them is not finite, or there are too few draws for the interval.
    """
    epochs, scores, draws = (np.asarray(given, np.float64) for given in (epochs, scores, draws))
    _require_trajectory(epochs, scores, draws)
    require_draws(len(draws), coverage)
    both = np.vstack([scores, draws])
    refusal = _refusal(both, coverage)
    return [
        *_drops(epochs, both, coverage, refusal),
        _measure(NET_CHANGE, "score", both[:, -1] - both[:, 0], coverage),
        _measure(AREA, "score", _area(epochs, both), coverage),
        _half_decay(epochs, both, coverage, refusal),
    ]


def _require_trajectory(epochs: np.ndarray, scores: np.ndarray, draws: np.ndarray) -> None:
    shapes = (epochs.shape, scores.shape, draws.shape[1:])
    if draws.ndim != 2 or len(set(shapes)) > 1 or epochs.ndim != 1:
        raise DataError(
            f"epochs, scores and draws have the shapes {epochs.shape}, {scores.shape} and"
            f" {draws.shape}; each epoch needs one score, and one in every draw."
        )
    if len(epochs) < 2 or epochs[0] != 0 or (np.diff(epochs) <= 0).any():
        raise DataError(
            f"the epochs are {epochs.tolist()}; a trajectory ascends from epoch 0, its baseline, to"
            " at least one more. Put 0 into the study's epochs."
        )
    for epoch, wrong in zip(epochs, ~np.isfinite(np.vstack([scores, draws])).all(0), strict=True):
        if wrong:
            raise DataError(f"epoch {epoch:g} has a score or draw that is NaN or infinite.")


def _measure(name: str, unit: str, values: np.ndarray, coverage: float) -> Measure:
    # values: of the scores, then of each draw
    low, high = percentile_interval(values[1:], coverage)
    return Measure(name, unit, float(values[0]), float(low), float(high))


def _refusal(both: np.ndarray, coverage: float) -> str:
    # guard 34: why nothing can be a share of the baseline
    low, high = _outward(both[1:, 0], both[1:, 0], coverage)
    if low > 0 and both[0, 0] > 0:
        return ""
    return (
        f"a share of a baseline that may be 0 or below means nothing: the score of epoch 0 is"
        f" {both[0, 0]:.4f}, its interval {low:.4f} to {high:.4f}; see {DROP}"
    )


def _drops(
    epochs: np.ndarray, both: np.ndarray, coverage: float, refusal: str
) -> tuple[Measure, Measure]:
    if epochs[1] != 1:
        lacking = f"there is no score of epoch 1, the next after 0 is {epochs[1]:g}"
        return (
            Measure(DROP, "score", None, None, None, lacking),
            Measure(RELATIVE_DROP, "fraction", None, None, None, lacking),
        )
    drop, baseline = both[:, 0] - both[:, 1], both[:, 0]
    absolute = _measure(DROP, "score", drop, coverage)
    if refusal:
        return absolute, Measure(RELATIVE_DROP, "fraction", None, None, None, refusal)
    share = np.divide(drop, baseline, out=np.zeros_like(drop), where=baseline > 0)
    at_least, at_most = (np.where(baseline > 0, share, end) for end in (-np.inf, np.inf))
    return absolute, _bounded(RELATIVE_DROP, "fraction", at_least, at_most, coverage)


def _area(epochs: np.ndarray, both: np.ndarray) -> np.ndarray:
    return np.trapezoid(both, epochs, axis=1) / (epochs[-1] - epochs[0])


def _half_decay(epochs: np.ndarray, both: np.ndarray, coverage: float, refusal: str) -> Measure:
    if refusal:
        return Measure(HALF_DECAY, "epochs", None, None, None, refusal)
    halved = _halved(epochs, both)
    if np.isinf(halved[0]):
        share = np.isfinite(halved[1:]).mean()
        never = (
            f"the score never falls to half of {both[0, 0]:.4f} by epoch {epochs[-1]:g}, the last"
            f" (in {share:.1%} of the draws it does)"
        )
        return Measure(HALF_DECAY, "epochs", None, None, None, never)
    without = both[:, 0] <= 0
    at_least, at_most = np.where(without, 0, halved), np.where(without, np.inf, halved)
    return _bounded(HALF_DECAY, "epochs", at_least, at_most, coverage)


def _halved(epochs: np.ndarray, both: np.ndarray) -> np.ndarray:
    # when each row is first at most half its first value, inf where never; a first value above 0
    half = both[:, :1] / 2
    below = both[:, 1:] <= half
    later = np.argmax(below, axis=1)[:, np.newaxis] + 1
    before, after = (np.take_along_axis(both, at, axis=1) for at in (later - 1, later))
    falls = below.any(axis=1, keepdims=True)
    # a first value of 0 or below has no half to fall to; what is found of it is not used
    falling = falls & (before > after)
    part = np.divide(before - half, before - after, out=np.zeros_like(half), where=falling)
    when = epochs[later - 1] + part * (epochs[later] - epochs[later - 1])
    return np.where(falls, when, np.inf)[:, 0]


def _bounded(
    name: str, unit: str, at_least: np.ndarray, at_most: np.ndarray, coverage: float
) -> Measure:
    # as `_measure`, of values of which some draws know only bounds, which may be infinite
    if np.array_equal(at_least, at_most) and np.isfinite(at_least).all():
        return _measure(name, unit, at_least, coverage)
    low, high = _outward(at_least[1:], at_most[1:], coverage)
    tail = 100 * (1 - coverage) / 2
    open_ends = [end for end, at in (("lower", low), ("upper", high)) if np.isinf(at)]
    reason = (
        f"the {' and '.join(open_ends)} end is open: more than {tail:.3g}% of the draws have no"
        " value between the first and the last epoch"
        if open_ends
        else ""
    )
    ends = [None if np.isinf(end) else end for end in (low, high)]
    return Measure(name, unit, float(at_least[0]), *ends, reason)


def _outward(at_least: np.ndarray, at_most: np.ndarray, coverage: float) -> tuple[float, float]:
    # no interpolation, which infinity does not allow: the next draw outwards. The baseline is
    # judged by the same, so that too few of its draws are at 0 or below to open an end of a share
    tail = 100 * (1 - coverage) / 2
    low = np.percentile(at_least, tail, method="lower")
    return float(low), float(np.percentile(at_most, 100 - tail, method="higher"))
