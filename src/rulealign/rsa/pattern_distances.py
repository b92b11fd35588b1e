"""Euclidean and cross-validated distances of patterns; correlation distances are in `rdm`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rulealign.errors import DataError
from rulealign.rsa.noise import normalised, residuals, sums


def euclidean_rdm(patterns: np.ndarray, *, ids: Sequence[str]) -> np.ndarray:
    """Compute the squared Euclidean distance per voxel of every pair of stimuli.

    Squared and per voxel, like the cross-validated distance that it is the biased version of: noise
    adds twice its variance (of the averaged trials) to the distance of every pair.

    Args:
        patterns: shape (stimuli, voxels), any float dtype; computed in float64.
        ids: the stimuli's ids, for errors.

    Returns:
        float64, shape (pairs,), in the order of `numpy.triu_indices(stimuli, 1)`; not negative.

    Raises:
        DataError: a pattern has a NaN or an infinity (names the stimulus), or there is another
            number of ids.
    """
    patterns = _checked(patterns, len(ids), [f"stimulus '{name}'" for name in ids])
    from scipy.spatial.distance import pdist  # slow to import

    return pdist(patterns, "sqeuclidean") / patterns.shape[1]


def crossnobis_rdm(
    patterns: np.ndarray,
    stimulus: np.ndarray,
    fold: np.ndarray,
    *,
    ids: Sequence[str],
    normalise: bool = True,
) -> np.ndarray:
    """Compute the cross-validated Mahalanobis distance per voxel of every pair of stimuli.

    d_ij = (G_ii + G_jj - 2 G_ij) / voxels, where G_ij is the mean of x_a' P x_b over all pairs of
    a trial a of stimulus i and a trial b of stimulus j in different folds. With every stimulus
    equally often in every fold this is the leave-one-fold-out crossnobis distance (Walther et al.
    2016, NeuroImage 137:188); where stimuli are in few folds (runs), it uses whatever pairs there
    are, but an offset shared by all trials of a fold then adds variance (no bias). Its expectation
    is 0 where two stimuli have the same pattern, so it is negative about half the time: negative
    values are kept, and there is no square root. Folds must have independent noise.

    P is the precision of the noise. For trials a of one fold it is estimated from the residuals of
    all other folds: one estimate from all trials would fit the very noise it is applied to, and
    add the same to every pair (0.12 noise variances in a simulation with 12 folds and 1,049
    correlated voxels, ten times the spread of the distances).

    Args:
        patterns: single trials, shape (trials, voxels), any float dtype; computed in float64.
        stimulus: place in `ids` of each trial's stimulus, int, shape (trials,).
        fold: a label of each trial's fold, int, shape (trials,).
        ids: the stimuli's ids.
        normalise: whether P is the precision of `noise.normalised`; otherwise it is 1.

    Returns:
        float64, shape (pairs,), in the order of `numpy.triu_indices(stimuli, 1)`.

    Raises:
        DataError: a stimulus has no two trials in different folds (names it), the noise cannot be
            estimated, or a trial has a NaN or an infinity.
    """
    patterns = _checked(patterns, len(stimulus), [f"a trial of '{ids[i]}'" for i in stimulus])
    count = len(ids)
    pairs = _pairs_across(stimulus, fold, ids)
    products = np.zeros((count, count))
    for label in np.unique(fold):
        own, other = fold == label, fold != label
        one = sums(patterns[own], stimulus[own], count)
        rest = sums(patterns[other], stimulus[other], count)
        if normalise:
            one = normalised(one, *residuals(patterns[other], stimulus[other]))
        products += one @ rest.T
    similarity = (products + products.T) / (2 * pairs)
    lengths = np.diag(similarity)
    distances = lengths[:, np.newaxis] + lengths - 2 * similarity
    return distances[np.triu_indices(count, 1)] / patterns.shape[1]


def _pairs_across(stimulus: np.ndarray, fold: np.ndarray, ids: Sequence[str]) -> np.ndarray:
    # trials a, b of stimuli i, j in different folds: how many ordered pairs for each i and j
    labels, folds = np.unique(fold, return_inverse=True)
    shown = np.zeros((len(labels), len(ids)))
    np.add.at(shown, (folds, stimulus), 1)
    pairs = np.outer(shown.sum(axis=0), shown.sum(axis=0)) - shown.T @ shown
    # a stimulus that is in two folds has such a pair with every other one
    alone = np.diag(pairs) == 0
    if alone.any():
        raise DataError(
            f"stimulus '{ids[np.argmax(alone)]}' has no two trials in different folds"
            f" ({alone.sum()} such stimuli); crossnobis needs stimuli that are shown in several:"
            " use stimulus_set: test-repeats, other folds, or another distance."
        )
    return pairs


def _checked(patterns: np.ndarray, count: int, names: Sequence[str]) -> np.ndarray:
    patterns = np.asarray(patterns, dtype=np.float64)
    if patterns.ndim != 2 or len(patterns) != count:
        raise DataError(f"patterns of shape {patterns.shape} do not fit {count} ids.")
    faulty = ~np.isfinite(patterns).all(axis=1)
    if faulty.any():
        raise DataError(f"the pattern of {names[np.argmax(faulty)]} holds NaN or infinity.")
    return patterns
