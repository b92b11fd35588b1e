"""Gram matrices: what encoding needs of responses when only their RDM is there, and of features.

For patterns y_i with 1 - Pearson's r between them, K = 1 - D is the Gram matrix of the patterns
centred over voxels and scaled to unit length; for squared Euclidean distances, K = -J D J / 2 is
that of the patterns with their mean over stimuli removed (Torgerson 1952, Psychometrika 17:401).
"""

from __future__ import annotations

import numpy as np

from rulealign.errors import DataError, GuardError
from rulealign.reasons import MissingValue

CORRELATION, SQUARED_EUCLIDEAN = "correlation", "squared-euclidean"
"""Distances that tell the Gram matrix of the patterns."""

TOLERANCE = 1e-6
"""How far below 0 an eigenvalue may be, as a share of the largest: what single precision rounds."""

_CONSTANT = 1e-6
"""A feature that varies by less than this share of its size varies by rounding."""


def responses_gram(rdm: np.ndarray, distance: str, what: str) -> np.ndarray:
    """Give the Gram matrix of the patterns that an RDM is of.

    Args:
        rdm: float64, shape (n_pairs,); condensed, in the order of `numpy.triu_indices`. Not
            cross-validated, and not averaged over subjects of different sizes.
        distance: `CORRELATION` (1 - Pearson's r) or `SQUARED_EUCLIDEAN`.
        what: whose RDM it is, for errors: the file.

    Returns:
        float64, shape (n_stimuli, n_stimuli); in squared units of the patterns, which have unit
        length where the distance is a correlation.

    Raises:
        DataError: a pair is missing, or no patterns have these distances (the matrix has a
            negative eigenvalue).
    """
    missing = int((~np.isfinite(rdm)).sum())
    if missing:
        raise DataError(f"{what}: {missing} pairs are missing; encoding needs all pairs.")
    n = round((1 + (1 + 8 * len(rdm)) ** 0.5) / 2)
    distances = np.zeros((n, n))
    distances[np.triu_indices(n, 1)] = rdm
    distances += distances.T
    gram = 1 - distances if distance == CORRELATION else -centred(distances) / 2
    values = np.linalg.eigvalsh(gram)
    if values[0] < -TOLERANCE * values[-1]:
        raise DataError(
            f"{what}: no patterns have these distances, taken as '{distance}': the smallest"
            f" eigenvalue of their Gram matrix is {values[0]:.3g}, the largest {values[-1]:.3g}."
            " Correct brain.distance if the RDMs hold another one (ranks, cross-validated or"
            " corrected distances have no Gram matrix), or leave out the section `encoding`."
        )
    return gram


def centred(gram: np.ndarray) -> np.ndarray:
    """Remove the mean over stimuli from the patterns of a Gram matrix: J K J.

    Args:
        gram: shape (..., n_stimuli, n_stimuli), symmetric.

    Returns:
        float64, the same shape; its rows and columns sum to 0.
    """
    rows = gram - gram.mean(axis=-2, keepdims=True)
    return rows - rows.mean(axis=-1, keepdims=True)


def training_kernel(features: np.ndarray, training: np.ndarray) -> np.ndarray:
    """Give the linear kernel of features that are z-scored by the training stimuli alone.

    A feature that is constant over the training stimuli tells nothing there, and counts nowhere.

    Args:
        features: shape (n_stimuli, n_features), any float dtype; computed in float64.
        training: bool, shape (n_stimuli,).

    Returns:
        float64, shape (n_stimuli, n_stimuli); Z Z' / p with Z the z-scored and p the number of
        features that vary. The mean over training stimuli of its diagonal is 1.

    Raises:
        MissingValue: every feature is constant over the training stimuli.
    """
    features = np.asarray(features, dtype=np.float64)
    own = features[training]
    mean, spread = own.mean(axis=0), own.std(axis=0)
    varies = spread > _CONSTANT * np.abs(own).max(axis=0)
    if not varies.any():
        raise MissingValue("every feature is constant over the stimuli of a training fold")
    z = (features[:, varies] - mean[varies]) / spread[varies]
    return z @ z.T / z.shape[1]


def require_scored_inside(kernel: np.ndarray, training: np.ndarray) -> None:
    """Refuse a kernel of features that were not z-scored by the training stimuli alone.

    Args:
        kernel: of `training_kernel`, shape (n_stimuli, n_stimuli).
        training: bool, shape (n_stimuli,).

    Raises:
        GuardError: features do not have the mean 0 and the variance 1 over the training stimuli, as
            after z-scoring before the split, which tells the fit of stimuli that are held out.
    """
    own = kernel[np.ix_(training, training)]
    mean, variance = np.sqrt(max(own.mean(), 0)), np.trace(own) / len(own)
    if mean > TOLERANCE or abs(variance - 1) > TOLERANCE:
        raise GuardError(
            f"features have the mean {mean:.3g} and the variance {variance:.3g} over the training"
            " stimuli of a fold: they were z-scored before stimuli were held out."
        )
