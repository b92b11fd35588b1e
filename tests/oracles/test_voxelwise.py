"""Encoding voxel by voxel is what plain loops and scikit-learn give; planted leaks stop the run."""

import numpy as np
import pytest
import torch
from himalaya import backend, kernel_ridge
from scipy.stats import pearsonr
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from rulealign.encoding import folds, gram, voxelwise
from rulealign.encoding.ridge import Grid
from rulealign.encoding.solver import BACKENDS, solver_backend
from rulealign.errors import ConfigurationError, GuardError
from rulealign.reasons import MissingValue

N, VOXELS, PENALTIES, INNER, SEED = 48, 14, (0.01, 0.3, 10.0), 3, 5
GROUPS = folds.groups_of([f"concept_{place // 2:02d}" for place in range(N)])
FOLDS = folds.stimulus_folds(GROUPS, 4, 7)
ONCE = np.ones((1, N), dtype=int)


def simulated(seed=0):
    """Make features of unlike scale, and voxels of unlike noise."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(N, 20)) * rng.uniform(0.1, 9, size=20) + 5
    z = (features - features.mean(axis=0)) / features.std(axis=0)
    noise = np.linspace(0.1, 12, VOXELS)
    return features, z[:, :6] @ rng.normal(size=(6, VOXELS)) + rng.normal(size=(N, VOXELS)) * noise


def predicted(spaces, responses, mixes=((1.0,),), penalties=PENALTIES, block=5):
    grid = Grid(penalties, INNER, mixes)
    return voxelwise.predict_voxels(spaces, responses, FOLDS, GROUPS, grid, SEED, block)


def inner_sides(out):
    inner = folds.stimulus_folds(GROUPS[out != FOLDS], INNER, SEED + out)
    return [(np.flatnonzero(inner != part), np.flatnonzero(inner == part)) for part in range(INNER)]


def normal_equations(x, y, fit, penalty):
    """Fit one voxel; predict all stimuli, from the mean of those that were fitted."""
    centre = x[fit].mean(axis=0)
    weights = np.linalg.solve(
        (x[fit] - centre).T @ (x[fit] - centre) + penalty * x.shape[1] * np.eye(x.shape[1]),
        (x[fit] - centre).T @ (y[fit] - y[fit].mean()),
    )
    return (x - centre) @ weights + y[fit].mean()


def plain(features, responses):
    """Choose each voxel's penalty in the training stimuli, fit all of these, predict the others."""
    made, shifted = np.zeros((2, *responses.shape))
    for out in range(FOLDS.max() + 1):
        fit, test = out != FOLDS, out == FOLDS
        z = (features - features[fit].mean(axis=0)) / features[fit].std(axis=0)
        for voxel in range(VOXELS):
            y, own = responses[:, voxel], responses[fit, voxel]
            losses = [
                np.mean(
                    [
                        np.mean((normal_equations(z[fit], own, one, a) - own)[two] ** 2)
                        for one, two in inner_sides(out)
                    ]
                )
                for a in PENALTIES
            ]
            best = PENALTIES[int(np.argmin(losses))]
            made[test, voxel] = normal_equations(z, y, fit, best)[test] - own.mean()
            shifted[test, voxel] = y[test] - own.mean()
    return shifted, made


