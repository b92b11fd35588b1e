"""What stimuli of two folds do to a cross-validated score in pairs, and intervals that know it."""

import numpy as np
import pytest

from rulealign.encoding.folds import stimulus_folds
from rulealign.encoding.gram import training_kernel
from rulealign.encoding.ridge import Grid, held_out
from rulealign.encoding.smoother import Smoother
from rulealign.encoding.voxel_influence import influences
from rulealign.encoding.voxelwise import mean_scores, predict_voxels
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.mutual import mutual_variance, probed, probes
from rulealign.rsa.bootstrap.primary import Effect, primary_interval
from rulealign.rsa.bootstrap.spearman import resample_counts

N, WIDTH, VOXELS, PENALTY = 20, 12, 5, 0.7
CEILINGS = np.array([0.5, 0.05, 0.3, 0.9, 0.4])


@pytest.fixture
def data():
    """Give features, responses and folds."""
    rng = np.random.default_rng(5)
    features = rng.normal(size=(N, WIDTH))
    responses = features[:, :2] @ rng.normal(size=(2, VOXELS)) + rng.normal(size=(N, VOXELS))
    return features, responses, np.arange(N) % 4


def ridge(features, responses, kept, penalty):
    """Fit the normal equations with an intercept; give the predictor, from features as they are."""
    x = np.column_stack([features[kept], np.ones(len(kept))])
    shrink = penalty * features.shape[1] * np.diag([1.0] * features.shape[1] + [0.0])
    weights = np.linalg.solve(x.T @ x + shrink, x.T @ responses[kept])
    return lambda place: np.append(features[place], 1) @ weights


def scored(features, fold, folds):
    fit = folds != fold
    return (features - features[fit].mean(axis=0)) / features[fit].std(axis=0)


def changes(data, i, j):
    """Refit without i what predicts j: how i changes prediction and training mean of j."""
    features, responses, folds = data
    z, kept = scored(features, folds[j], folds), np.flatnonzero(folds != folds[j])
    without = kept[kept != i]
    change = ridge(z, responses, kept, PENALTY)(j) - ridge(z, responses, without, PENALTY)(j)
    return change, responses[kept].mean(axis=0) - responses[without].mean(axis=0)


def test_a_smoother_tells_what_refits_without_a_stimulus_find(data):
    features, responses, folds = data
    z, fit, test = scored(features, 1, folds), folds != 1, folds == 1
    smoother = Smoother.of(training_kernel(features, fit), PENALTY, fit, test)
    around = responses[fit] - responses[fit].mean(axis=0)
    kept = np.flatnonzero(fit)
    for place, i in enumerate(kept):
        alone = ridge(z, responses, kept[kept != i], PENALTY)
        left = smoother.without[place] @ around
        assert left == pytest.approx(responses[i] - alone(i), rel=1e-9)
        for row, j in enumerate(np.flatnonzero(test)):
            pull = (smoother.weights[row, place] + 1 / len(kept)) * left
            whole = ridge(z, responses, kept, PENALTY)
            assert pull == pytest.approx(whole(j) - alone(j), rel=1e-7)


def measures(x, y):
    """Score predictions in plain terms."""
    r2 = 1 - ((y - x) ** 2).sum(axis=0) / (y**2).sum(axis=0)
    r = np.array([np.corrcoef(of_x, of_y)[0, 1] for of_x, of_y in zip(x.T, y.T, strict=True)])
    kept = CEILINGS >= 0.1
    return {
        "voxel_r2": r2.mean(),
        "voxel_r": r.mean(),
        "voxel_r2_of_ceiling": (r2 / CEILINGS)[kept].mean(),
        "voxel_r_of_ceiling": (r / np.sqrt(CEILINGS))[kept].mean(),
        "ridge_r2": 1 - ((y - x) ** 2).sum() / (y**2).sum(),
    }


