"""Euclidean and cross-validated distances against scipy, rsatoolbox, plain loops and the truth."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from rulealign.rsa.noise import normalised, residuals, shrinkage
from rulealign.rsa.pattern_distances import crossnobis_rdm, euclidean_rdm

SESSIONS, RUNS = 5, 3

# rsatoolbox turns NaN into integers when it sorts an RDM by its descriptor
SORTING = pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")


def names(n):
    return [f"image_{place:02d}" for place in range(n)]


def trials(stimuli=6, voxels=12, seed=0, length=4.0, signal=1.0):
    """Draw patterns in noise that is correlated between voxels; each stimulus once a session."""
    rng = np.random.default_rng(seed)
    stimulus = np.concatenate([rng.permutation(stimuli) for _ in range(SESSIONS)])
    session = np.repeat(np.arange(SESSIONS), stimuli)
    run = session * RUNS + np.tile(np.arange(stimuli) * RUNS // stimuli, SESSIONS)
    truth = signal * rng.standard_normal((stimuli, voxels))
    return truth[stimulus] + correlated(rng, len(stimulus), voxels, length), stimulus, session, run


def correlated(rng, count, voxels, length):
    apart = np.abs(np.subtract.outer(np.arange(voxels), np.arange(voxels)))
    covariance = np.exp(-apart / length) + 0.05 * np.eye(voxels)
    return rng.standard_normal((count, voxels)) @ np.linalg.cholesky(covariance).T


def dataset(patterns, stimulus, fold):
    from rsatoolbox.data import Dataset

    labels = {"stimulus": [f"{place:02d}" for place in stimulus], "fold": list(fold)}
    return Dataset(patterns, obs_descriptors=labels)


def loops(patterns, stimulus, fold):
    """Average over every pair of trials of different folds, one by one."""
    n, voxels = stimulus.max() + 1, patterns.shape[1]
    similarity = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            products = [
                sum(float(x) * float(y) for x, y in zip(patterns[a], patterns[b], strict=True))
                for a in range(len(stimulus))
                for b in range(len(stimulus))
                if stimulus[a] == i and stimulus[b] == j and fold[a] != fold[b]
            ]
            similarity[i, j] = sum(products) / len(products)
    return [
        (similarity[i, i] + similarity[j, j] - 2 * similarity[i, j]) / voxels
        for i in range(n)
        for j in range(i + 1, n)
    ]


def test_euclidean_rdm_equals_scipy_and_rsatoolbox():
    from rsatoolbox.data import Dataset
    from rsatoolbox.rdm import calc_rdm

    x = np.random.default_rng(0).standard_normal((8, 15)).astype(np.float32)
    rdm = euclidean_rdm(x, ids=names(8))
    np.testing.assert_allclose(rdm, pdist(x.astype(float)) ** 2 / 15, atol=1e-14)
    theirs = calc_rdm(Dataset(x.astype(float)), method="euclidean").get_vectors()[0]
    np.testing.assert_allclose(rdm, theirs, atol=1e-13)


@SORTING
def test_balanced_folds_give_rsatoolbox_leave_one_out_crossnobis():
    from rsatoolbox.rdm import calc_rdm

    x, stimulus, session, _ = trials()
    rdm = crossnobis_rdm(x, stimulus, session, ids=names(6), normalise=False)
    data = dataset(x, stimulus, session)
    theirs = calc_rdm(data, method="crossnobis", descriptor="stimulus", cv_descriptor="fold")
    np.testing.assert_allclose(rdm, theirs.get_vectors()[0], atol=1e-13)


@SORTING
def test_whitened_patterns_give_rsatoolbox_crossnobis_with_a_noise_precision():
    from rsatoolbox.data.noise import prec_from_measurements
    from rsatoolbox.rdm import calc_rdm

    x, stimulus, session, _ = trials()
    data = dataset(x, stimulus, session)
    precision = prec_from_measurements(data, "stimulus", method="shrinkage_eye")
    theirs = calc_rdm(
        data, method="crossnobis", descriptor="stimulus", cv_descriptor="fold", noise=precision
    )
    white = x @ np.linalg.cholesky(precision)
    rdm = crossnobis_rdm(white, stimulus, session, ids=names(6), normalise=False)
    np.testing.assert_allclose(rdm, theirs.get_vectors()[0], atol=1e-12)


@SORTING
def test_folds_with_few_stimuli_equal_plain_loops_and_rsatoolbox():
    from rsatoolbox.rdm.calc_unbalanced import calc_rdm_unbalanced

    x, stimulus, _, run = trials()
    rdm = crossnobis_rdm(x, stimulus, run, ids=names(6), normalise=False)
    np.testing.assert_allclose(rdm, loops(x, stimulus, run), atol=1e-13)
    # it takes stimuli in the order in which they first occur
    order = np.argsort(stimulus, kind="stable")
    data = dataset(x[order], stimulus[order], run[order])
    theirs = calc_rdm_unbalanced(
        data, method="crossnobis", descriptor="stimulus", cv_descriptor="fold"
    )
    np.testing.assert_allclose(rdm, theirs.get_vectors()[0], atol=1e-12)


def test_stimuli_that_were_shown_unequally_often_equal_plain_loops():
    x, stimulus, session, _ = trials()
    kept = np.delete(np.arange(len(x)), [0, 7, 8])
    sample = (x[kept], stimulus[kept], session[kept])
    rdm = crossnobis_rdm(*sample, ids=names(6), normalise=False)
    np.testing.assert_allclose(rdm, loops(*sample), atol=1e-13)


@pytest.mark.parametrize("voxels", [4, 12, 60])
def test_normalisation_is_by_the_precision_of_rsatoolbox(voxels):
    from rsatoolbox.data.noise import prec_from_unbalanced

    x, stimulus, session, _ = trials(voxels=voxels)
    noise, freedom = residuals(x, stimulus)
    precision = prec_from_unbalanced(
        dataset(x, stimulus, session), "stimulus", None, "shrinkage_eye"
    )
    np.testing.assert_allclose(normalised(x, noise, freedom), x @ precision, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("voxels", [4, 12, 60])
def test_shrinkage_is_that_of_scikit_learn_but_for_the_degrees_of_freedom(voxels):
    from sklearn.covariance import ledoit_wolf

    x, stimulus, _, _ = trials(voxels=voxels)
    noise, freedom = residuals(x, stimulus)
    covariance, share = ledoit_wolf(noise, assume_centered=True)
    assert shrinkage(noise, noise @ noise.T) == pytest.approx(share, rel=1e-10)
    assert 0 < share < 1
    expected = np.linalg.solve(covariance * len(noise) / freedom, x.T).T
    np.testing.assert_allclose(normalised(x, noise, freedom), expected, rtol=1e-8, atol=1e-10)


def test_noise_without_structure_is_shrunk_to_its_mean_variance():
    from sklearn.covariance import ledoit_wolf_shrinkage

    # with these seeds the sample scatters more than the estimated error, or less
    noise = [np.random.default_rng(seed).standard_normal((20, 10)) for seed in range(10)]
    found = [shrinkage(x, x @ x.T) for x in noise]
    assert found == pytest.approx([ledoit_wolf_shrinkage(x, True) for x in noise])
    assert 1.0 in found
    assert min(found) < 1
    x = noise[found.index(1.0)]
    np.testing.assert_allclose(normalised(x, x, 20), x / np.mean(x**2), rtol=1e-12)


@pytest.mark.parametrize("voxels", [8, 40])
@pytest.mark.parametrize("folds", ["session", "run"])
def test_each_fold_is_normalised_by_the_residuals_of_the_others(voxels, folds):
    from rsatoolbox.data.noise import prec_from_unbalanced

    x, stimulus, session, run = trials(voxels=voxels)
    fold = session if folds == "session" else run
    products, pairs = np.zeros((6, 6)), np.zeros((6, 6))
    for label in set(fold):
        rest = fold != label
        data = dataset(x[rest], stimulus[rest], fold[rest])
        precision = prec_from_unbalanced(data, "stimulus", method="shrinkage_eye")
        for a in np.flatnonzero(~rest):
            for b in np.flatnonzero(rest):
                products[stimulus[a], stimulus[b]] += x[a] @ precision @ x[b]
                pairs[stimulus[a], stimulus[b]] += 1
    similarity = (products + products.T) / (pairs + pairs.T)
    own = np.diag(similarity)
    expected = (own[:, None] + own - 2 * similarity)[np.triu_indices(6, 1)] / voxels
    rdm = crossnobis_rdm(x, stimulus, fold, ids=names(6))
    np.testing.assert_allclose(rdm, expected, rtol=1e-8)


@pytest.mark.parametrize(("folds", "normalise"), [(2, True), (2, False), (3, True), (3, False)])
def test_pure_noise_gives_distances_around_zero_with_negative_ones(folds, normalise):
    rdms = []
    for seed in range(60):
        sample = trials(stimuli=8, voxels=40, seed=seed, signal=0)
        rdms.append(
            crossnobis_rdm(sample[0], sample[1], sample[folds], ids=names(8), normalise=normalise)
        )
    means = np.mean(rdms, axis=1)
    assert abs(means.mean()) < 4 * means.std(ddof=1) / np.sqrt(len(means))
    assert 0.3 < np.mean(np.array(rdms) < 0) < 0.7
    assert np.isfinite(rdms).all()


def test_one_precision_from_all_trials_would_add_to_every_distance():
    # the reason why the precision is estimated outside of each fold
    means = []
    for seed in range(20):
        x, stimulus, session, _ = trials(stimuli=8, voxels=40, seed=seed, signal=0)
        noise = normalised(np.eye(40), *residuals(x, stimulus))
        white = x @ np.linalg.cholesky((noise + noise.T) / 2)
        rdm = crossnobis_rdm(white, stimulus, session, ids=names(8), normalise=False)
        means.append(rdm.mean())
    assert np.mean(means) > 10 * np.std(means, ddof=1) / np.sqrt(len(means))


@pytest.mark.parametrize(("normalise", "share"), [(False, 0.02), (True, 0.1)])
def test_the_planted_distance_is_found_without_the_noise(normalise, share):
    # two stimuli that differ by 2 in every voxel, in independent noise of variance 1
    rng = np.random.default_rng(0)
    stimulus, fold = np.tile([0, 1, 2, 3], 10), np.repeat(np.arange(10), 4)
    found = []
    for _ in range(40):
        x = rng.standard_normal((40, 200))
        x[stimulus == 1] += 2
        found.append(crossnobis_rdm(x, stimulus, fold, ids=names(4), normalise=normalise))
    between, none = np.mean(found, axis=0)[[0, 5]]
    assert between == pytest.approx(4, rel=share)  # an estimated precision is a little too large
    assert none == pytest.approx(0, abs=0.02)
    x_mean = np.stack([x[stimulus == place].mean(axis=0) for place in range(4)])
    # averaged over 10 trials, noise adds 2 / 10 to the plain distance of every pair
    assert euclidean_rdm(x_mean, ids=names(4))[5] == pytest.approx(0.2, abs=0.06)


def test_an_offset_of_a_balanced_fold_does_not_count():
    x, stimulus, session, _ = trials()
    offset = np.random.default_rng(9).normal(0, 10, (SESSIONS, x.shape[1]))
    one, other = (
        crossnobis_rdm(patterns, stimulus, session, ids=names(6), normalise=False)
        for patterns in (x, x + offset[session])
    )
    np.testing.assert_allclose(one, other, atol=1e-11)