def test_predictions_and_scores_are_those_of_a_plain_loop():
    features, responses = simulated()
    found, (shifted, made) = predicted([features], responses), plain(features, responses)
    np.testing.assert_allclose(found.responses, shifted, atol=1e-12)
    np.testing.assert_allclose(found.predictions, made, atol=1e-9)
    r2, r = found.scores(ONCE)
    expected = 1 - ((shifted - made) ** 2).sum(axis=0) / (shifted**2).sum(axis=0)
    np.testing.assert_allclose(r2[0], expected, atol=1e-9)
    of_voxels = [pearsonr(one, two).statistic for one, two in zip(shifted.T, made.T, strict=True)]
    np.testing.assert_allclose(r[0], of_voxels, atol=1e-9)
    np.testing.assert_allclose(found.errors, ((shifted - made) ** 2).sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(found.baseline, (shifted**2).sum(axis=1), atol=1e-9)


def test_a_device_has_its_backend_and_the_one_before_comes_back(monkeypatch):
    assert BACKENDS == {"cpu": "numpy", "cuda": "torch_cuda"}
    asked = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(backend, "set_backend", lambda name: asked.append(name))
    for device in ("cpu", "cuda"):
        with solver_backend(device):
            pass
    assert asked == ["numpy", "numpy", "torch_cuda", "numpy"]


@pytest.mark.parametrize("block", [5, 100])
def test_torch_predicts_what_numpy_does(monkeypatch, block):
    # all of the path to a GPU but the GPU itself
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setitem(BACKENDS, "cuda", "torch")
    features, responses = simulated()
    spaces, mixes = (features[:, :5], features[:, 5:]), ((1.0, 0.0), (0.5, 0.5), (0.2, 0.8))
    solved = []
    solve = kernel_ridge.solve_multiple_kernel_ridge_random_search
    monkeypatch.setattr(
        kernel_ridge,
        "solve_multiple_kernel_ridge_random_search",
        lambda *told, **how: solved.append(told[0]) or solve(*told, **how),
    )
    found = {
        device: voxelwise.predict_voxels(
            spaces, responses, FOLDS, GROUPS, Grid(PENALTIES, INNER, mixes), SEED, block, device
        )
        for device in ("cpu", "cuda")
    }
    assert [type(kernels) for kernels in solved] == [np.ndarray] * 4 + [torch.Tensor] * 4
    assert {kernels.dtype for kernels in solved[4:]} == {torch.float64}
    assert isinstance(found["cuda"].predictions, np.ndarray)
    np.testing.assert_allclose(found["cuda"].predictions, found["cpu"].predictions, atol=1e-9)
    assert backend.get_backend().name == "numpy"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_and_never_replaced():
    features, responses = simulated()
    grid = Grid(PENALTIES, INNER)
    with pytest.raises(ConfigurationError, match=r"device: 'cuda' .*no GPU here.* device: cpu"):
        voxelwise.predict_voxels([features], responses, FOLDS, GROUPS, grid, SEED, 5, "cuda")


def test_one_penalty_is_ridge_of_scikit_learn():
    features, responses = simulated()
    found = predicted([features], responses, penalties=(0.3,))
    for out in range(FOLDS.max() + 1):
        fit, test = out != FOLDS, out == FOLDS
        scale = StandardScaler().fit(features[fit])
        ridge = Ridge(alpha=0.3 * features.shape[1]).fit(
            scale.transform(features[fit]), responses[fit]
        )
        expected = ridge.predict(scale.transform(features[test])) - responses[fit].mean(axis=0)
        np.testing.assert_allclose(found.predictions[test], expected, atol=1e-9)


def test_two_spaces_are_banded_ridge_of_the_better_mix():
    features, responses = simulated()
    spaces, shares = (features[:, :5], features[:, 5:]), (0.8, 0.2)
    found = predicted(spaces, responses, mixes=(shares,), penalties=(0.3,))
    alone = predicted(spaces, responses, mixes=((1.0, 0.0),), penalties=(0.3,))
    of_first = predicted(spaces[:1], responses, penalties=(0.3,))
    np.testing.assert_allclose(alone.predictions, of_first.predictions, atol=1e-9)
    for out in range(FOLDS.max() + 1):
        fit, test = out != FOLDS, out == FOLDS
        parts = []
        for space, share in zip(spaces, shares, strict=True):
            z = (space - space[fit].mean(axis=0)) / space[fit].std(axis=0)
            parts.append(z * np.sqrt(share / z.shape[1]))
        x, y = np.hstack(parts), responses - responses[fit].mean(axis=0)
        weights = np.linalg.solve(x[fit].T @ x[fit] + 0.3 * np.eye(20), x[fit].T @ y[fit])
        np.testing.assert_allclose(found.predictions[test], x[test] @ weights, atol=1e-9)


def test_blocks_of_voxels_change_nothing():
    features, responses = simulated()
    found = [predicted([features], responses, block=block) for block in (1, 4, 100)]
    for other in found[1:]:
        np.testing.assert_allclose(other.predictions, found[0].predictions, atol=1e-12)
    ceilings = np.linspace(-0.2, 0.9, VOXELS)
    counts = np.random.default_rng(0).integers(0, 3, size=(7, N))
    means = [voxelwise.mean_scores(found[0], ceilings, 0.1, size, counts) for size in (2, 50)]
    for measure in means[0]:
        np.testing.assert_allclose(means[1][measure], means[0][measure], atol=1e-12)


def test_a_draw_scores_the_stimuli_as_often_as_it_holds_them():
    features, responses = simulated()
    found = predicted([features], responses)
    counts = np.random.default_rng(1).multinomial(N, np.full(N, 1 / N), size=3)
    r2, r = found.scores(counts)
    for draw, count in enumerate(counts):
        copies = np.repeat(np.arange(N), count)
        y, x = found.responses[copies], found.predictions[copies]
        np.testing.assert_allclose(
            r2[draw], 1 - ((y - x) ** 2).sum(axis=0) / (y**2).sum(axis=0), atol=1e-12
        )
        expected = [pearsonr(a, b).statistic for a, b in zip(y.T, x.T, strict=True)]
        np.testing.assert_allclose(r[draw], expected, atol=1e-10)


def test_ceilings_near_or_below_zero_divide_nothing():
    features, responses = simulated()
    found = predicted([features], responses)
    ceilings = np.full(VOXELS, -0.3)
    assert set(voxelwise.mean_scores(found, ceilings, 0.1, 5, ONCE)) == {"voxel_r2", "voxel_r"}
    ceilings[[1, 3, 4]] = 0.5, 0.8, 0.001
    means = voxelwise.mean_scores(found, ceilings, 0.1, 5, ONCE)
    r2, r = (each[0, [1, 3]] for each in found.scores(ONCE))
    assert means["voxel_r2_of_ceiling"] == pytest.approx(np.mean(r2 / [0.5, 0.8]))
    assert means["voxel_r_of_ceiling"] == pytest.approx(np.mean(r / np.sqrt([0.5, 0.8])))
    assert means["voxel_r2"] == pytest.approx(found.scores(ONCE)[0].mean())


def test_unrelated_features_have_no_r_below_zero():
    # with means of the folds left in, r would be clearly negative here
    found = []
    for number in range(20):
        rng = np.random.default_rng(number)
        made = predicted([rng.normal(size=(N, 10))], rng.normal(size=(N, VOXELS)))
        found.append(made.scores(ONCE)[1].mean())
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(20) + 0.01


def test_the_penalty_is_chosen_without_the_stimuli_that_are_held_out():
    # what is held out is replaced: nothing of it may reach the fit of its own fold
    features, responses = simulated()
    before, out = predicted([features], responses).predictions, FOLDS == 0
    changed = responses.copy()
    changed[out] = np.random.default_rng(9).normal(size=(out.sum(), VOXELS)) * 100
    np.testing.assert_array_equal(predicted([features], changed).predictions[out], before[out])


def test_an_exemplar_on_both_sides_of_a_fold_stops_the_run():
    features, responses = simulated()
    torn = FOLDS.copy()
    torn[0] = (FOLDS[0] + 1) % 4
    grid = Grid(PENALTIES, INNER)
    with pytest.raises(GuardError, match="1 groups of stimuli .* both sides of a fold"):
        voxelwise.predict_voxels([features], responses, torn, GROUPS, grid, SEED, 5)


def test_inner_folds_that_tear_a_concept_stop_the_run(monkeypatch):
    features, responses = simulated()

    def torn(groups, parts, seed):
        return folds.stimulus_folds(np.arange(len(groups)), parts, seed)

    monkeypatch.setattr(voxelwise, "stimulus_folds", torn)
    with pytest.raises(GuardError, match="an inner fold: .*both sides"):
        predicted([features], responses)


def test_features_that_were_scored_before_the_split_stop_the_run(monkeypatch):
    features, responses = simulated()
    every = np.ones(N, dtype=bool)
    monkeypatch.setattr(
        voxelwise, "training_kernel", lambda space, _fit: gram.training_kernel(space, every)
    )
    with pytest.raises(GuardError, match="z-scored before stimuli were held out"):
        predicted([features], responses)


def test_constant_features_have_a_reason():
    with pytest.raises(MissingValue, match="every feature is constant"):
        predicted([np.ones((N, 3))], simulated()[1])


def test_groups_are_joined_by_every_label():
    concepts = ["dog", "dog", "cat", "owl", "elk", "elk"]
    assert folds.groups_of(concepts).tolist() == [1, 1, 0, 3, 2, 2]
    runs = ["1", "2", "2", "3", "4", "4"]  # the second dog and the cat share a run
    assert folds.groups_of(concepts, runs).tolist() == [0, 0, 0, 2, 1, 1]
