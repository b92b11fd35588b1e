"""Noise normalisation: patterns times the precision of the voxels' noise, shrunk as needed."""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve

from rulealign.errors import DataError


def residuals(patterns: np.ndarray, stimulus: np.ndarray) -> tuple[np.ndarray, int]:
    """Take each stimulus' mean from its trials.

    Args:
        patterns: float64, shape (trials, voxels).
        stimulus: which stimulus each trial shows, int, shape (trials,).

    Returns:
        residuals: float64, shape (trials, voxels); what is left is noise.
        freedom: degrees of freedom: trials less stimuli.
    """
    _, places, counts = np.unique(stimulus, return_inverse=True, return_counts=True)
    means = sums(patterns, places, len(counts)) / counts[:, np.newaxis]
    return patterns - means[places], len(patterns) - len(counts)


def sums(patterns: np.ndarray, places: np.ndarray, count: int) -> np.ndarray:
    """Add up the rows that belong together.

    Args:
        patterns: float64, shape (n, voxels).
        places: the row of the result that each row is added to, int, shape (n,).
        count: rows of the result.

    Returns:
        float64, shape (count, voxels).
    """
    total = np.zeros((count, patterns.shape[1]))
    np.add.at(total, places, patterns)
    return total


def normalised(patterns: np.ndarray, noise: np.ndarray, freedom: int) -> np.ndarray:
    """Multiply patterns by the inverse of the noise covariance.

    The covariance is that of the residuals, C = R'R / freedom, shrunk towards the mean variance m:
    (1 - s) C + s m I, with the share s of Ledoit & Wolf 2004 (J Multivar Anal 88:365), which they
    derive for independent rows. scikit-learn's `ledoit_wolf` gives the same s and divides R'R by
    the number of residuals instead; rsatoolbox's `prec_from_unbalanced` with `shrinkage_eye` is
    the inverse of this very covariance. No matrix larger than the smaller of (residuals, voxels)
    is formed (Woodbury's identity), which with 1,200 trials of 4,145 voxels is a twelfth.

    Args:
        patterns: float64, shape (n, voxels).
        noise: residuals R with mean 0, float64, shape (trials, voxels).
        freedom: degrees of freedom of the residuals.

    Returns:
        float64, shape (n, voxels).

    Raises:
        DataError: there are too few residuals, or they are all 0.
    """
    trials, voxels = noise.shape
    gram = noise @ noise.T if trials < voxels else noise.T @ noise
    share = shrinkage(noise, gram) if freedom > 0 else 0.0
    level = share * np.square(noise).sum() / voxels / max(freedom, 1)
    if not level > 0:
        raise DataError(
            f"the noise cannot be estimated from {trials} trials with {freedom} degrees of freedom"
            " (trials less stimuli): outside of each fold, stimuli need several trials. Use smaller"
            " folds (run) or another distance."
        )
    weight = (1 - share) / freedom
    shrunk = weight * gram
    shrunk[np.diag_indices_from(shrunk)] += level
    if trials >= voxels:
        return solve(shrunk, patterns.T, assume_a="pos").T
    inner = solve(shrunk, noise @ patterns.T, assume_a="pos")
    return (patterns - weight * inner.T @ noise) / level


def shrinkage(noise: np.ndarray, gram: np.ndarray) -> float:
    """Compute Ledoit & Wolf's share of the mean variance in a shrunk covariance.

    Args:
        noise: residuals R with mean 0, float64, shape (n, voxels).
        gram: R R' or R' R, which have the same sum of squares.

    Returns:
        From 0 to 1: b / d with d = |C - m I|^2, C = R'R / n, m the mean of C's diagonal, and
        b = mean_k |r_k r_k' - C|^2 / n, at most d; |.|^2 is the sum of squares. 0 where the
        residuals are all 0.
    """
    count, voxels = noise.shape
    lengths = np.square(noise).sum(axis=1)
    squares = np.square(gram).sum() / count**2
    spread = squares - (lengths.sum() / count) ** 2 / voxels
    error = (np.square(lengths).sum() / count - squares) / count
    if error <= 0:
        return 0.0
    return 1.0 if error >= spread else float(error / spread)
