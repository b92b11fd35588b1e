"""Scores of every measure in one universe are those of plain loops over voxels and stimuli."""

import h5py
import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Ridge

import measured_files as made
from rulealign.claims.scores import read_universe_scores
from rulealign.claims.universes.shuffles import shuffled_orders
from rulealign.encoding import folds, ridge
from rulealign.encoding.error_forms import many_r2
from rulealign.encoding.roi_gram import read_roi_gram
from rulealign.rsa.bootstrap.mutual import mutual_variance
from rulealign.rsa.bootstrap.primary import primary_interval
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.store import read_csv

SUBJECTS, VOXELS = 3, 25


def features(seed, epoch):
    rng = np.random.default_rng([seed, epoch])
    shared = rng.normal(size=(made.N, 4))
    return {
        name: shared @ rng.normal(size=(4, 20)) + rng.normal(size=(made.N, 20)) * scale + 3
        for name, scale in (("activations", 1.0), ("gradient", 2.0), ("teaching", 0.5))
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measures")
    rng = np.random.default_rng(5)
    signal = features(1, 0)["gradient"]
    responses = [
        signal @ rng.normal(size=(20, VOXELS)) + rng.normal(0, 12, (made.N, VOXELS))
        for _ in range(SUBJECTS)
    ]
    files = made.write_networks(folder, features)
    return folder, files, made.write_brain(folder, responses), responses


def plain_errors(values, patterns, grams):
    """Fit every voxel by scikit-learn; give errors of held-out stimuli and of the mean."""
    errors, baseline = np.zeros((2, made.N))
    seed = folds.folds_seed(made.SEED, made.N)
    for out in range(made.FOLDS):
        fit, test = np.flatnonzero(grams.folds[0] != out), np.flatnonzero(grams.folds[0] == out)
        inner = folds.stimulus_folds(grams.groups[0][fit], made.INNER, seed + out)
        losses = [
            sum(
                ((_predicted(values, patterns, fit[inner != part], held, penalty)) ** 2).sum()
                for part in range(made.INNER)
                for held in [fit[inner == part]]
            )
            for penalty in made.PENALTIES
        ]
        best = made.PENALTIES[int(np.argmin(losses))]
        errors[test] = (_predicted(values, patterns, fit, test, best) ** 2).sum(axis=1)
        baseline[test] = ((patterns[test] - patterns[fit].mean(axis=0)) ** 2).sum(axis=1)
    return errors, baseline


def _predicted(values, patterns, fit, test, penalty):
    # what is wrong with the prediction
    z = (values - values[fit].mean(axis=0)) / values[fit].std(axis=0)
    model = Ridge(alpha=penalty * z.shape[1]).fit(z[fit], patterns[fit])
    return patterns[test] - model.predict(z[test])


@pytest.mark.parametrize("name", ["activations", "gradient", "teaching"])
def test_encoding_is_ridge_regression_of_every_voxel(world, name):
    folder, files, brain, responses = world
    table, draws = made.write_measured(folder, files, brain, made.settings("encoding", name))
    values, grams = features(1, 0)[name], read_roi_gram(brain[1])
    parts = [plain_errors(values, made.unit(own), grams) for own in responses]
    of_subjects = [1 - errors.sum() / baseline.sum() for errors, baseline in parts]
    together = np.hstack([made.unit(own) for own in responses])
    errors, baseline = plain_errors(values, together, grams)
    found = made.scores(table)
    assert found["per_subject"] == pytest.approx(np.mean(of_subjects), abs=1e-8)
    assert found["mean_rdm"] == pytest.approx(1 - errors.sum() / baseline.sum(), abs=1e-8)
    # draws weight held-out errors by the resamples that the whole study shares
    counts = resample_counts(made.N, made.DRAWS, bootstrap_seed(made.SEED, made.N))
    with h5py.File(draws) as file:
        rows = [row.decode() for row in file["ids/row"]]
        own = next(place for place, row in enumerate(rows) if "per_subject" in row)
        drawn = file["draws"][:, own]
    expected = np.mean([1 - counts @ e / (counts @ b) for e, b in parts], axis=0)
    np.testing.assert_allclose(drawn, expected, atol=1e-6)


@pytest.mark.parametrize("goal", ["stimuli", "both"])
def test_claims_have_the_intervals_of_the_encoding_table(world, tmp_path, goal):
    _, files, brain, _ = world
    told = made.settings("encoding", "gradient", ("per_subject",), goal=goal)
    scores = read_universe_scores(*made.write_measured(tmp_path, files, brain, told))
    effect = scores.effect([0])
    assert mutual_variance(effect.mutual).mean() > 0.01 * effect.drawn.var(axis=0).mean()
    found = primary_interval(effect, goal, 0.9)
    table = made.write_encoded(tmp_path, files, brain, goal=goal).with_name("V1_encoding.csv")
    rows = read_csv(table).set_index(["features", "measure"])
    row = rows.loc[("gradient-own-decision", "ridge_r2")]
    expected = [row["score"], row["low"], row["high"]]
    # draws are kept in single precision
    assert [found.estimate, found.low, found.high] == pytest.approx(expected, abs=1e-5)


def unbiased_hsic(one, other):
    """Sum as Song et al. 2012 (equation 5) do, for Gram matrices."""
    n = len(one)
    k, m = (each - np.diag(np.diag(each)) for each in (one, other))
    whole = np.trace(k @ m) + k.sum() * m.sum() / ((n - 1) * (n - 2))
    return (whole - 2 * (k @ m).sum() / (n - 2)) / (n * (n - 3))


def plain_cka(one, other):
    return unbiased_hsic(one, other) / np.sqrt(
        unbiased_hsic(one, one) * unbiased_hsic(other, other)
    )


def test_cka_is_that_of_the_unbiased_hsic(world):
    folder, files, brain, responses = world
    table, _ = made.write_measured(folder, files, brain, made.settings("cka", "teaching"))
    values = features(1, 0)["teaching"]
    kernel = values @ values.T
    patterns = [made.unit(own) for own in responses]
    of_subjects = [plain_cka(kernel, own @ own.T) for own in patterns]
    mean = np.mean([own @ own.T for own in patterns], axis=0)
    found = made.scores(table)
    assert found["per_subject"] == pytest.approx(np.mean(of_subjects), abs=1e-6)
    assert found["mean_rdm"] == pytest.approx(plain_cka(kernel, mean), abs=1e-6)


def test_rsa_of_a_gradient_is_spearman_of_its_rdm(world):
    folder, files, brain, responses = world
    table, _ = made.write_measured(folder, files, brain, made.settings("rsa", "gradient"))
    values = features(1, 0)["gradient"]
    upper = np.triu_indices(made.N, 1)
    rdm = 1 - np.corrcoef(values - values.mean(axis=0))[upper]
    theirs = [1 - np.corrcoef(own)[upper] for own in responses]
    expected = np.mean([spearmanr(rdm, own).statistic for own in theirs])
    found = made.scores(table)
    assert found["per_subject"] == pytest.approx(expected, abs=1e-4)  # RDMs are kept in float32
    assert found["mean_rdm"] == pytest.approx(
        spearmanr(rdm, np.mean(theirs, axis=0)).statistic, abs=1e-4
    )


def test_many_gram_matrices_at_once_have_the_scores_of_each_alone():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(made.N, 9)) + 2
    patterns = rng.normal(size=(7, made.N, 5)) + values[:, :5] * rng.uniform(0, 2, (7, 1, 1))
    grams = np.einsum("gik,gjk->gij", patterns, patterns)
    groups = np.repeat(np.arange(made.N // 2), 2)
    fold = folds.stimulus_folds(groups, 4, 1)
    grid = ridge.Grid([0.01, 1.0, 100.0], 3)
    found = many_r2(values, grams, fold, groups, grid, 2)
    expected = ridge.held_out([values], grams, fold, groups, grid, 2).r2()
    np.testing.assert_allclose(found, expected, atol=1e-10)
    assert np.ptp(expected) > 0.3


@pytest.mark.parametrize("measure", ["encoding", "cka"])
def test_shuffled_scores_are_those_of_brains_whose_stimuli_are_permuted(world, measure):
    folder, files, brain, responses = world
    told = made.settings(measure, "gradient", ["per_subject"], shuffles=3)
    _, draws = made.write_measured(folder, files, brain, told)
    with h5py.File(draws) as file:
        found = file["shuffles"][:, 0]
    values, grams = features(1, 0)["gradient"], read_roi_gram(brain[1])
    for order, score in zip(shuffled_orders(made.SEED, made.N, 3), found, strict=True):
        patterns = [made.unit(own)[order] for own in responses]
        if measure == "cka":
            each = [plain_cka(values @ values.T, own @ own.T) for own in patterns]
        else:
            parts = [plain_errors(values, own, grams) for own in patterns]
            each = [1 - errors.sum() / baseline.sum() for errors, baseline in parts]
        assert score == pytest.approx(np.mean(each), abs=1e-6)
