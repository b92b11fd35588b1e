"""Comparisons of RDMs against scipy, plain loops, V written out and cases worked out by hand."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist, squareform
from scipy.stats import kendalltau

from plain_comparisons import PLAIN
from rulealign.errors import ConfigurationError, DataError
from rulealign.rsa.comparisons import REGISTRY, comparison_class
from rulealign.rsa.unfit import naming

N = 10
PAIRS = N * (N - 1) // 2
FIRST, SECOND = np.triu_indices(N, 1)
KINDS = ["continuous", "rounded", "mostly equal", "negative"]
EVERY = pytest.mark.parametrize("name", sorted(REGISTRY))


def scores(name, *rdms_and_mask):
    return comparison_class(name).scores(*rdms_and_mask)


def rdms(kind, n_rdms, seed):
    values = np.random.default_rng(seed).random((n_rdms, PAIRS))
    return {
        "continuous": values,
        "rounded": values.round(1),
        "mostly equal": np.where(values < 0.7, 0.5, values.round(1)),
        "negative": values - 0.6,
    }[kind]


def plain(name, models, brains, at):
    """Compare all models with all brains over some pairs, by the definition."""
    places = FIRST[at], SECOND[at]
    return [[PLAIN[name](one[at], other[at], *places) for other in brains] for one in models]


def test_every_comparison_is_held_against_its_definition():
    assert set(PLAIN) == set(REGISTRY)


@pytest.mark.parametrize("share", [1, 0.6])
@pytest.mark.parametrize("brain_kind", KINDS)
@pytest.mark.parametrize("model_kind", KINDS)
@EVERY
def test_every_comparison_equals_its_definition(name, model_kind, brain_kind, share):
    models, brains = rdms(model_kind, 4, seed=1), rdms(brain_kind, 3, seed=2)
    mask = np.random.default_rng(3).random(PAIRS) < share
    found = scores(name, models, brains, None if share == 1 else mask)
    at = np.flatnonzero(mask)
    np.testing.assert_allclose(found, plain(name, models, brains, at), atol=1e-12, rtol=0)


def test_a_mask_may_leave_stimuli_without_pairs():
    # stimuli 0-2 with 3-5 only: no triangle, so that some sums over stimuli are always equal
    models, brains = rdms("negative", 4, seed=1), rdms("negative", 3, seed=2)
    mask = (FIRST < 3) & (SECOND >= 3) & (SECOND < 6)
    at = np.flatnonzero(mask)
    for name in ("whitened_cosine", "whitened_pearson"):
        answer = [
            [PLAIN[name](model[at], brain[at], FIRST[at], SECOND[at]) for brain in brains]
            for model in models
        ]
        np.testing.assert_allclose(scores(name, models, brains, mask), answer, atol=1e-12)


def test_tau_a_without_ties_is_scipys_tau():
    models, brains = rdms("continuous", 3, seed=1), rdms("negative", 2, seed=2)
    expected = [[kendalltau(model, brain).statistic for brain in brains] for model in models]
    np.testing.assert_allclose(scores("kendall_tau_a", models, brains), expected, atol=1e-14)


def test_tau_a_worked_out_by_hand():
    # 3 couples of the 3 pairs of 3 stimuli: 12 alike, 13 alike, 23 tied in the model
    model, brain = np.array([1, 2, 2.0]), np.array([0, 5, 10.0])
    assert scores("kendall_tau_a", model, brain).item() == 2 / 3
    assert scores("kendall_tau_a", model, model).item() == 2 / 3  # ties cost the model


def test_tau_a_is_exact_at_the_size_of_the_largest_study():
    # of 258,840 pairs in order, a block of k is reversed: k (k - 1) / 2 couples are opposite
    n, k = 258_840, 101_001
    order = np.arange(n)
    moved = np.concatenate([order[:k][::-1], order[k:]])
    couples = n * (n - 1) // 2
    expected = (couples - 2 * (k * (k - 1) // 2)) / couples
    coarse = order // 1000  # 258 groups of 1,000 and one of 840
    tied = 258 * (1000 * 999 // 2) + 840 * 839 // 2
    found = scores("kendall_tau_a", order, np.stack([moved, coarse]))[0]
    assert found.tolist() == [expected, (couples - tied) / couples]


def test_linear_cka_of_patterns_is_the_whitened_cosine_of_their_distances():
    rng = np.random.default_rng(0)
    patterns = rng.standard_normal((N, 6)), rng.standard_normal((N, 4))
    grams = [(one - one.mean(axis=0)) @ (one - one.mean(axis=0)).T for one in patterns]
    cka = np.sum(grams[0] * grams[1]) / np.prod([np.linalg.norm(gram) for gram in grams])
    distances = [pdist(one, "sqeuclidean") for one in patterns]
    assert scores("whitened_cosine", *distances).item() == pytest.approx(cka, abs=1e-13)


def test_the_covariance_is_that_of_cross_validated_distances_of_noise():
    # what whitening supposes of data, simulated: noise patterns in two independent runs
    rng, n, runs = np.random.default_rng(1), 5, 40_000
    first, second = np.triu_indices(n, 1)
    one, other = (side[:, first] - side[:, second] for side in rng.standard_normal((2, runs, n)))
    contrasts = np.eye(n)[first] - np.eye(n)[second]
    answer = (contrasts @ contrasts.T) ** 2
    np.testing.assert_allclose(np.cov((one * other).T), answer, atol=0.06 * answer.max())


def test_whitening_makes_noise_that_pairs_share_count_less():
    # one stimulus is noisy: all its distances are off together; its n - 1 pairs count as few
    model = rdms("continuous", 1, seed=4)[0]
    off = model + 0.5 * (FIRST == 0)
    assert scores("whitened_pearson", model, off).item() > np.corrcoef(model, off)[0, 1] + 0.05


@pytest.mark.slow
def test_720_stimuli_are_whitened_as_double_centring_says():
    n = 720
    one, other = np.random.default_rng(0).random((2, n * (n - 1) // 2))
    centring = np.eye(n) - 1 / n
    doubly = [(centring @ squareform(rdm) @ centring).ravel() for rdm in (one, other)]
    answer = doubly[0] @ doubly[1] / np.prod([np.linalg.norm(some) for some in doubly])
    assert scores("whitened_cosine", one, other).item() == pytest.approx(answer, abs=1e-12)


@EVERY
def test_an_rdm_compared_with_itself_and_its_opposite(name):
    model = rdms("continuous", 1, seed=1)
    assert scores(name, model, model).item() == pytest.approx(1, abs=1e-12)
    assert scores(name, model, -model).item() == pytest.approx(-1, abs=1e-12)


@EVERY
@pytest.mark.parametrize("some_pairs", [False, True], ids=["all pairs", "masked"])
def test_the_order_of_stimuli_does_not_matter(name, some_pairs):
    mask = np.random.default_rng(3).random(PAIRS) < 0.6 if some_pairs else np.ones(PAIRS, bool)
    order = np.random.default_rng(4).permutation(N)

    def moved(rdm):
        return squareform(squareform(rdm)[np.ix_(order, order)])

    model, brain = rdms("rounded", 1, seed=1)[0], rdms("continuous", 1, seed=2)[0]
    found = scores(name, moved(model), moved(brain), moved(mask))
    np.testing.assert_allclose(found, scores(name, model, brain, mask), atol=1e-12)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("pearson", lambda rdm: 3 * rdm + 7),
        ("cosine", lambda rdm: 3 * rdm),
        ("kendall_tau_a", np.exp),
        ("spearman", np.exp),
    ],
)
def test_what_does_not_change_a_comparison(name, change):
    model, brain = rdms("continuous", 1, seed=1), rdms("continuous", 1, seed=2)
    np.testing.assert_allclose(
        scores(name, change(model), brain), scores(name, model, brain), atol=1e-13
    )


def test_a_cosine_is_not_for_dissimilarities_with_a_large_mean():
    # any two are alike
    assert scores("cosine", rdms("continuous", 1, 1) + 7, rdms("continuous", 1, 2) + 7) > 0.99


@EVERY
def test_an_rdm_that_is_not_finite_is_named(name):
    models, brains = rdms("continuous", 3, seed=1), rdms("continuous", 2, seed=2)
    models[1, 4] = np.nan
    names = {"model": ["first", "second", "third"], "brain": ["one", "other"]}
    with (
        naming(**names),
        pytest.raises(DataError, match=r"RDM 1 has dissimilarities that are NaN or infinite"),
    ):
        scores(name, models, brains)
    brains[1, 0] = np.inf
    with pytest.raises(DataError, match=r"^other has .* NaN or infinite"), naming(**names):
        scores(name, models[:1], brains)


@EVERY
def test_rdms_of_other_stimuli_or_of_no_number_of_stimuli_are_refused(name):
    models, brains = rdms("continuous", 1, 1), rdms("continuous", 1, 2)
    with pytest.raises(DataError, match="models' RDMs have 45 pairs, the brains' 44"):
        scores(name, models, brains[:, :-1])
    with pytest.raises(DataError, match="no number of stimuli has 44 pairs"):
        scores(name, models[:, :-1], brains[:, :-1])
    with pytest.raises(DataError, match="a mask of float64"):
        scores(name, models, brains, np.ones(PAIRS))


@pytest.mark.parametrize("name", ["spearman", "kendall_tau_a", "pearson", "whitened_pearson"])
def test_an_rdm_that_is_constant_over_the_pairs_compared_is_named(name):
    models, brains = rdms("continuous", 3, seed=1), rdms("continuous", 2, seed=2)
    mask = np.arange(PAIRS) < 20
    models[2, :20] = 0.1  # its mean is not exactly 0.1
    assert scores(name, models, brains).shape == (3, 2)
    with pytest.raises(DataError, match="model RDM 2 is constant over the pairs"):
        scores(name, models, brains, mask)


@pytest.mark.parametrize("name", ["cosine", "whitened_cosine"])
def test_a_zero_rdm_has_no_cosine_and_a_constant_one_has(name):
    models, brains = rdms("continuous", 2, seed=1), rdms("continuous", 1, seed=2)
    models[0] = 0.5
    assert 0 < scores(name, models, brains)[0, 0] <= 1
    models[1] = 0
    with pytest.raises(DataError, match="model RDM 1 is constant .* has no direction"):
        scores(name, models, brains)


def test_a_comparison_that_does_not_exist_is_named():
    with pytest.raises(ConfigurationError, match=r"no comparison 'manhattan'; .*'kendall_tau_a'"):
        comparison_class("manhattan")
