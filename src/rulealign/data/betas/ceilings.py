"""Noise ceilings of single voxels, from the repeats of their stimuli."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import harmonic_mean

import numpy as np


def voxel_ceilings(responses: np.ndarray, stimuli: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Estimate how much of the variance of each voxel a perfect model could explain.

    Voxels are z-scored over all trials. The variance of the noise is that of trials around the
    means of their stimuli, pooled over stimuli with two trials or more (divided by trials less
    stimuli), and the signal has the rest of 1, or nothing: ceiling = 100 signal / (signal + noise
    / n) for the mean of n trials. Where stimuli have different numbers of trials, noise / n is its
    mean over stimuli, so that n is their harmonic mean. Not for stimuli whose repeats follow each
    other at once: noise that they share counts as signal.

    Args:
        responses: shape (voxels, trials), any float dtype.
        stimuli: the id of each trial.

    Returns:
        For one trial, and for the means of all trials of each stimulus: float64, shape (voxels,),
        percent; NaN where no stimulus has two trials, 0 for a voxel that is constant or not finite.

    Source: Allen et al. 2022, Nature Neuroscience 25, 116-126 (methods, noise ceiling estimation).
    """
    _, stimulus, counts = np.unique(stimuli, return_inverse=True, return_counts=True)
    repeated = np.flatnonzero(counts > 1)
    if not len(repeated):
        return np.full(len(responses), np.nan), np.full(len(responses), np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = responses.astype(np.float64)
        values -= values.mean(axis=1, keepdims=True)
        values /= values.std(axis=1, keepdims=True)
        squares = [values[:, stimulus == one].var(axis=1) * counts[one] for one in repeated]
        noise = np.sum(squares, axis=0) / (counts[repeated] - 1).sum()
        signal = np.maximum(1 - noise, 0)
        shares = [100 * signal / (signal + noise / n) for n in (1, harmonic_mean(counts.tolist()))]
    return np.nan_to_num(shares[0]), np.nan_to_num(shares[1])
