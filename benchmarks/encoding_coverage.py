"""How often intervals of cross-validated R^2 over stimuli hold the truth, on simulated responses.

    python benchmarks/encoding_coverage.py        # of all voxels together
    python benchmarks/encoding_coverage.py voxels # means over voxels, each by itself

The truth is the R^2 that the very models of the folds reach on 2,000 new stimuli. docs/encoding.md
quotes the output; about two minutes on one core.
"""

import sys

import numpy as np

from rulealign.encoding.folds import stimulus_folds
from rulealign.encoding.ridge import Grid, held_out
from rulealign.encoding.voxelwise import R2, mean_scores, predict_voxels
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.primary import Effect, primary_interval
from rulealign.rsa.bootstrap.spearman import resample_counts

SIMULATIONS, VOXELS, NEW, DRAWS = 400, 15, 2000, 200
BY_VOXEL = sys.argv[1:] == ["voxels"]
CASES = [  # stimuli, features, standard deviation of the noise, folds
    (92, 10, 1.5, 5),
    (200, 10, 1.5, 5),
    (92, 40, 6.0, 5),
    (92, 40, 6.0, 10),
]


def simulated(number, n, p, noise, folds):
    """Give the interval, the estimate and the truth of one data set."""
    rng = np.random.default_rng(number)
    weights = rng.normal(size=(p, VOXELS)) * rng.uniform(0.1, 1, size=(p, 1))
    x = rng.normal(size=(n + NEW, p))
    y = x @ weights + rng.normal(size=(n + NEW, VOXELS)) * noise
    fold = stimulus_folds([str(place) for place in range(n)], folds, number)
    score = scores(x[:n], y[:n], fold)
    samples = (score(counts)[:, None, None] for counts in all_counts(number, n))
    once = score(np.ones((1, n), dtype=np.int64))[:, None]
    interval = primary_interval(Effect(once, *samples), "stimuli", 0.95)
    return interval, true_r2(x, y, fold)


def scores(x, y, fold):
    """Fit the folds; give what scores resamples."""
    grid, ids = Grid((1.0,), 2), [str(place) for place in range(len(x))]
    if not BY_VOXEL:
        made = held_out([x], (y @ y.T)[None], fold, ids, grid, 0)
        return lambda counts: made.r2(counts)[:, 0]
    found = predict_voxels([x], y, fold, np.arange(len(x)), grid, 0, VOXELS)
    return lambda counts: mean_scores(found, np.ones(VOXELS), 0.1, VOXELS, counts)[R2]


def all_counts(number, n):
    """Give resamples of the stimuli, and samples without each one."""
    return resample_counts(n, DRAWS, number), left_out_counts(n)


def true_r2(x, y, fold):
    """Fit the voxels of each fold's training stimuli; score the fits on new stimuli."""
    n, p = len(fold), x.shape[1]
    errors, baseline = np.zeros((2, VOXELS))
    for out in range(fold.max() + 1):
        fit, share = np.flatnonzero(fold != out), (fold == out).sum()
        z = (x - x[fit].mean(axis=0)) / x[fit].std(axis=0)
        mean = y[fit].mean(axis=0)
        fitted = np.linalg.solve(z[fit].T @ z[fit] + p * np.eye(p), z[fit].T @ (y[fit] - mean))
        errors += share * ((y - mean - z @ fitted)[n:] ** 2).mean(axis=0)
        baseline += share * ((y - mean)[n:] ** 2).mean(axis=0)
    return (1 - errors / baseline).mean() if BY_VOXEL else 1 - errors.sum() / baseline.sum()


if __name__ == "__main__":
    print("stimuli features noise folds  covered  true R2  estimated  width  needed")
    for case in CASES:
        found = [simulated(number, *case) for number in range(SIMULATIONS)]
        truth = np.array([one for _, one in found])
        low, high, made = np.array([(one.low, one.high, one.estimate) for one, _ in found]).T
        covered = ((low <= truth) & (truth <= high)).mean()
        width, needed = (high - low).mean(), 3.92 * (made - truth).std()
        n, p, noise, folds = case
        print(
            f"{n:7d} {p:8d} {noise:5.1f} {folds:5d}  {covered:7.3f}  {truth.mean():7.3f}"
            f"  {made.mean():9.3f}  {width:5.3f}  {needed:6.3f}",
            flush=True,
        )
