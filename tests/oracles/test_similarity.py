"""Comparisons of RDMs against scipy, plain loops and cases worked out by hand."""

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from rulealign.errors import DataError
from rulealign.rsa import similarity
from rulealign.rsa.comparisons import COMPARISONS
from rulealign.rsa.similarity import cosine_matrix, kendall_tau_a_matrix, pearson_matrix

N = 9
PAIRS = N * (N - 1) // 2
KINDS = ["continuous", "rounded", "mostly equal", "negative"]
EVERY = pytest.mark.parametrize("name", sorted(COMPARISONS))


def rdms(kind, n_rdms, seed):
    values = np.random.default_rng(seed).random((n_rdms, PAIRS))
    return {
        "continuous": values,
        "rounded": values.round(1),
        "mostly equal": np.where(values < 0.7, 0.5, values.round(1)),
        "negative": values - 0.6,
    }[kind]


def plain_tau_a(one, other):
    # couples of pairs that both order alike, less those ordered oppositely, over all couples
    total = 0
    for a in range(len(one)):
        for b in range(a):
            total += np.sign(one[a] - one[b]) * np.sign(other[a] - other[b])
    return total / (len(one) * (len(one) - 1) / 2)


def plain_cosine(one, other):
    return np.dot(one, other) / np.sqrt(np.dot(one, one) * np.dot(other, other))


PLAIN = {
    "spearman": lambda one, other: spearmanr(one, other).statistic,
    "kendall_tau_a": plain_tau_a,
    "pearson": lambda one, other: pearsonr(one, other).statistic,
    "cosine": plain_cosine,
}


@pytest.mark.parametrize("some_pairs", [False, True], ids=["all pairs", "masked"])
@pytest.mark.parametrize("brain_kind", KINDS)
@pytest.mark.parametrize("model_kind", KINDS)
@pytest.mark.parametrize("name", sorted(PLAIN))
def test_every_comparison_equals_its_definition(name, model_kind, brain_kind, some_pairs):
    models, brains = rdms(model_kind, 4, seed=1), rdms(brain_kind, 3, seed=2)
    mask = np.random.default_rng(3).random(PAIRS) < 0.6 if some_pairs else None
    found = COMPARISONS[name](models, brains, mask=mask)
    taken = np.flatnonzero(mask) if some_pairs else np.arange(PAIRS)
    expected = [[PLAIN[name](model[taken], brain[taken]) for brain in brains] for model in models]
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)


def test_tau_a_without_ties_is_scipys_tau():
    models, brains = rdms("continuous", 3, seed=1), rdms("negative", 2, seed=2)
    expected = [[kendalltau(model, brain).statistic for brain in brains] for model in models]
    np.testing.assert_allclose(kendall_tau_a_matrix(models, brains), expected, atol=1e-14)


def test_tau_a_worked_out_by_hand():
    # 6 couples: alike 12 13 14 (and 24: 2 < 4, 5 < 9), oppositely 34; 23 is tied in the model
    model, brain = np.array([1, 2, 2, 4.0]), np.array([0, 5, 10, 9.0])
    with pytest.raises(DataError, match="no number of stimuli has 4 pairs"):
        COMPARISONS["whitened_cosine"](model, brain)
    assert kendall_tau_a_matrix(model, brain).item() == (4 - 1) / 6
    assert kendall_tau_a_matrix(model, model).item() == 5 / 6  # ties cost the model


