"""Whitened comparisons against the whole covariance matrix of pairs, written out and solved."""

import numpy as np
import pytest
from scipy.linalg import solve
from scipy.spatial.distance import pdist, squareform

from rulealign.errors import DataError
from rulealign.rsa.whitened import whitened_cosine_matrix, whitened_pearson_matrix

N = 11
PAIRS = N * (N - 1) // 2
BOTH = pytest.mark.parametrize("subtract_mean", [False, True], ids=["cosine", "pearson"])


def rdms(n_rdms, seed):
    return np.random.default_rng(seed).random((n_rdms, PAIRS)) - 0.2


def some_covariance(seed, n=N):
    root = np.random.default_rng(seed).standard_normal((n, n + 3))
    return root @ root.T / n + np.diag(np.linspace(0.1, 2, n))


def written_out(covariance):
    """Make the covariance of dissimilarities, a row and a column per pair."""
    contrasts = np.zeros((PAIRS, N))
    for pair, (one, other) in enumerate(zip(*np.triu_indices(N, 1), strict=True)):
        contrasts[pair, one], contrasts[pair, other] = 1, -1
    return (contrasts @ covariance @ contrasts.T) ** 2


def expected(models, brains, covariance, taken, subtract_mean):
    models, brains = models[:, taken], brains[:, taken]
    if subtract_mean:
        models = models - models.mean(axis=1, keepdims=True)
        brains = brains - brains.mean(axis=1, keepdims=True)
    inverse = solve(covariance[np.ix_(taken, taken)], np.eye(len(taken)), assume_a="pos")
    sizes = [np.sqrt(np.einsum("rp,pq,rq->r", rdm, inverse, rdm)) for rdm in (models, brains)]
    return models @ inverse @ brains.T / np.outer(*sizes)


def compare(subtract_mean, *arguments, **options):
    function = whitened_pearson_matrix if subtract_mean else whitened_cosine_matrix
    return function(*arguments, **options)


@BOTH
@pytest.mark.parametrize("share", [1, 0.9, 0.5, 0.15])
def test_over_all_and_over_some_pairs(share, subtract_mean):
    models, brains = rdms(4, seed=1), rdms(3, seed=2)
    mask = np.random.default_rng(3).random(PAIRS) < share
    taken = np.flatnonzero(mask)
    found = compare(subtract_mean, models, brains, mask=None if share == 1 else mask)
    whole = written_out(np.eye(N))
    np.testing.assert_allclose(
        found, expected(models, brains, whole, taken, subtract_mean), atol=1e-12
    )


@BOTH
def test_a_mask_may_leave_stimuli_without_pairs(subtract_mean):
    models, brains = rdms(4, seed=1), rdms(3, seed=2)
    first, second = np.triu_indices(N, 1)
    # stimuli 0-2 with 3-5 only: no triangle, so that some sums over stimuli are always equal
    mask = (first < 3) & (second >= 3) & (second < 6)
    found = compare(subtract_mean, models, brains, mask=mask)
    answer = expected(models, brains, written_out(np.eye(N)), np.flatnonzero(mask), subtract_mean)
    np.testing.assert_allclose(found, answer, atol=1e-12)


@BOTH
@pytest.mark.parametrize("factor", [1e-12, 1, 1e12])
def test_with_a_covariance_of_the_stimuli(factor, subtract_mean):
    models, brains, covariance = rdms(4, seed=1), rdms(3, seed=2), some_covariance(3)
    found = compare(subtract_mean, models, brains, covariance=factor * covariance)
    answer = expected(models, brains, written_out(covariance), np.arange(PAIRS), subtract_mean)
    np.testing.assert_allclose(found, answer, atol=1e-11)
    without = compare(subtract_mean, models, brains)
    assert np.abs(found - without).max() > 0.01


@BOTH
def test_equal_and_independent_noise_is_the_default(subtract_mean):
    models, brains = rdms(4, seed=1), rdms(3, seed=2)
    same = compare(subtract_mean, models, brains, covariance=3 * np.eye(N))
    np.testing.assert_allclose(compare(subtract_mean, models, brains), same, atol=1e-13)


