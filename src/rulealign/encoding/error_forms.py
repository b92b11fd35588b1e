"""Cross-validated R^2 of very many Gram matrices from the same features, such as permuted ones.

Where w_i are the weights of training responses in the prediction of stimulus i, and v_i those with
1 at i less them, the squared error of i is v_i' K v_i, and that of all stimuli of a fold the sum of
(V' V) * K over all elements. V depends on features and penalty alone, so that each further K takes
one product.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rulealign.encoding.folds import require_apart, stimulus_folds
from rulealign.encoding.gram import require_scored_inside, training_kernel
from rulealign.encoding.ridge import Grid


def many_r2(
    features: np.ndarray,
    grams: np.ndarray,
    folds: np.ndarray,
    groups: np.ndarray,
    grid: Grid,
    seed: int,
) -> np.ndarray:
    """Give what `ridge.held_out(...).r2()` gives of one feature space, for many Gram matrices.

    Args:
        features: float64, shape (n_stimuli, n_features).
        grams: float64, shape (n_grams, n_stimuli, n_stimuli).
        folds: int, shape (n_stimuli,).
        groups: shape (n_stimuli,); of stimuli that no fold may tear apart.
        grid: penalties and inner folds; the penalty is chosen anew for each Gram matrix.
        seed: of the inner folds.

    Returns:
        float64, shape (n_grams,). Errors of single stimuli, which resamples need, are not kept.

    Raises:
        MissingValue: all features are constant over the stimuli of a training fold.
        DataError: a training fold has fewer groups than inner folds.
        GuardError: a group is on both sides of a fold, or features were not scored inside of it.
    """
    flat = grams.reshape(len(grams), -1)
    errors, baseline = np.zeros((2, len(grams)))
    for fold in range(folds.max() + 1):
        test = folds == fold
        require_apart(groups, ~test, test, f"fold {fold}")
        chosen = flat @ _inner_forms(features, groups, ~test, grid, seed + fold)
        of_mean, *forms = _forms(features, ~test, test, grid)
        baseline += flat @ of_mean.ravel()
        errors_of = flat @ np.stack([one.ravel() for one in forms], axis=1)
        errors += errors_of[np.arange(len(flat)), chosen.argmin(axis=1)]
    return 1 - errors / baseline


def _inner_forms(
    features: np.ndarray, groups: np.ndarray, training: np.ndarray, grid: Grid, seed: int
) -> np.ndarray:
    # of each penalty the sum over inner folds, shape (n_stimuli ** 2, n_penalties)
    inner = stimulus_folds(groups[training], grid.inner_folds, seed)
    places = np.flatnonzero(training)
    total = 0.0
    for fold in range(grid.inner_folds):
        fit, test = (np.zeros(len(training), dtype=bool) for _ in range(2))
        fit[places[inner != fold]], test[places[inner == fold]] = True, True
        _, *forms = _forms(features, fit, test, grid)
        total = total + np.stack([one.ravel() for one in forms], axis=1)
    return total


def _forms(
    features: np.ndarray, fit: np.ndarray, test: np.ndarray, grid: Grid
) -> Iterator[np.ndarray]:
    # V' V of the mean of the training stimuli, then of each penalty
    kernel = training_kernel(features, fit)
    require_scored_inside(kernel, fit)
    own = np.eye(len(fit))[test]
    mean = np.broadcast_to(fit / fit.sum(), own.shape)
    yield (own - mean).T @ (own - mean)
    values, vectors = np.linalg.eigh(kernel[np.ix_(fit, fit)])
    rotated = kernel[np.ix_(test, fit)] @ vectors
    for penalty in grid.penalties:
        weights = np.zeros(own.shape)
        weights[:, fit] = rotated / (values + penalty) @ vectors.T
        # around the training mean; weights of centred features sum to 0, so it stays the mean
        left = own - weights - mean
        yield left.T @ left
