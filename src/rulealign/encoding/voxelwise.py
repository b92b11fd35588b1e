"""Cross-validated ridge regression from features to every voxel, by himalaya's solvers.

Each voxel has its own penalty and, of several feature spaces, its own mix of their kernels (banded
ridge: Dupre la Tour et al. 2022, NeuroImage 264:119728). Penalties are in the units of `ridge`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from rulealign.encoding.folds import require_apart, stimulus_folds
from rulealign.encoding.gram import require_scored_inside, training_kernel
from rulealign.encoding.ridge import Grid
from rulealign.encoding.solver import solver_backend

R2, R = "voxel_r2", "voxel_r"
R2_CEILING, R_CEILING = "voxel_r2_of_ceiling", "voxel_r_of_ceiling"
"""Measures: means over voxels of R^2 and r, raw and divided by noise ceilings."""

_DRAWS = 1000
"""Resamples that are computed at a time."""


@dataclass(frozen=True)
class Predicted:
    """Responses of one subject's voxels, and what was predicted of them.

    Attributes:
        responses: float64, shape (n_stimuli, n_voxels); less the mean over the training stimuli of
            the fold in which a stimulus was predicted.
        predictions: the same, predicted.
        deltas: of each fold, shape (n_spaces, n_voxels); logarithm of the share of a space in the
            voxel's kernel over its penalty.
    """

    responses: np.ndarray
    predictions: np.ndarray
    deltas: Sequence[np.ndarray] = ()

    @property
    def errors(self) -> np.ndarray:
        """Squared errors of the stimuli, summed over voxels, shape (n_stimuli,)."""
        return ((self.responses - self.predictions) ** 2).sum(axis=1)

    @property
    def baseline(self) -> np.ndarray:
        """The same of the mean over training stimuli, which knows no features."""
        return (self.responses**2).sum(axis=1)

    def scores(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Score every voxel over all held-out stimuli together.

        Both sides are measured from the mean of the training stimuli of their fold. Else means,
        which are low where what is held out is high, would make r negative without any signal.

        Args:
            counts: shape (draws, n_stimuli); how often the error of each stimulus counts.

        Returns:
            R^2 (1 - errors / those of the mean; 0 no better, below 0 worse) and Pearson's r (0
            where nothing but the mean is predicted), each float64, shape (draws, n_voxels).
        """
        weights, n = counts.astype(np.float64), counts.sum(axis=1, keepdims=True)
        of_both = self.responses, self.predictions
        y, x = (weights @ each for each in of_both)
        yy, xx = (weights @ each**2 for each in of_both)
        xy = weights @ (self.responses * self.predictions)
        length = np.sqrt(np.maximum(yy - y * y / n, 0) * np.maximum(xx - x * x / n, 0))
        flat = length <= 1e-12 * yy
        r = np.where(flat, 0, xy - x * y / n) / np.where(flat, 1, length)
        return (2 * xy - xx) / yy, r

    def blocks(self, size: int) -> Iterator[tuple[slice, Predicted]]:
        """Go through the voxels, so many at a time."""
        for start in range(0, self.responses.shape[1], size):
            some = slice(start, start + size)
            yield some, self.of(some)

    def of(self, some: slice | np.ndarray) -> Predicted:
        """Take some of the voxels, without what their fits chose."""
        return Predicted(self.responses[:, some], self.predictions[:, some])


def predict_voxels(
    spaces: Sequence[np.ndarray],
    patterns: np.ndarray,
    folds: np.ndarray,
    groups: np.ndarray,
    grid: Grid,
    seed: int,
    block: int,
    device: str = "cpu",
) -> Predicted:
    """Predict every stimulus' responses from the stimuli of the other folds.

    Features are z-scored by the training stimuli of each fold alone; penalties and mixes are chosen
    for each voxel by inner folds of these (mean squared error, averaged over inner folds).

    Args:
        spaces: feature spaces, each shape (n_stimuli, n_features).
        patterns: float64, shape (n_stimuli, n_voxels).
        folds: int, shape (n_stimuli,); of `folds.stimulus_folds`.
        groups: int, shape (n_stimuli,); of `folds.groups_of`; no fold tears them apart.
        grid: penalties, mixes and inner folds.
        seed: of the inner folds.
        block: voxels that are fitted at a time.
        device: where they are fitted, "cpu" or "cuda".

    Returns:
        The responses and their predictions. Not for a score of the whole ROI by one penalty:
        `ridge.held_out` needs no voxels for that.

    Raises:
        ConfigurationError: a GPU is asked for, and there is none.
        MissingValue: all features are constant over the stimuli of a training fold.
        DataError: a training fold has fewer groups than inner folds.
        GuardError: a group is on both sides of a fold, or features were not scored inside of it.
    """
    responses, predictions = np.empty((2, *patterns.shape))
    deltas = []
    for fold in range(folds.max() + 1):
        fit, test = folds != fold, folds == fold
        require_apart(groups, fit, test, f"fold {fold}")
        responses[test] = (patterns - patterns[fit].mean(axis=0))[test]
        kernels = np.stack([training_kernel(space, fit) for space in spaces])
        for kernel in kernels:
            require_scored_inside(kernel, fit)
        inner = stimulus_folds(groups[fit], grid.inner_folds, seed + fold)
        known, asked = kernels[:, fit][:, :, fit], kernels[:, test][:, :, fit]
        sides = _inner_sides(inner, groups[fit])
        with solver_backend(device) as backend:
            told = known, asked, patterns[fit], sides, grid, block
            predictions[test], chosen = _predicted(backend, *told)
        deltas.append(chosen)
    return Predicted(responses, predictions, deltas)


