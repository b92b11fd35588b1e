"""Encoding without voxels gives what plain loops over voxels give."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes

from rulealign.encoding import folds, gram, ridge, similarity
from rulealign.encoding import together as fitted
from rulealign.errors import DataError, GuardError
from rulealign.reasons import MissingValue
from rulealign.rsa.rdm import correlation_rdm

N = 24
IDS = [f"image_{number}" for number in range(N)]
PENALTIES = (0.01, 0.3, 10.0)


def simulated(seed=0, voxels=40):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(N, 30)) * rng.uniform(0.1, 9, size=30) + 5
    responses = features[:, :8] @ rng.normal(size=(8, voxels)) + rng.normal(0, 9, (N, voxels))
    return features, responses


def unit(responses):
    rows = responses - responses.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def predicted(features, responses, fit, penalty):
    """Fit ridge regression to each voxel by its normal equations; predict all stimuli."""
    mean, spread = features[fit].mean(axis=0), features[fit].std(axis=0)
    z = (features - mean) / spread
    inverse = np.linalg.inv(z[fit].T @ z[fit] + penalty * z.shape[1] * np.eye(z.shape[1]))
    made = np.empty_like(responses)
    for voxel in range(responses.shape[1]):
        centre = responses[fit, voxel].mean()
        weights = inverse @ z[fit].T @ (responses[fit, voxel] - centre)
        made[:, voxel] = z @ weights + centre
    return made


def plain_errors(features, responses, fold, seed, inner_folds=3):
    """Choose the penalty in the training stimuli, fit all of these, and score the others."""
    errors, baseline = np.zeros((2, N))
    for out in range(fold.max() + 1):
        fit, test = np.flatnonzero(fold != out), fold == out
        inner = folds.stimulus_folds([IDS[place] for place in fit], inner_folds, seed + out)
        losses = []
        for penalty in PENALTIES:
            loss = 0
            for part in range(inner_folds):
                held = fit[inner == part]
                made = predicted(features, responses, fit[inner != part], penalty)
                loss += ((made - responses)[held] ** 2).sum()
            losses.append(loss)
        made = predicted(features, responses, fit, PENALTIES[int(np.argmin(losses))])
        errors[test] = ((made - responses)[test] ** 2).sum(axis=1)
        baseline[test] = ((responses - responses[fit].mean(axis=0))[test] ** 2).sum(axis=1)
    return errors, baseline


@pytest.mark.parametrize("distance", [gram.CORRELATION, gram.SQUARED_EUCLIDEAN])
def test_errors_from_rdms_are_those_of_the_voxels(distance):
    features, first = simulated()
    _, second = simulated(1)
    fold = folds.stimulus_folds(IDS, 4, 7)
    grams, plain = [], []
    for responses in (first, second):
        if distance == gram.CORRELATION:
            rdm, responses = correlation_rdm(responses, centred=False, ids=IDS), unit(responses)
        else:
            difference = responses[:, None] - responses[None]
            rdm = (difference**2).sum(axis=2)[np.triu_indices(N, 1)]
        grams.append(gram.responses_gram(rdm, distance, "x"))
        plain.append(plain_errors(features, responses, fold, 3))
    made = ridge.held_out([features], np.stack(grams), fold, IDS, ridge.Grid(PENALTIES, 3), 3)
    for subject, (errors, baseline) in enumerate(plain):
        np.testing.assert_allclose(made.errors[subject], errors, rtol=1e-8)
        np.testing.assert_allclose(made.baseline[subject], baseline, rtol=1e-8)
        np.testing.assert_allclose(made.r2()[subject], 1 - errors.sum() / baseline.sum(), rtol=1e-8)
    assert len(np.unique(made.chosen)) > 1  # or the choice would not be tested


def test_two_spaces_are_banded_ridge():
    # sqrt(share / p) times each z-scored space, side by side, under one penalty
    features, responses = simulated()
    spaces, shares = (features[:, :5], features[:, 5:]), (0.8, 0.2)
    grid = ridge.Grid((0.3,), 3, (shares,))
    fold = folds.stimulus_folds(IDS, 4, 7)
    made = ridge.held_out(spaces, (responses @ responses.T)[None], fold, IDS, grid, 3)
    for out in range(4):
        fit, test = fold != out, fold == out
        parts = []
        for space, share in zip(spaces, shares, strict=True):
            z = (space - space[fit].mean(axis=0)) / space[fit].std(axis=0)
            parts.append(z * np.sqrt(share / z.shape[1]))
        x, mean = np.hstack(parts), responses[fit].mean(axis=0)
        weights = np.linalg.solve(x[fit].T @ x[fit] + 0.3 * np.eye(30), x[fit].T @ responses[fit])
        errors = ((responses - mean - x @ weights)[test] ** 2).sum(axis=1)
        np.testing.assert_allclose(made.errors[0, test], errors, rtol=1e-8)


@pytest.mark.parametrize("adds", [True, False])
def test_what_a_space_adds_is_told_from_what_it_only_repeats(adds):
    # alone, both predict; the second is the first one turned, or also has what that one lacks
    found, alone = [], []
    for number in range(4):
        rng = np.random.default_rng(number)
        first, own = rng.normal(size=(2, 60, 5))
        second = np.hstack([first @ rng.normal(size=(5, 5)), own if adds else own[:, :0]])
        responses = first @ rng.normal(size=(5, 20)) + rng.normal(size=(60, 20))
        responses += own @ rng.normal(size=(5, 20)) * adds
        ids = [str(place) for place in range(60)]
        fold = folds.stimulus_folds(ids, 4, number)
        grams, penalties = (responses @ responses.T)[None], (0.01, 0.1, 1, 10)
        r2 = [
            ridge.held_out(spaces, grams, fold, ids, ridge.Grid(penalties, 3, mixes), 0).r2()[0]
            for spaces, mixes in (
                ([first, second], fitted.mixes(2)[:1]),
                ([first, second], fitted.mixes(2)),
                ([second], ((1.0,),)),
            )
        ]
        found.append(r2[1] - r2[0])
        alone.append(r2[2])
    assert min(alone) > 0.5
    assert (min(found) > 0.2) if adds else (np.abs(found).max() < 0.02)


def test_a_draw_counts_each_error_as_often_as_its_stimulus():
    made = ridge.HeldOut(np.array([[1.0, 2, 3]]), np.array([[4.0, 4, 5]]), np.zeros((1, 1), int))
    counts = np.array([[1, 1, 1], [2, 0, 1]])
    np.testing.assert_allclose(made.r2(counts)[:, 0], [1 - 6 / 13, 1 - 5 / 13])
    assert made.r2()[0] == pytest.approx(1 - 6 / 13)


def test_features_that_tell_nothing_do_not_beat_the_mean():
    rng = np.random.default_rng(4)
    found = []
    for number in range(20):
        features, responses = rng.normal(size=(N, 50)), rng.normal(size=(N, 20))
        fold = folds.stimulus_folds(IDS, 4, number)
        grid = ridge.Grid((0.1, 1, 10, 1000), 3)
        own = ridge.held_out([features], (responses @ responses.T)[None], fold, IDS, grid, number)
        found.append(own.r2()[0])
    assert -0.1 < np.mean(found) < 0.005


def test_a_group_is_never_torn_apart():
    groups = [f"concept_{place // 3}" for place in range(30)]
    made = folds.stimulus_folds(groups, 4, 1)
    assert all(len(set(made[start : start + 3])) == 1 for start in range(0, 30, 3))
    assert sorted(np.bincount(made)) == [6, 6, 9, 9]
    with pytest.raises(DataError, match="10 stimuli that may be held out apart"):
        folds.stimulus_folds(groups, 11, 1)


def test_a_concept_on_both_sides_of_a_fold_stops_the_run():
    features, responses = simulated()
    fold = folds.stimulus_folds(IDS, 4, 7)
    concepts = [f"concept_{place // 2}" for place in range(N)]
    with pytest.raises(GuardError, match=r"fold 0: \d+ groups of stimuli .* both sides of a fold"):
        ridge.held_out(
            [features], (responses @ responses.T)[None], fold, concepts, ridge.Grid((1.0,), 3), 3
        )


def test_features_are_scored_by_the_training_stimuli_alone():
    features, _ = simulated()
    fit = np.arange(N) < 18
    before = gram.training_kernel(features, fit)
    features[~fit] *= 100
    np.testing.assert_array_equal(
        gram.training_kernel(features, fit)[np.ix_(fit, fit)], before[np.ix_(fit, fit)]
    )
    assert np.diag(before)[fit].mean() == pytest.approx(1)


def test_dead_features_are_refused_and_single_ones_count_nowhere():
    features, _ = simulated()
    fit = np.arange(N) < 18
    dead = np.column_stack([features, np.full(N, 3.0)])
    np.testing.assert_allclose(
        gram.training_kernel(dead, fit), gram.training_kernel(features, fit), rtol=1e-12
    )
    with pytest.raises(MissingValue, match="every feature is constant"):
        gram.training_kernel(np.ones((N, 4)), fit)


def test_rdms_that_no_patterns_have_are_refused():
    features, _ = simulated()
    rdm = correlation_rdm(features, centred=False, ids=IDS)
    ranked = rdm.argsort().argsort() / len(rdm) * 2
    with pytest.raises(DataError, match="sub-01.h5: no patterns have these distances"):
        gram.responses_gram(ranked, gram.CORRELATION, "sub-01.h5")
    rdm[3] = np.nan
    with pytest.raises(DataError, match="sub-01.h5: 1 pairs are missing"):
        gram.responses_gram(rdm, gram.CORRELATION, "sub-01.h5")


def unbiased_hsic(one, other):
    # Song et al. 2012, equation 5, as it stands there
    n = len(one)
    one, other = one - np.diag(np.diag(one)), other - np.diag(np.diag(other))
    ones = np.ones(n)
    whole = np.trace(one @ other)
    whole += (ones @ one @ ones) * (ones @ other @ ones) / ((n - 1) * (n - 2))
    return (whole - 2 / (n - 2) * (ones @ one @ other @ ones)) / (n * (n - 3))


def test_cka_is_that_of_the_unbiased_hsic():
    features, responses = simulated()
    one, other = features @ features.T, responses @ responses.T
    expected = unbiased_hsic(one, other)
    expected /= np.sqrt(unbiased_hsic(one, one) * unbiased_hsic(other, other))
    found = similarity.debiased_cka(one[None], np.stack([other, one]))
    np.testing.assert_allclose(found, [[expected, 1]], rtol=1e-10)


def test_cka_of_a_resample_is_that_of_its_copies_without_their_own_pairs():
    features, responses = simulated()
    one, other = features @ features.T, responses @ responses.T
    rng = np.random.default_rng(0)
    counts = np.stack([np.bincount(rng.integers(N, size=N), minlength=N) for _ in range(3)])
    counts[2] = 0
    counts[2, :5] = [4, 1, 1, 1, 1]  # one is half of the resample
    found = similarity.debiased_cka(one[None], other[None], counts)[:, 0, 0]
    for count, cka in zip(counts, found, strict=True):
        drawn = np.repeat(np.arange(N), count)
        rows, columns = np.triu_indices(len(drawn), 1)
        apart = drawn[rows] != drawn[columns]
        rows, columns = rows[apart], columns[apart]
        design = np.zeros((len(rows), len(drawn)))
        design[np.arange(len(rows)), rows] = design[np.arange(len(rows)), columns] = 1
        left = []
        for matrix in (one, other):
            values = matrix[drawn[rows], drawn[columns]]
            left.append(values - design @ np.linalg.lstsq(design, values)[0])
        expected = left[0] @ left[1] / np.linalg.norm(left[0]) / np.linalg.norm(left[1])
        assert cka == pytest.approx(expected, abs=1e-10)


def test_cka_of_unrelated_representations_is_around_zero():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, N, 200))
    found = similarity.debiased_cka(x[:20] @ x[:20].mT, x[20:] @ x[20:].mT)
    assert abs(found.mean()) < 3 * found.std() / np.sqrt(20)
    assert found.std() < 0.1  # the biased one is about .89 here


def test_procrustes_is_the_distance_after_the_best_rotation():
    features, responses = simulated()
    a, b = features[:, :20], responses[:, :20]
    a, b = ((x - x.mean(axis=0)) / np.linalg.norm(x - x.mean(axis=0)) for x in (a, b))
    turn, _ = orthogonal_procrustes(a, b)
    raw = features[:, :20], responses[:, :20]
    found = similarity.procrustes_distance(*((x @ x.T)[None] for x in raw))[0, 0]
    assert found == pytest.approx(np.linalg.norm(a @ turn - b), abs=1e-10)


def test_representations_without_variance_have_neither():
    flat, some = np.ones((1, N, N)), (simulated()[1] @ simulated()[1].T)[None]
    with pytest.raises(DataError, match="no CKA"):
        similarity.debiased_cka(flat, some)
    with pytest.raises(DataError, match="no shape"):
        similarity.procrustes_distance(some, flat)
