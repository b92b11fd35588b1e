"""Faults that single-trial responses can have: voxels without a signal, trials that are copies."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

COPY = 0.9999
"""Pearson correlation above which two trials count as one trial listed twice."""

_ENOUGH_VOXELS = 12  # with fewer, unrelated patterns may correlate above COPY
_BLOCK = 1024


def find_faulty_voxels(responses: np.ndarray, ids: Sequence[Any]) -> dict[str, list]:
    """Find the voxels that say nothing.

    Args:
        responses: shape (voxels, trials), any float dtype.
        ids: the voxels' ids, one per row.

    Returns:
        `not_finite`: ids of voxels with a NaN or an infinity in some trial; `constant`: ids of
        those with the same response in every trial. Both in the order of the rows.
    """
    finite = np.array([np.isfinite(row).all() for row in responses], dtype=bool)
    constant = finite & (responses.min(axis=1) == responses.max(axis=1))
    return {
        "not_finite": [ids[place] for place in np.flatnonzero(~finite)],
        "constant": [ids[place] for place in np.flatnonzero(constant)],
    }


def find_duplicated_trials(responses: np.ndarray, trials: pd.DataFrame) -> list[dict[str, Any]]:
    """Find trials whose responses are those of an earlier trial.

    Every voxel is z-scored over trials first, so that what all trials have in common does not
    count; faulty voxels are left out. Two trials are copies where their responses are identical,
    or their patterns correlate above `COPY`. With fewer than 12 voxels only identical ones count.
    All trials are correlated with all, in blocks: 9,840 trials of 4,145 voxels take about 6 s on
    one core, and twice the memory that they have as float32.

    Args:
        responses: shape (voxels, trials), any float dtype.
        trials: the trials in the order of the columns, with session, run and trial_id.

    Returns:
        One entry per trial that repeats an earlier one, in order: `second`, its name (see
        `trial_names`), `first`, that of the earliest like it, and `correlation`, to 6 decimals (1
        where they are identical).
    """
    values = _scores(responses)
    names, enough = trial_names(trials), values.shape[1] >= _ENOUGH_VOXELS
    copies = _identical(values)
    found = (_correlated(_unit_rows(values)) if enough else {}) | copies
    return [
        {"first": names[first], "second": names[second], "correlation": correlation}
        for second, (first, correlation) in sorted(found.items())
    ]


def trial_names(trials: pd.DataFrame) -> list[int] | list[str]:
    """Name trials as messages and files do.

    Args:
        trials: with session, run and trial_id.

    Returns:
        The trial_ids; where these start anew in every run or session, "<session>-<run>-<trial_id>".
    """
    if trials["trial_id"].is_unique:
        return trials["trial_id"].tolist()
    numbers = trials[["session", "run", "trial_id"]].to_numpy()
    return ["{}-{}-{}".format(*row) for row in numbers]


def _scores(responses: np.ndarray) -> np.ndarray:
    # float32, shape (trials, voxels), sound voxels only
    sound = [row for row in responses if np.isfinite(row).all() and row.min() < row.max()]
    scores = np.empty((len(sound), responses.shape[1]), dtype=np.float32)
    for place, row in enumerate(sound):
        centred = row.astype(np.float64) - row.mean(dtype=np.float64)
        scores[place] = centred / centred.std()
    return np.ascontiguousarray(scores.T)


def _identical(values: np.ndarray) -> dict[int, tuple[int, float]]:
    seen: dict[bytes, int] = {}
    copies = {}
    for place, row in enumerate(values if values.shape[1] else ()):
        first = seen.setdefault(hashlib.sha256(row.tobytes()).digest(), place)
        if first != place:
            copies[place] = (first, 1.0)
    return copies


def _unit_rows(values: np.ndarray) -> np.ndarray:
    # in place: the responses of a large ROI take much memory
    values -= values.mean(axis=1, keepdims=True)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    return np.divide(values, length, out=values, where=length > 0)


def _correlated(rows: np.ndarray) -> dict[int, tuple[int, float]]:
    copies: dict[int, tuple[int, float]] = {}
    for first, second in _candidates(rows):
        exact = float(rows[first].astype(np.float64) @ rows[second].astype(np.float64))
        if exact > COPY and first < copies.get(second, (second, 0.0))[0]:
            copies[second] = (first, round(min(exact, 1.0), 6))
    return copies


def _candidates(rows: np.ndarray) -> Iterator[tuple[int, int]]:
    # a little below the limit: single precision decides nothing here
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        high = np.argwhere(rows[: start + len(block)] @ block.T > COPY - 1e-4)
        yield from ((int(a), start + int(b)) for a, b in high if a < start + b)