def test_tau_a_is_exact_at_the_size_of_the_largest_study():
    # of 258,840 pairs in order, a block of k is reversed: k (k - 1) / 2 couples are opposite
    n, k = 258_840, 101_001
    order = np.arange(n)
    moved = np.concatenate([order[:k][::-1], order[k:]])
    couples = n * (n - 1) // 2
    expected = (couples - 2 * (k * (k - 1) // 2)) / couples
    assert kendall_tau_a_matrix(order, moved).item() == expected
    coarse = order // 1000  # 258 groups of 1,000 and one of 840
    tied = 258 * (1000 * 999 // 2) + 840 * 839 // 2
    assert kendall_tau_a_matrix(order, coarse).item() == (couples - tied) / couples


@EVERY
def test_treating_models_in_sets_changes_nothing(name, monkeypatch):
    models, brains = rdms("rounded", 7, seed=1), rdms("continuous", 2, seed=2)
    at_once = COMPARISONS[name](models, brains)
    monkeypatch.setattr(similarity, "_WORK_BYTES", 2 * 8 * PAIRS)
    monkeypatch.setattr("rulealign.rsa.compare._WORK_BYTES", 2 * 8 * PAIRS)
    np.testing.assert_allclose(COMPARISONS[name](models, brains), at_once, atol=1e-14)


@EVERY
def test_an_rdm_compared_with_itself_and_its_opposite(name):
    model = rdms("continuous", 1, seed=1)
    assert COMPARISONS[name](model, model).item() == pytest.approx(1, abs=1e-12)
    assert COMPARISONS[name](model, -model).item() == pytest.approx(-1, abs=1e-12)


@EVERY
@pytest.mark.parametrize("some_pairs", [False, True], ids=["all pairs", "masked"])
def test_the_order_of_stimuli_does_not_matter(name, some_pairs):
    from scipy.spatial.distance import squareform

    mask = np.random.default_rng(3).random(PAIRS) < 0.6 if some_pairs else np.ones(PAIRS, bool)
    order = np.random.default_rng(4).permutation(N)

    def moved(rdm):
        return squareform(squareform(rdm)[np.ix_(order, order)])

    model, brain = rdms("rounded", 1, seed=1)[0], rdms("continuous", 1, seed=2)[0]
    expected = COMPARISONS[name](model, brain, mask=mask)
    found = COMPARISONS[name](moved(model), moved(brain), mask=moved(mask))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_changes_a_comparison_and_what_does_not():
    model, brain = rdms("continuous", 1, seed=1), rdms("continuous", 1, seed=2)
    np.testing.assert_allclose(
        pearson_matrix(3 * model + 7, brain), pearson_matrix(model, brain), atol=1e-13
    )
    np.testing.assert_allclose(
        cosine_matrix(3 * model, brain), cosine_matrix(model, brain), atol=1e-13
    )
    # why a cosine is not for dissimilarities with a large mean: any two are alike
    assert cosine_matrix(model + 7, brain + 7).item() > 0.99
    np.testing.assert_allclose(
        kendall_tau_a_matrix(np.exp(model), brain), kendall_tau_a_matrix(model, brain), atol=1e-15
    )


@EVERY
def test_an_rdm_that_is_not_finite_is_named(name):
    models, brains = rdms("continuous", 3, seed=1), rdms("continuous", 2, seed=2)
    models[1, 4] = np.nan
    names = ["first", "second", "third"]
    with pytest.raises(DataError, match=r"^second has dissimilarities that are NaN or infinite"):
        COMPARISONS[name](models, brains, model_names=names)
    brains[1, 0] = np.inf
    with pytest.raises(DataError, match=r"^other has .* NaN or infinite"):
        COMPARISONS[name](models[:1], brains, brain_names=["one", "other"])


@EVERY
def test_different_numbers_of_pairs_are_refused(name):
    with pytest.raises(DataError, match="models' RDMs have 36 pairs, the brains' 35"):
        COMPARISONS[name](rdms("continuous", 1, 1), rdms("continuous", 1, 2)[:, :-1])


@pytest.mark.parametrize("name", ["spearman", "kendall_tau_a", "pearson", "whitened_pearson"])
def test_an_rdm_that_is_constant_over_the_pairs_compared_is_named(name):
    models, brains = rdms("continuous", 3, seed=1), rdms("continuous", 2, seed=2)
    mask = np.arange(PAIRS) < 20
    models[2, :20] = 0.1  # its mean is not exactly 0.1
    assert COMPARISONS[name](models, brains).shape == (3, 2)
    with pytest.raises(DataError, match="third is constant over the pairs compared"):
        COMPARISONS[name](models, brains, mask=mask, model_names=["first", "second", "third"])


@pytest.mark.parametrize("name", ["cosine", "whitened_cosine"])
def test_a_zero_rdm_has_no_cosine_and_a_constant_one_has(name):
    models, brains = rdms("continuous", 2, seed=1), rdms("continuous", 1, seed=2)
    models[0] = 0.5
    assert 0 < COMPARISONS[name](models, brains)[0, 0] <= 1
    models[1] = 0
    with pytest.raises(DataError, match="model RDM 1 is zero for all pairs compared"):
        COMPARISONS[name](models, brains)


@pytest.mark.parametrize("name", sorted(set(COMPARISONS) - {"spearman"}))
def test_too_few_pairs_are_refused(name):
    models, mask = rdms("continuous", 1, seed=1), np.arange(PAIRS) < 2
    with pytest.raises(DataError, match="at least 3 pairs, not 2"):
        COMPARISONS[name](models, models, mask=mask)
    with pytest.raises(DataError, match="a mask of float64"):
        COMPARISONS[name](models, models, mask=mask.astype(float))
