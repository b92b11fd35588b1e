"""Cross-validated ridge regression from features to responses of which only K = Y Y' is known.

Ridge predictions are weighted sums of training responses, yhat_i = sum_j w_ij y_j, whose weights do
not depend on the responses. So the squared error of a held-out stimulus, summed over voxels, is
K_ii - 2 w_i.k_i + w_i K w_i: no voxel is needed. One penalty serves all voxels of a subject.

With Z the features, z-scored by the training stimuli, and p their number, the weights on voxels
minimise |Y - Z B|^2 + penalty p |B|^2; several feature spaces are mixed to one kernel, which is
banded ridge (Dupre la Tour et al. 2022, NeuroImage 264:119728), the bands alike for all voxels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from rulealign.encoding.folds import require_apart, stimulus_folds
from rulealign.encoding.gram import require_scored_inside, training_kernel
from rulealign.encoding.smoother import Smoother


@dataclass(frozen=True)
class Grid:
    """What a ridge regression chooses from, and how.

    Attributes:
        penalties: in units of the mean eigenvalue of the training kernel.
        mixes: shares of the feature spaces in the kernel, each shape (n_spaces,), summing to 1;
            ((1.0,),) for a single space.
        inner_folds: parts of the training stimuli by which penalty and mix are chosen.
    """

    penalties: Sequence[float]
    inner_folds: int
    mixes: Sequence[Sequence[float]] = ((1.0,),)


@dataclass(frozen=True)
class HeldOut:
    """Squared errors of held-out stimuli, summed over voxels.

    Attributes:
        errors: float64, shape (n_subjects, n_stimuli); of the prediction, in the units of K.
        baseline: the same of the mean over training stimuli, which knows no features.
        chosen: int, shape (n_folds, n_subjects); place of penalty and mix, the penalty faster.
        pulls: shape (2, n_subjects, n_stimuli, n_stimuli); half of how much lower the squared error
            of the second stimulus is because the first is in the training set, to first order; of
            the prediction and of the mean. None where nobody asks.
    """

    errors: np.ndarray
    baseline: np.ndarray
    chosen: np.ndarray
    pulls: np.ndarray | None = None

    def r2(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Give the cross-validated R^2 over all voxels: 1 - errors / baseline, each summed.

        Args:
            counts: shape (draws, n_stimuli); how often each stimulus counts. Folds and fits stay
                as they are, so that no copy of a stimulus is on both sides of a fold: an interval
                from such draws is conditional on the fitted models. By default once each.

        Returns:
            float64, shape (draws, n_subjects), or (n_subjects,) without counts; 1 is perfect, 0 no
            better than the mean, below 0 worse.
        """
        if counts is None:
            return 1 - self.errors.sum(axis=1) / self.baseline.sum(axis=1)
        return 1 - (counts @ self.errors.T) / (counts @ self.baseline.T)

    @property
    def influence(self) -> np.ndarray:
        """What a stimulus in training does to R^2 through each other one; as `probed` takes it."""
        baseline = self.baseline.sum(axis=1)[:, None, None]
        share = self.errors.sum(axis=1)[:, None, None] / baseline
        of_fit, of_mean = self.pulls
        return 2 * (of_fit - share * of_mean) / baseline


def held_out(
    spaces: Sequence[np.ndarray],
    grams: np.ndarray,
    folds: np.ndarray,
    groups: Sequence[str],
    grid: Grid,
    seed: int,
    *,
    pulls: bool = False,
) -> HeldOut:
    """Predict every stimulus from the stimuli of the other folds.

    Args:
        spaces: feature spaces, each shape (n_stimuli, n_features).
        grams: float64, shape (n_subjects, n_stimuli, n_stimuli); of `gram.responses_gram`.
        folds: int, shape (n_stimuli,); of `folds.stimulus_folds`.
        groups: as given to `folds.stimulus_folds`; inner folds do not tear them apart either.
        grid: penalties and mixes; each subject's are chosen in the training stimuli alone.
        seed: of the inner folds.
        pulls: also tell what training stimuli do to each prediction.

    Returns:
        The errors. They are sums over voxels: nothing is known of a single one.

    Raises:
        MissingValue: all features are constant over the stimuli of a training fold.
        DataError: a training fold has fewer groups than inner folds.
        GuardError: a group is on both sides of a fold, or features were not scored inside of it.
    """
    n_subjects, n_stimuli, _ = grams.shape
    errors, baseline = np.empty((2, n_subjects, n_stimuli))
    pulled = np.zeros((2, n_subjects, n_stimuli, n_stimuli)) if pulls else None
    chosen = []
    for fold in range(folds.max() + 1):
        test = folds == fold
        require_apart(np.asarray(groups), ~test, test, f"fold {fold}")
        inner = stimulus_folds(np.asarray(groups)[~test], grid.inner_folds, seed + fold)
        chosen.append(_choice(spaces, grams, np.flatnonzero(~test), inner, grid))
        baseline[:, test] = _Split(grams, ~test, test).baseline
        for place in np.unique(chosen[-1]):
            own = chosen[-1] == place
            found = list(_errors(spaces, grams[own], ~test, test, grid, only=int(place)))
            errors[np.ix_(own, test)] = found[0]
            if pulled is not None:
                of_both = _pulls(spaces, _Split(grams[own], ~test, test), grid, int(place))
                pulled[np.ix_((True, True), own, ~test, test)] = of_both
    return HeldOut(errors, baseline, np.array(chosen), pulled)


