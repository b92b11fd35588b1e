"""Seconds and memory of encoding voxel by voxel, and what others give for the same folds.

    python benchmarks/encoding_voxels.py            # 720 stimuli, 4,096 features, 4,000 voxels
    python benchmarks/encoding_voxels.py 120 200 50 # the same, smaller

Each part runs in a process of its own. docs/encoding.md quotes the output.
"""

import multiprocessing
import resource
import sys
import time

import numpy as np
from himalaya.kernel_ridge import KernelRidgeCV
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.preprocessing import StandardScaler

from rulealign.config.encoding import Encoding
from rulealign.encoding.folds import groups_of, stimulus_folds
from rulealign.encoding.ridge import Grid
from rulealign.encoding.voxelwise import mean_scores, predict_voxels
from rulealign.rsa.bootstrap.spearman import resample_counts

STIMULI, FEATURES, VOXELS = map(int, sys.argv[1:] or (720, 4096, 4000))
PENALTIES, FOLDS, INNER, SEED, DRAWS = Encoding().penalties, 5, 4, 1, 1000
GROUPS = groups_of([f"concept_{place:04d}" for place in range(STIMULI)])
OUTER = stimulus_folds(GROUPS, FOLDS, 0)
FEW = slice(0, 20)  # voxels of the plain loop


def simulated():
    """Make features and responses whose best penalties differ between voxels."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(STIMULI, FEATURES)) @ np.diag(1 / np.sqrt(np.arange(1, FEATURES + 1)))
    signal = x @ rng.normal(size=(FEATURES, VOXELS)) / np.sqrt((x**2).sum(axis=1).mean())
    return x, signal + rng.normal(size=signal.shape) * np.geomspace(0.1, 10, VOXELS)


def sides(out):
    """Give the inner folds of an outer one."""
    inner = stimulus_folds(GROUPS[out != OUTER], INNER, SEED + out)
    return [(np.flatnonzero(inner != part), np.flatnonzero(inner == part)) for part in range(INNER)]


def ours(block):
    """Predict as the pipeline does."""
    x, y = simulated()
    return predict_voxels([x], y, OUTER, GROUPS, Grid(PENALTIES, INNER), SEED, block).predictions


def scored(block):
    """Predict and score, with as many resamples as a study has."""
    x, y = simulated()
    made = predict_voxels([x], y, OUTER, GROUPS, Grid(PENALTIES, INNER), SEED, block)
    mean_scores(made, np.full(VOXELS, 0.5), 0.1, block, resample_counts(STIMULI, DRAWS, 0))
    return made.predictions


def each_fold(fit, some=slice(None)):
    """Predict every fold by what fits z-scored features to centred responses."""
    x, y = simulated()
    y = y[:, some]
    made = np.empty_like(y)
    for out in range(FOLDS):
        known, test = out != OUTER, out == OUTER
        scale = StandardScaler().fit(x[known])
        centred = y[known] - y[known].mean(axis=0)
        made[test] = fit(out, scale.transform(x[known]), centred, scale.transform(x[test]))
    return made


def plainly(out, known, y, asked):
    """Call himalaya as its documentation does."""
    alphas = np.array(PENALTIES) * FEATURES
    model = KernelRidgeCV(alphas=alphas, cv=sides(out), fit_intercept=True)
    return model.fit(known, y).predict(asked)


def in_a_loop(out, known, y, asked):
    """Choose each voxel's penalty in a loop over folds and penalties, from the closed form."""

    def dual(x, values, others, penalty):
        centre = x.mean(axis=0)
        inverse = np.linalg.inv((x - centre) @ (x - centre).T + penalty * FEATURES * np.eye(len(x)))
        weights = (x - centre).T @ (inverse @ (values - values.mean(axis=0)))
        return (others - centre) @ weights + values.mean(axis=0)

    losses = np.zeros((len(PENALTIES), y.shape[1]))
    for place, penalty in enumerate(PENALTIES):
        for fit, test in sides(out):
            wrong = dual(known[fit], y[fit], known[test], penalty) - y[test]
            losses[place] += (wrong**2).mean(axis=0)
    best = losses.argmin(axis=0)
    made = np.stack([dual(known, y, asked, penalty) for penalty in PENALTIES])
    return np.take_along_axis(made, best[None, None], axis=0)[0]


def of_one_penalty(_out, known, y, asked):
    """Fit scikit-learn's Ridge with one penalty for all voxels."""
    return Ridge(alpha=FEATURES * 1.0).fit(known, y).predict(asked)


def ridge_cv(_out, known, y, asked):
    """Fit scikit-learn's RidgeCV, which leaves out one stimulus after the other."""
    alphas = np.array(PENALTIES) * FEATURES
    return RidgeCV(alphas=alphas, alpha_per_target=True).fit(known, y).predict(asked)


def one_penalty():
    """Predict as the pipeline does where there is nothing to choose."""
    x, y = simulated()
    return predict_voxels([x], y, OUTER, GROUPS, Grid((1.0,), INNER), SEED, 1000).predictions


def _measured(function, arguments, sender):
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.perf_counter()
    simulated()
    data = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    made_in, start = time.perf_counter() - start, time.perf_counter()
    made = function(*arguments)
    seconds = time.perf_counter() - start - made_in
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    sender.send((seconds, (peak - before) / 1024, (peak - data) / 1024, made))


def measured(name, function, *arguments):
    """Run a part in a process of its own; print what it cost; give what it predicts."""
    receiver, sender = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_measured, args=(function, arguments, sender)
    )
    process.start()
    seconds, peak, beyond, made = receiver.recv()
    process.join()
    print(f"{name:42s} {seconds:7.1f} s  {peak:7.0f} MB, {beyond:6.0f} beyond the data", flush=True)
    return made


def apart(name, one, other):
    """Print how far predictions are apart, as a share of their largest."""
    print(f"  {name}: {np.abs(one - other).max() / np.abs(one).max():.1e} apart", flush=True)


if __name__ == "__main__":
    print(f"{STIMULI} stimuli, {FEATURES} features, {VOXELS} voxels, {FOLDS} x {INNER} folds")
    found = measured("the pipeline, 1,000 voxels at a time", ours, 1000)
    for block in (100, VOXELS):
        apart("blocks", found, measured(f"the pipeline, {block} at a time", ours, block))
    measured(f"the same with {DRAWS} resamples", scored, 1000)
    apart("himalaya", found, measured("himalaya, called plainly", each_fold, plainly))
    apart("loop", found[:, FEW], measured("a plain loop, 20 voxels", each_fold, in_a_loop, FEW))
    fixed = measured("the pipeline, one penalty", one_penalty)
    apart("Ridge", fixed, measured("scikit-learn's Ridge", each_fold, of_one_penalty))
    measured("scikit-learn's RidgeCV (leave-one-out)", each_fold, ridge_cv)