def _inner_sides(inner: np.ndarray, groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    sides = [
        (np.flatnonzero(inner != k), np.flatnonzero(inner == k)) for k in range(inner.max() + 1)
    ]
    for fit, test in sides:
        require_apart(groups, fit, test, "an inner fold")
    return sides


def _predicted(
    backend: ModuleType,
    known: np.ndarray,
    asked: np.ndarray,
    patterns: np.ndarray,
    sides: Sequence[tuple[np.ndarray, np.ndarray]],
    grid: Grid,
    block: int,
) -> tuple[np.ndarray, np.ndarray]:
    # of the stimuli that are held out, less the mean of the others, which are all it is given;
    # then what the fit of each voxel chose
    from himalaya.kernel_ridge import predict_weighted_kernel_ridge as predict
    from himalaya.kernel_ridge import solve_multiple_kernel_ridge_random_search as solve

    with np.errstate(divide="ignore"):  # the logarithm of a share of 0
        deltas, weights, _ = solve(
            backend.asarray(known),
            backend.asarray(patterns - patterns.mean(axis=0)),
            n_iter=backend.asarray(np.array(grid.mixes, dtype=np.float64)),
            alphas=backend.asarray(np.array(grid.penalties, dtype=np.float64)),
            cv=sides,
            fit_intercept=True,
            return_weights="dual",
            n_targets_batch=block,
            progress_bar=False,
        )[:3]
    # himalaya leaves weights on the CPU
    found = predict(*map(backend.asarray, (asked, weights, deltas)))
    return backend.to_numpy(found), backend.to_numpy(deltas)


def voxel_weights(ceilings: np.ndarray, least: float) -> Mapping[str, np.ndarray]:
    """Give what the score of each voxel counts in a subject's means.

    Args:
        ceilings: as in `mean_scores`, like the next.
        least: see there.

    Returns:
        Measure -> float64, shape (n_voxels,): `R2`, `R`, and where a voxel has a ceiling,
        `R2_CEILING` (R^2 / ceiling) and `R_CEILING` (r / sqrt(ceiling)).
    """
    kept = ceilings >= least
    every = np.full(len(ceilings), 1 / len(ceilings))
    if not kept.any():
        return {R2: every, R: every}
    of_r2 = np.divide(1, ceilings, out=np.zeros(len(ceilings)), where=kept)
    of_ceiling = {R2_CEILING: of_r2 / kept.sum(), R_CEILING: np.sqrt(of_r2) / kept.sum()}
    return {R2: every, R: every} | of_ceiling


def mean_scores(
    predicted: Predicted, ceilings: np.ndarray, least: float, block: int, counts: np.ndarray
) -> Mapping[str, np.ndarray]:
    """Average the scores of a subject's voxels in resamples of the stimuli.

    Args:
        predicted: of `predict_voxels`.
        ceilings: shape (n_voxels,); share of a voxel's variance that is not noise; NaN where it is
            not known.
        least: voxels with a ceiling below it are left out of what is divided by ceilings: of those
            near or below 0 the quotient is noise.
        block: voxels that are scored at a time.
        counts: shape (draws, n_stimuli).

    Returns:
        Measure -> means, float64, shape (draws,), of `voxel_weights`.
    """
    weights = voxel_weights(ceilings, least)
    means = {measure: np.zeros(len(counts)) for measure in weights}
    for start in range(0, len(counts), _DRAWS):
        draws = slice(start, start + _DRAWS)
        for some, own in predicted.blocks(block):
            r2, r = own.scores(counts[draws])
            for measure, weight in weights.items():
                means[measure][draws] += (r if measure in (R, R_CEILING) else r2) @ weight[some]
    return means