def _pulls(spaces: Sequence[np.ndarray], split: _Split, grid: Grid, place: int) -> np.ndarray:
    # shape (2, n_subjects, n_fit, n_test)
    fit, test = split.fit, split.test
    mix, penalty = divmod(place, len(grid.penalties))
    kernels = np.stack([training_kernel(space, fit) for space in spaces])
    kernel = np.tensordot(grid.mixes[mix], kernels, axes=1)
    weights, without = Smoother.of(kernel, grid.penalties[penalty], fit, test)
    known, cross = split.shifted[:, fit][:, :, fit], split.shifted[:, test][:, :, fit]
    share = 1 / fit.sum()
    of_fit = (weights + share) * ((cross - weights @ known) @ without.T)
    return np.stack([of_fit, share / (1 - share) * cross]).swapaxes(-1, -2)


def _choice(
    spaces: Sequence[np.ndarray],
    grams: np.ndarray,
    training: np.ndarray,
    inner: np.ndarray,
    grid: Grid,
) -> np.ndarray:
    # per subject the place in the grid with the lowest error inside of the training stimuli
    n_places = len(grid.mixes) * len(grid.penalties)
    if n_places == 1:
        return np.zeros(len(grams), dtype=np.int64)
    sums = np.zeros((n_places, len(grams)))
    for fold in range(inner.max() + 1):
        fit, test = (np.zeros(grams.shape[1], dtype=bool) for _ in range(2))
        fit[training[inner != fold]], test[training[inner == fold]] = True, True
        for place, errors in enumerate(_errors(spaces, grams, fit, test, grid)):
            sums[place] += errors.sum(axis=1)
    return sums.argmin(axis=0)


@dataclass(frozen=True)
class _Split:
    """Responses on both sides of a fold, less their mean over the training stimuli."""

    grams: np.ndarray
    fit: np.ndarray
    test: np.ndarray

    @property
    def shifted(self) -> np.ndarray:
        """The Gram matrices of all stimuli around the training mean."""
        to_mean = self.grams[:, :, self.fit].mean(axis=2)
        mean = to_mean[:, self.fit].mean(axis=1)
        return self.grams - to_mean[:, :, None] - to_mean[:, None, :] + mean[:, None, None]

    @property
    def baseline(self) -> np.ndarray:
        """Squared distances of test stimuli from the training mean, (n_subjects, n_test)."""
        return np.einsum("sii->si", self.shifted)[:, self.test]


def _errors(
    spaces: Sequence[np.ndarray],
    grams: np.ndarray,
    fit: np.ndarray,
    test: np.ndarray,
    grid: Grid,
    only: int | None = None,
) -> Iterator[np.ndarray]:
    # (n_subjects, n_test) for each place of the grid, or for one
    kernels = np.stack([training_kernel(space, fit) for space in spaces])
    for each in kernels:
        require_scored_inside(each, fit)
    split = _Split(grams, fit, test)
    shifted, baseline = split.shifted, split.baseline
    for number, mix in enumerate(grid.mixes):
        wanted = [
            penalty
            for place, penalty in enumerate(grid.penalties, start=number * len(grid.penalties))
            if only in (None, place)
        ]
        if not wanted:
            continue
        kernel = np.tensordot(mix, kernels, axes=1)
        values, vectors = np.linalg.eigh(kernel[np.ix_(fit, fit)])
        rotated = kernel[np.ix_(test, fit)] @ vectors
        known = vectors.T @ shifted[:, fit][:, :, fit] @ vectors
        cross = shifted[:, test][:, :, fit] @ vectors
        for penalty in wanted:
            weights = rotated / (values + penalty)
            spread = np.einsum("ti,sij,tj->st", weights, known, weights, optimize=True)
            yield baseline - 2 * np.einsum("ti,sti->st", weights, cross) + spread
