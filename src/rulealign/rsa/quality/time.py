"""Single-trial patterns in time: how dissimilar trials are by how far apart they are in a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_LINE = 3
"""Fewest lags that a line can be drawn through with something left to tell it is one."""


@dataclass(frozen=True)
class Trials:
    """When what was shown; all arrays have one entry per trial.

    Attributes:
        stimulus: int64, the stimulus' place among the sorted names.
        run: int64, the run's number over all sessions, in order of time.
        place: int64, place in time within the run; a trial that was dropped leaves a gap.
    """

    stimulus: np.ndarray
    run: np.ndarray
    place: np.ndarray


def trials_in_time(table: pd.DataFrame) -> Trials:
    """Give stimuli and runs their numbers, and each trial its place in time.

    Args:
        table: the columns stimulus, session, run and trial_id; one row per trial, in each run in
            order of time.

    Returns:
        The numbers. Places are trial_ids where they count up within every run, so that a dropped
        trial leaves its gap, and places in the table's order where they do not.
    """
    _, stimulus = np.unique(table["stimulus"].to_numpy(dtype=str), return_inverse=True)
    groups = table.groupby(["session", "run"], sort=True)
    run, counted = groups.ngroup().to_numpy(), groups.cumcount().to_numpy()
    increasing = all(np.all(np.diff(ids) > 0) for _, ids in groups["trial_id"])
    place = table["trial_id"].to_numpy() if increasing else counted
    return Trials(stimulus, run, place)


def unit_patterns(responses: np.ndarray) -> np.ndarray:
    """Z-score every voxel over all trials, and bring every trial's pattern to mean 0, length 1.

    Args:
        responses: shape (voxels, trials), any float dtype.

    Returns:
        float64, shape (trials, voxels); dot products of rows are Pearson correlations over voxels.

    Raises:
        DataError: a voxel is constant or not finite, or a trial's pattern is constant.
    """
    units = np.array(responses.T, dtype=np.float64, order="C")
    units -= units.mean(axis=0)
    spread = units.std(axis=0)
    if not (np.isfinite(spread).all() and (spread > 0).all()):
        raise DataError("there are voxels that are constant or not finite; drop them first.")
    units /= spread
    units -= units.mean(axis=1, keepdims=True)
    length = np.linalg.norm(units, axis=1, keepdims=True)
    if not (length > 0).all():
        trial = int(np.argmin(length))
        raise DataError(f"all voxels have the same response in trial {trial}: a pattern has none.")
    units /= length
    return units


@dataclass(frozen=True)
class LagCurves:
    """Dissimilarity (1 - Pearson) of trials with different stimuli, by how far apart they are.

    Attributes:
        by_lag: float64, shape (runs, lags); mean at lag 1, 2, ... minus `level`, NaN without pairs.
        other_runs: float64, shape (runs,); mean of the run's trials with those of all other runs,
            minus `level`.
        level: float64, shape (runs,); mean over all pairs within the run.
    """

    by_lag: np.ndarray
    other_runs: np.ndarray
    level: np.ndarray


def lag_curves(units: np.ndarray, trials: Trials, lags: int) -> LagCurves:
    """Measure dissimilarity by lag within each run (guard 6).

    Args:
        units: as made by `unit_patterns`.
        trials: of the same trials.
        lags: the longest lag, in trials.

    Returns:
        One curve per run.
    """
    runs = [np.flatnonzero(trials.run == run) for run in range(trials.run.max() + 1)]
    curves = np.full((len(runs), lags), np.nan)
    level = np.full(len(runs), np.nan)
    for run, at in enumerate(runs):
        first, second = np.triu_indices(len(at), 1)
        different = trials.stimulus[at[first]] != trials.stimulus[at[second]]
        first, second = first[different], second[different]
        distances = 1 - (units[at] @ units[at].T)[first, second]
        apart = np.abs(trials.place[at[second]] - trials.place[at[first]])
        level[run] = _mean(distances)
        for lag in range(1, lags + 1):
            curves[run, lag - 1] = _mean(distances[apart == lag]) - level[run]
    return LagCurves(curves, _other_runs(units, trials) - level, level)


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _other_runs(units: np.ndarray, trials: Trials) -> np.ndarray:
    # sums of patterns instead of all pairs: a dot product of sums is the sum of dot products
    by_run = sums_by(units, trials.run)
    shown = Shown.of(units, trials)
    similarity = np.einsum("rv,rv->r", by_run, by_run.sum(axis=0) - by_run)
    similarity -= np.bincount(shown.run, shown.same_similarity, minlength=len(by_run))
    trials_in = np.bincount(trials.run)
    count = trials_in * (len(units) - trials_in)
    count = count - np.bincount(shown.run, shown.same_pairs, minlength=len(by_run))
    return 1 - ratio(similarity, count)


def ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """Divide sums by counts; NaN where there is nothing to count."""
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def sums_by(units: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Add up the rows of each group, groups in sorted order."""
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    return np.add.reduceat(units[order], starts, axis=0)


@dataclass(frozen=True)
class Shown:
    """Each stimulus in each run that it was shown in, with its pairs in other runs.

    Attributes:
        stimulus: int64, shape (n,).
        run: int64, shape (n,).
        trials: int64, shape (n,); how often in that run.
        sums: float64, shape (n, voxels); sums of its unit patterns in that run.
        same_pairs: float64, shape (n,); pairs with trials of the same stimulus in other runs.
        same_similarity: float64, shape (n,); sum of their correlations.
    """

    stimulus: np.ndarray
    run: np.ndarray
    trials: np.ndarray
    sums: np.ndarray
    same_pairs: np.ndarray
    same_similarity: np.ndarray

    @classmethod
    def of(cls, units: np.ndarray, trials: Trials) -> Shown:
        """Gather the trials of each stimulus by run."""
        runs = trials.run.max() + 1
        keys, group = np.unique(trials.stimulus * runs + trials.run, return_inverse=True)
        stimulus, sums, count = keys // runs, sums_by(units, group), np.bincount(group)
        _, which = np.unique(stimulus, return_inverse=True)
        all_sums, all_trials = sums_by(sums, which)[which], np.bincount(which, count)[which]
        similarity = np.einsum("nv,nv->n", sums, all_sums - sums)
        return cls(stimulus, keys % runs, count, sums, count * (all_trials - count), similarity)


def line_weights(lags: int) -> np.ndarray | None:
    """Give the weights by which lags 2, 3, ... foretell lag 1: a straight line through them.

    Slow changes of the signal make trials the less alike the farther they are apart, nearly in
    proportion; a line takes that into account, their mean would not.

    Args:
        lags: the longest lag of the line.

    Returns:
        float64, shape (lags - 1,), sum 1; None where fewer than 3 lags are left for a line.
    """
    if lags - 1 < _LINE:
        return None
    x = np.stack([np.ones(lags - 1), np.arange(2, lags + 1)])
    return np.array([1.0, 1.0]) @ np.linalg.pinv(x.T)
