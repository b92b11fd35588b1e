"""What training stimuli do to mean scores of voxels, each of which has its own fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from rulealign.encoding.gram import training_kernel
from rulealign.encoding.smoother import Smoother
from rulealign.encoding.voxelwise import R_CEILING, Predicted, R, voxel_weights


def influences(
    spaces: Sequence[np.ndarray],
    predicted: Predicted,
    patterns: np.ndarray,
    folds: np.ndarray,
    ceilings: np.ndarray,
    least: float,
    block: int,
) -> Mapping[str, np.ndarray]:
    """Give what a stimulus in training does to each mean score through every other stimulus.

    To first order in what it does to predictions and to the training mean; penalties and mixes stay
    as they were chosen, and features as they were z-scored.

    Args:
        spaces: as given to `voxelwise.predict_voxels`, like patterns and folds.
        predicted: what came of them.
        patterns: see there.
        folds: see there.
        ceilings: as in `voxelwise.mean_scores`, like the next.
        least: see there.
        block: voxels that are computed at a time.

    Returns:
        Measure -> float64, shape (n_stimuli, n_stimuli), as `rsa.bootstrap.mutual.probed` takes it:
        the first is in training, the second is predicted; 0 within folds.
    """
    weights = voxel_weights(ceilings, least)
    made = {measure: np.zeros((len(folds), len(folds))) for measure in weights}
    for fold in range(folds.max() + 1):
        fit, test = folds != fold, folds == fold
        kernels = np.stack([training_kernel(space, fit) for space in spaces])
        sides, deltas = np.ix_(fit, test), predicted.deltas[fold]
        for chosen in np.unique(deltas, axis=1).T:
            kernel = np.tensordot(np.exp(chosen), kernels, axes=1)
            smoother = Smoother.of(kernel, 1.0, fit, test)
            same = np.flatnonzero((deltas == chosen[:, None]).all(axis=0))
            for some in np.split(same, range(block, len(same), block)):
                own = {measure: each[some] for measure, each in weights.items()}
                found = _of_fold(smoother, predicted.of(some), patterns[:, some], fit, test, own)
                for measure, influence in found.items():
                    made[measure][sides] += influence.T
    return made


def _of_fold(
    smoother: Smoother,
    predicted: Predicted,
    patterns: np.ndarray,
    fit: np.ndarray,
    test: np.ndarray,
    weights: Mapping[str, np.ndarray],
) -> Mapping[str, np.ndarray]:
    # shape (n_test, n_fit), summed over voxels of one penalty and mix
    around = patterns[fit] - patterns[fit].mean(axis=0)
    share = 1 / len(around)
    left, of_mean = smoother.without @ around, around * share / (1 - share)
    slopes, made = _slopes(predicted), {}
    for measure, weight in weights.items():
        of_prediction, of_response = (
            each[test] * weight for each in slopes[measure in (R, R_CEILING)]
        )
        pulled = (smoother.weights + share) * (of_prediction @ left.T)
        made[measure] = pulled - (of_prediction + of_response) @ of_mean.T
    return made


def _slopes(predicted: Predicted) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    # how R^2 and r of each voxel change with its predictions, and with its responses
    y, x = predicted.responses, predicted.predictions
    of_y, left = (y**2).sum(axis=0), y - x
    share = (left**2).sum(axis=0) / of_y
    of_r2 = 2 * left / of_y, 2 * (share * y - left) / of_y
    y, x = y - y.mean(axis=0), x - x.mean(axis=0)
    yy, xx = (y**2).sum(axis=0), (x**2).sum(axis=0)
    length = np.sqrt(yy * xx)
    flat = length <= 1e-12 * of_y
    yy, xx, length = (np.where(flat, np.inf, each) for each in (yy, xx, length))
    r = (x * y).sum(axis=0) / length
    return of_r2, (y / length - r * x / xx, x / length - r * y / yy)
