"""How often intervals of cross-validated R^2 over stimuli hold the truth, on simulated responses.

    python benchmarks/encoding_coverage.py        # of all voxels together
    python benchmarks/encoding_coverage.py voxels # means over voxels, each by itself

The truth is the R^2 that the very models of the folds reach on 2,000 new stimuli. "naive" are
intervals without what stimuli do to each other's errors. docs/encoding.md quotes the output; about
a minute on one core, and three of voxels.
"""

import sys

import numpy as np

from rulealign.encoding.folds import stimulus_folds
from rulealign.encoding.ridge import Grid, held_out
from rulealign.encoding.voxel_influence import influences
from rulealign.encoding.voxelwise import R2, mean_scores, predict_voxels
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.mutual import probed, probes
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
    score, influence = scores(x[:n], y[:n], fold)
    samples = [score(counts)[:, None, None] for counts in all_counts(number, n)]
    once = score(np.ones((1, n), dtype=np.int64))[:, None]
    mutual = probed(influence[None], fold, probes(number, n))[..., None]
    intervals = [
        primary_interval(Effect(once, *samples, more), "stimuli", 0.95) for more in (mutual, None)
    ]
    return *intervals, true_r2(x, y, fold)


def scores(x, y, fold):
    """Fit the folds; give what scores resamples, and what training stimuli do to the score."""
    grid, ids = Grid((1.0,), 2), np.arange(len(x))
    if not BY_VOXEL:
        made = held_out([x], (y @ y.T)[None], fold, ids, grid, 0, pulls=True)
        return lambda counts: made.r2(counts)[:, 0], made.influence[0]
    found, told = predict_voxels([x], y, fold, ids, grid, 0, VOXELS), (np.ones(VOXELS), 0.1, VOXELS)
    influence = influences([x], found, y, fold, *told)[R2]
    return lambda counts: mean_scores(found, *told, counts)[R2], influence


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


def held(intervals, truth):
    """Say how often intervals hold the truth, and how wide they are."""
    low, high = np.array([(one.low, one.high) for one in intervals]).T
    return ((low <= truth) & (truth <= high)).mean(), (high - low).mean()


if __name__ == "__main__":
    print("stimuli features noise folds   true R2  estimated  covered  width  naive  width  needed")
    for case in CASES:
        of_pairs, naive, truth = zip(
            *(simulated(number, *case) for number in range(SIMULATIONS)), strict=True
        )
        truth, made = np.array(truth), np.array([one.estimate for one in naive])
        told = [*held(of_pairs, truth), *held(naive, truth), 3.92 * (made - truth).std()]
        n, p, noise, folds = case
        print(
            f"{n:7d} {p:8d} {noise:5.1f} {folds:5d}  {truth.mean():8.3f}  {made.mean():9.3f}"
            "  {:7.3f}  {:5.3f}  {:5.3f}  {:5.3f}  {:6.3f}".format(*told),
            flush=True,
        )
