"""The shift test (guard 22): whether the labels of trials fit the times of their responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.stats import ttest_1samp

from rulealign.rsa.quality.rows import RARE, entry
from rulealign.rsa.quality.time import Shown, Trials, ratio

_BEYOND = "repeats of an image correlate by {} more than different images do"


def told_apart(units: np.ndarray, trials: Trials, shift: int) -> np.ndarray:
    """Measure how well repeated stimuli are told apart with shifted labels (guard 22).

    A trial's label is given to the pattern `shift` places later in the same run. For each stimulus:
    the mean correlation of its patterns in different runs, minus the mean correlation of its
    patterns with those of other repeated stimuli in different runs.

    Args:
        units: as made by `unit_patterns`.
        trials: of the same trials.
        shift: in trials; positive: patterns later than their labels.

    Returns:
        float64, one entry per stimulus shown in several runs, in the order of `Trials.stimulus`;
        NaN where too few of its trials are left. Empty where no stimulus was repeated.
    """
    repeated, kept, moved = _relabelled(trials, shift)
    out = np.full(len(repeated), np.nan)
    if not len(kept):
        return out
    left = Trials(trials.stimulus[kept], trials.run[kept], trials.place[kept])
    shown, by_run = Shown.of(units[moved], left), np.zeros((trials.run.max() + 1, units.shape[1]))
    np.add.at(by_run, shown.run, shown.sums)
    in_run = np.bincount(left.run, minlength=len(by_run))
    similarity = np.einsum("nv,nv->n", shown.sums, by_run.sum(axis=0) - by_run[shown.run])
    pairs = shown.trials * (len(left.run) - in_run[shown.run])
    names, which = np.unique(shown.stimulus, return_inverse=True)
    own, own_pairs, every, every_pairs = (
        np.bincount(which, values)
        for values in (shown.same_similarity, shown.same_pairs, similarity, pairs)
    )
    apart = ratio(own, own_pairs) - ratio(every - own, every_pairs - own_pairs)
    out[np.searchsorted(repeated, names)] = apart
    return out


def _relabelled(trials: Trials, shift: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # repeated stimuli; the trials of them that keep a pattern; the places of those patterns
    pairs = np.unique(np.stack([trials.stimulus, trials.run]), axis=1)
    repeated = np.flatnonzero(np.bincount(pairs[0], minlength=1) > 1)
    labelled = np.flatnonzero(np.isin(trials.stimulus, repeated))
    moved = shifted_places(trials, labelled, shift)
    return repeated, labelled[moved >= 0], moved[moved >= 0]


def shifted_places(trials: Trials, labelled: np.ndarray, shift: int) -> np.ndarray:
    """Find the trial that is some places later in the same run.

    Args:
        trials: all trials.
        labelled: trials to start from, shape (n,).
        shift: in trials.

    Returns:
        int64, shape (n,); -1 where the run has no such trial.
    """
    at = {
        key: n for n, key in enumerate(zip(trials.run.tolist(), trials.place.tolist(), strict=True))
    }
    wanted = zip(
        trials.run[labelled].tolist(), (trials.place[labelled] + shift).tolist(), strict=True
    )
    return np.array([at.get(key, -1) for key in wanted], dtype=np.int64)


def shift_rows(units: np.ndarray, trials: Trials, shifts: int) -> list[dict[str, Any]]:
    """Run the shift test on the stimuli that were repeated.

    Args:
        units: as made by `quality_time.unit_patterns`.
        trials: of the same trials.
        shifts: the longest shift either way, in trials.

    Returns:
        Rows `shift` and `shift_error` per shift, and the verdict `shift_test`; of the latter only
        the number of repeated stimuli, 0, where there are none.
    """
    every = range(-shifts, shifts + 1)
    by_shift = {shift: told_apart(units, trials, shift) for shift in every}
    rows = [entry("shift_test", "repeated stimuli", len(by_shift[0]), guard=22)]
    means = {}
    for shift, values in by_shift.items():
        there = values[np.isfinite(values)]
        if len(there) > 1:
            means[shift] = there.mean()
            rows.append(entry("shift", shift, there.mean(), guard=22))
            error = there.std(ddof=1) / np.sqrt(len(there))
            rows.append(entry("shift_error", shift, error, guard=22))
    return rows + _shift_test(by_shift, max(means, key=means.__getitem__)) if means else rows


def _shift_test(by_shift: Mapping[int, np.ndarray], peak: int) -> list[dict[str, Any]]:
    best, own = by_shift[peak], by_shift[0]
    clear = _above_zero(best)
    beyond = peak != 0 and _above_zero(best - own)
    finding = ""
    if not clear:
        finding = "no signal: repeated stimuli are not told apart at any shift of the labels"
    elif beyond:
        finding = shift_words(peak, np.nanmean(best), np.nanmean(own), _BEYOND)
    elif peak != 0:
        finding = f"stimuli are told apart about as well with labels shifted by {trials_in(peak)}"
    flagged = clear and beyond
    value = peak if clear else np.nan
    more = {"guard": 22, "expected": 0, "flagged": flagged, "finding": finding}
    return [entry("shift_test", "peak", value, **more)]


def _above_zero(values: np.ndarray) -> bool:
    values = values[np.isfinite(values)]
    if len(values) < 2 or not values.std() > 0:
        return False
    return bool(ttest_1samp(values, 0, alternative="greater").pvalue < RARE)


def trials_in(shift: int) -> str:
    """Write a number of trials."""
    return "one trial" if abs(shift) == 1 else f"{abs(shift)} trials"


def shift_words(peak: int, best: float, own: float, what: str) -> str:
    """Say that responses and labels are apart.

    Args:
        peak: the shift at which they fit best.
        best: how well they fit there, a correlation.
        own: how well they fit as they are.
        what: what was measured, with {} in place of the number.

    Returns:
        Words without the subject.
    """
    when = "later" if peak > 0 else "earlier"
    return (
        f"shifted by {trials_in(peak)}: responses fit the labels best when they are read"
        f" {trials_in(peak)} {when} ({what.format(f'{best:.3f}')},"
        f" {own:.3f} as labelled)"
    )