def test_the_cosine_is_that_of_double_centred_matrices():
    # linear CKA of patterns is the whitened cosine of their squared Euclidean distances
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((N, 6)), rng.standard_normal((N, 4))
    grams = [
        (patterns - patterns.mean(axis=0)) @ (patterns - patterns.mean(axis=0)).T
        for patterns in (one, other)
    ]
    cka = np.sum(grams[0] * grams[1]) / np.prod([np.linalg.norm(gram) for gram in grams])
    distances = [pdist(patterns, "sqeuclidean") for patterns in (one, other)]
    assert whitened_cosine_matrix(*distances).item() == pytest.approx(cka, abs=1e-13)


def test_the_covariance_is_that_of_cross_validated_distances_of_noise():
    # what the function supposes of data, simulated: noise patterns in two independent runs
    rng, n, runs = np.random.default_rng(1), 5, 40_000
    covariance = some_covariance(2, n)
    noise = np.linalg.cholesky(covariance) @ rng.standard_normal((2, runs, n, 1))
    first, second = np.triu_indices(n, 1)
    one, other = (side[:, first, 0] - side[:, second, 0] for side in noise)
    found = np.cov((one * other).T)
    contrasts = np.eye(n)[first] - np.eye(n)[second]
    answer = (contrasts @ covariance @ contrasts.T) ** 2
    np.testing.assert_allclose(found, answer, atol=0.06 * answer.max())


def test_whitening_makes_noise_that_pairs_share_count_less():
    # one stimulus is noisy: all its distances are off together; its n - 1 pairs count as few
    model = squareform(np.ones((N, N)) - np.eye(N)) * rdms(1, seed=4)[0]
    off = model + 0.5 * (np.triu_indices(N, 1)[0] == 0)
    whitened = whitened_pearson_matrix(model, off).item()
    plain = np.corrcoef(model, off)[0, 1]
    assert whitened > plain + 0.05


def test_a_covariance_with_a_mask_is_refused():
    models = rdms(1, seed=1)
    with pytest.raises(DataError, match="needs all pairs.*Leave out the mask or the covariance"):
        whitened_cosine_matrix(models, models, mask=models[0] > 0, covariance=np.eye(N))


@pytest.mark.parametrize(
    ("covariance", "words"),
    [
        (np.eye(N - 1), r"shape \(10, 10\) is not symmetric and of 11 stimuli"),
        (np.triu(np.ones((N, N))), "not symmetric"),
        (np.full((N, N), np.nan), "not symmetric"),
        (np.ones((N, N)), "not positive definite.*shrink"),
        (-np.eye(N), "not positive definite"),
        (some_covariance(1)[:, :4] @ some_covariance(1)[:4], "not positive definite"),  # rank 4
    ],
)
def test_covariances_without_an_inverse_are_refused(covariance, words):
    with pytest.raises(DataError, match=words):
        whitened_cosine_matrix(rdms(1, 1), rdms(1, 2), covariance=covariance)


def test_rdms_of_no_number_of_stimuli_are_refused():
    with pytest.raises(DataError, match="no number of stimuli has 54 pairs"):
        whitened_cosine_matrix(rdms(1, 1)[:, 1:], rdms(1, 2)[:, 1:])


def test_720_stimuli_are_whitened_as_double_centring_says():
    n = 720
    rng = np.random.default_rng(0)
    models, brains = rng.random((2, n * (n - 1) // 2)), rng.random((2, n * (n - 1) // 2))
    centring = np.eye(n) - 1 / n
    doubly = [
        np.stack([(centring @ squareform(rdm) @ centring).ravel() for rdm in some])
        for some in (models, brains)
    ]
    sizes = [np.linalg.norm(some, axis=1) for some in doubly]
    answer = doubly[0] @ doubly[1].T / np.outer(*sizes)
    np.testing.assert_allclose(whitened_cosine_matrix(models, brains), answer, atol=1e-12)
