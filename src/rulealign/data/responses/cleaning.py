"""Guard 5: what a cleaning step does to pure noise; it must not make patterns alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.responses.patterns import runs_of, zscore
from rulealign.errors import GuardError

if TYPE_CHECKING:
    import pandas as pd

_VOXELS = 200
_ERRORS = 5  # standard errors that noise may differ from nothing: once in two million


def cleaning_on_noise(trials: pd.DataFrame, how: str, seed: int) -> float:
    """Measure what similarity a cleaning step induces between patterns of one run.

    Independent noise with the trials and runs of the data is cleaned; its patterns have nothing in
    common before. In a run of n trials, z-scoring within the run makes the n patterns sum to zero
    in every voxel, so that two of them correlate by -1 / (n - 1).

    Args:
        trials: session and run of each trial.
        how: as in `patterns.zscore`.
        seed: of the noise.

    Returns:
        Mean Pearson correlation (over 200 voxels) of pairs of trials in the same run, less that of
        pairs in different runs; 0 where there are not both sorts of pairs. The mean is over all
        pairs together.
    """
    noise = np.random.default_rng(seed).standard_normal((_VOXELS, len(trials)))
    cleaned = zscore(noise, trials, how)
    cleaned -= cleaned.mean(axis=0)
    cleaned /= np.linalg.norm(cleaned, axis=0)
    runs = [places for _, places in runs_of(trials)]
    # the squared length of a sum of unit vectors is their number and twice all dot products
    same = sum(_summed(cleaned[:, places]) for places in runs)
    same_pairs, pairs = sum(_pairs(len(places)) for places in runs), _pairs(len(trials))
    if same_pairs in (0, pairs):
        return 0.0
    across = (_summed(cleaned) - same) / (pairs - same_pairs)
    return float(same / same_pairs - across)


def _summed(vectors: np.ndarray) -> float:
    total = vectors.sum(axis=1)
    return (float(total @ total) - vectors.shape[1]) / 2


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def sampling_error(trials: pd.DataFrame) -> float:
    """Say how far from 0 `cleaning_on_noise` lies by chance.

    Args:
        trials: session and run of each trial.

    Returns:
        Its standard error where nothing is induced: a correlation over 200 voxels has the variance
        1/199, and those of two pairs of trials are uncorrelated. Infinite where there are not both
        sorts of pairs.
    """
    same = sum(_pairs(len(places)) for _, places in runs_of(trials))
    across = _pairs(len(trials)) - same
    if not same or not across:
        return float("inf")
    return float(np.sqrt((1 / same + 1 / across) / (_VOXELS - 1)))


def check_cleaning(trials: pd.DataFrame, how: str, seed: int = 0) -> str:
    """Guard 5: try a cleaning step on noise, and warn of what it induces.

    Args:
        trials: session and run of each trial.
        how: as in `patterns.zscore`.
        seed: of the noise.

    Returns:
        A line for the log and the quality page; it starts with WARNING for z-scoring by run.

    Raises:
        GuardError: z-scoring over all trials induces a similarity of more than 5 standard errors.
    """
    induced, error = cleaning_on_noise(trials, how, seed), sampling_error(trials)
    if how == "run":
        return (
            f"WARNING: z-scoring by run makes patterns of one run correlate by {induced:.4f} where"
            " there is only noise (zscore: run); compare pairs of different runs, or use zscore:"
            " all-trials."
        )
    if abs(induced) > _ERRORS * error:
        raise GuardError(
            f"zscore: {how} makes patterns of one run correlate by {induced:.4f} where there is"
            f" only noise ({error:.4f} is its standard error): the cleaning step is wrong."
        )
    return (
        f"z-scoring ({how}) leaves noise as it is: patterns of one run correlate by {induced:.4f}"
        f" (standard error {error:.4f})"
    )