def test_influences_are_how_scores_change_with_what_refits_change(data):
    features, responses, folds = data
    grid = Grid((PENALTY,), 2)
    told = features, responses, folds
    predicted = predict_voxels([features], responses, folds, np.arange(N), grid, 0, 2)
    found = influences([features], predicted, responses, folds, CEILINGS, 0.1, 2)
    grams = (responses @ responses.T)[None]
    held = held_out([features], grams, folds, np.arange(N), grid, 0, pulls=True)
    found = {**found, "ridge_r2": held.influence[0]}
    x, y = predicted.predictions, predicted.responses
    assert measures(x, y)["voxel_r2"] == pytest.approx(
        mean_scores(predicted, CEILINGS, 0.1, 2, np.ones((1, N), int))["voxel_r2"][0]
    )
    for i, j in [(0, 1), (1, 0), (5, 11), (18, 4)]:
        of_prediction, of_mean = changes(told, i, j)
        ends = []
        for step in (1e-5, -1e-5):
            moved_x, moved_y = x.copy(), y.copy()
            moved_x[j] += step * (of_prediction - of_mean)
            moved_y[j] -= step * of_mean
            ends.append(measures(moved_x, moved_y))
        for measure, influence in found.items():
            slope = (ends[0][measure] - ends[1][measure]) / 2e-5
            assert influence[i, j] == pytest.approx(slope, rel=1e-5), measure
    same = folds[:, None] == folds
    assert all((influence[same] == 0).all() for influence in found.values())


def plain_sum(influence, folds):
    """Take both means away and sum h_ij h_ji, in plain loops."""
    pairs = [(i, j) for i in range(N) for j in range(N) if folds[i] != folds[j]]
    whole = np.mean([influence[i, j] for i, j in pairs])
    row = [np.mean([influence[i, j] for i, j in pairs if i == place]) for place in range(N)]
    column = [np.mean([influence[i, j] for i, j in pairs if j == place]) for place in range(N)]
    h = {(i, j): influence[i, j] - row[i] - column[j] + whole for i, j in pairs}
    return sum(h[i, j] * h[j, i] for i, j in pairs)


@pytest.mark.parametrize("turned", [1, -1])
def test_probes_keep_the_sum_over_pairs(data, turned):
    folds = data[2]
    own = np.random.default_rng(1).normal(size=(N, N))
    influence = (own + turned * own.T + 3) * (folds[:, None] != folds)  # alike, or opposite
    expected = plain_sum(influence, folds)
    assert np.sign(expected) == turned
    found = [
        mutual_variance(probed(influence[None], folds, probes(seed, N)))[0] for seed in range(20)
    ]
    error = np.std(found, ddof=1)
    assert error < 0.1 * abs(expected)
    assert abs(np.mean(found) - expected) < 4 * error / 20**0.5


def interval(number, n, width, noise, *, mutual):
    """Give the interval of one simulated data set, and R^2 of the very fits on new stimuli."""
    rng = np.random.default_rng(number)
    weights = rng.normal(size=(width, VOXELS)) * rng.uniform(0.1, 1, size=(width, 1))
    x = rng.normal(size=(n + 1000, width))
    y = x @ weights + rng.normal(size=(n + 1000, VOXELS)) * noise
    ids = np.arange(n)
    folds = stimulus_folds(ids, 5, number)
    grams = (y[:n] @ y[:n].T)[None]
    held = held_out([x[:n]], grams, folds, ids, Grid((1.0,), 2), 0, pulls=True)
    samples = [held.r2(), held.r2(resample_counts(n, 200, number)), held.r2(left_out_counts(n))]
    if mutual:
        samples.append(probed(held.influence, folds, probes(number, n)))
    found = primary_interval(Effect(*(each[..., None, :] for each in samples)), "stimuli", 0.95)
    errors = baseline = 0
    for fold in range(5):
        fit, share = np.flatnonzero(folds != fold), (folds == fold).mean()
        z = (x - x[fit].mean(axis=0)) / x[fit].std(axis=0)
        mean = y[fit].mean(axis=0)
        inner = z[fit].T @ z[fit] + width * np.eye(width)
        beta = np.linalg.solve(inner, z[fit].T @ (y[fit] - mean))
        errors += share * ((y - mean - z @ beta)[n:] ** 2).mean()
        baseline += share * ((y - mean)[n:] ** 2).mean()
    return found.low <= 1 - errors / baseline <= found.high


@pytest.mark.slow
@pytest.mark.parametrize(("n", "width", "noise"), [(92, 40, 6.0), (40, 60, 8.0)])
def test_intervals_hold_what_the_fits_reach_on_new_stimuli_where_naive_ones_do_not(n, width, noise):
    share = {
        mutual: np.mean([interval(k, n, width, noise, mutual=mutual) for k in range(300)])
        for mutual in (True, False)
    }
    assert share[True] > 0.92  # two standard errors below 95%
    assert share[False] < 0.90
