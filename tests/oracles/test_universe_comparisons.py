"""The stimulus bootstrap of every comparison, against writing each resample out."""

import tracemalloc

import numpy as np
import pytest
from scipy.spatial.distance import squareform

from plain_comparisons import PLAIN, tau_a
from rulealign.errors import DataError
from rulealign.rsa.bootstrap.products import bootstrap_products
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.compare import convention_weights
from rulealign.rsa.comparisons import REGISTRY, comparison_class

N = 12
PAIRS = N * (N - 1) // 2
NAMES = list(REGISTRY)


def written_out(rdms, count, mask):
    """Repeat every stimulus as often as it was drawn; tell which pairs are of different ones."""
    drawn = np.repeat(np.arange(len(count)), count)
    first, second = drawn[np.array(np.triu_indices(len(drawn), 1))]
    kept = first != second
    if mask is not None:
        kept &= squareform(mask.astype(float))[first, second] > 0
    return np.array(
        [squareform(rdm.astype(float))[first, second] for rdm in np.atleast_2d(rdms)]
    ), kept


def rdms(kind, n_rdms, seed):
    values = np.random.default_rng(seed).random((n_rdms, PAIRS))
    return {
        "continuous": values,
        "far from 0": values + 5,
        "single precision": values.astype(np.float32),
        "rounded": values.round(1),
        "mostly equal": np.where(values < 0.45, 0.5, values.round(1)),
        "signed": (values - 0.5).round(1),
        "integers": (values * 5).astype(np.int64),
    }[kind]


def pairs_left(kind):
    left = np.random.default_rng(8).random(PAIRS) < 0.7
    return {"all": None, "some": left}[kind]


@pytest.mark.parametrize("pairs", ["all", "some"])
@pytest.mark.parametrize("kind", ["continuous", "far from 0", "single precision", "rounded"])
@pytest.mark.parametrize("name", NAMES)
def test_every_draw_is_the_comparison_of_the_resample_written_out(name, kind, pairs):
    models, brains, mask = rdms(kind, 3, seed=1), rdms("continuous", 2, seed=2), pairs_left(pairs)
    counts = resample_counts(N, draws=12, seed=3)
    found = comparison_class(name).sampled(models, brains, counts, mask=mask)
    for draw, count in enumerate(counts):
        ours, kept = written_out(models, count, mask)
        theirs, _ = written_out(brains, count, mask)
        places = [place[kept] for place in np.triu_indices(N, 1)]
        expected = [[PLAIN[name](a[kept], b[kept], *places) for b in theirs] for a in ours]
        np.testing.assert_allclose(found[draw], expected, atol=1e-10, rtol=0)


@pytest.mark.parametrize("brain_kind", ["continuous", "rounded", "mostly equal"])
@pytest.mark.parametrize("kind", ["rounded", "mostly equal", "signed", "integers"])
def test_tau_with_ties_counts_every_couple(kind, brain_kind):
    models, brains, mask = rdms(kind, 3, seed=4), rdms(brain_kind, 2, seed=5), pairs_left("some")
    counts = resample_counts(N, draws=12, seed=6)
    found = comparison_class("kendall_tau_a").sampled(models, brains, counts, mask=mask)
    for draw, count in enumerate(counts):
        ours, kept = written_out(models, count, mask)
        theirs, _ = written_out(brains, count, mask)
        expected = [[tau_a(a[kept], b[kept]) for b in theirs] for a in ours]
        np.testing.assert_allclose(found[draw], expected, atol=1e-15, rtol=0)


def test_tau_over_more_pairs_than_its_running_sums_have_in_one_level():
    # 60 stimuli drawn about 38 different times over: above 700 pairs; all once: 1770, two levels up
    n, rng = 60, np.random.default_rng(7)
    models, brains = rng.random((2, n * (n - 1) // 2)), rng.random((2, n * (n - 1) // 2)).round(2)
    counts = np.vstack([resample_counts(n, 2, 8), np.ones((1, n), dtype=int)])
    found = comparison_class("kendall_tau_a").sampled(models, brains, counts)
    for draw, count in enumerate(counts):
        ours, kept = written_out(models, count, None)
        theirs, _ = written_out(brains, count, None)
        expected = [[tau_a(a[kept], b[kept]) for b in theirs] for a in ours]
        np.testing.assert_allclose(found[draw], expected, atol=1e-15, rtol=0)


def test_a_resample_worked_out_by_hand():
    # stimuli 0 0 1 2 of 4: the pairs 01 01 02 02 12, stimulus 3 is not drawn, 00 is dropped
    #              01 02 03 12 13 23
    model = np.array([1, 2, 9, 3, 9, 0.0])  # 1 1 2 2 3: less the mean -.8 -.8 .2 .2 1.2
    brain = np.array([1, 3, 0, 2, 9, 5.0])  # 1 1 3 3 2: less the mean -1 -1 1 1 0
    counts = np.array([[2, 1, 1, 0]])
    # of 10 couples, 01 with 02 agree four times, 01 with 12 twice, 02 with 12 differ twice
    tau = comparison_class("kendall_tau_a").sampled(model, brain, counts).item()
    assert tau == pytest.approx((4 + 2 - 2) / 10, abs=1e-15)
    pearson = comparison_class("pearson").sampled(model, brain, counts).item()
    assert pearson == pytest.approx(2 / np.sqrt(2.8 * 4), abs=1e-15)
    cosine = comparison_class("cosine").sampled(model, brain, counts).item()
    assert cosine == pytest.approx((1 + 1 + 6 + 6 + 6) / np.sqrt(19 * 24), abs=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_threads_memory_and_other_models_change_no_bit(name):
    # 70 models are three sets of those that are treated together
    models, brains = rdms("continuous", 70, seed=1), rdms("rounded", 4, seed=2)
    counts = resample_counts(N, 20, seed=5)
    one = comparison_class(name).sampled(models, brains, counts, threads=1)
    assert np.array_equal(one, comparison_class(name).sampled(models, brains, counts, threads=3))
    assert np.array_equal(one, comparison_class(name).sampled(models, brains, counts, work_mb=0.1))
    few = comparison_class(name).sampled(models[40:43], brains, counts)
    np.testing.assert_allclose(few, one[:, 40:43], atol=1e-13)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_of_a_draw_are_means_over_subjects(name):
    models, brains = rdms("continuous", 3, seed=1), rdms("continuous", 4, seed=2)
    counts, weights = resample_counts(N, 6, seed=5), convention_weights(3)
    every = comparison_class(name).sampled(models, brains, counts)
    found = comparison_class(name).sampled(models, brains, counts, combine=weights)
    expected = np.stack([every[..., 3], every[..., :3].mean(axis=-1)], axis=-1)
    np.testing.assert_allclose(found, expected, atol=1e-14)
    if name == "spearman":
        assert np.array_equal(found, bootstrap_spearman(models, brains, counts, combine=weights))


@pytest.mark.parametrize("name", ["kendall_tau_a", "pearson", "whitened_pearson"])
def test_an_rdm_that_is_constant_over_a_resample_is_named(name):
    models = rdms("continuous", 3, seed=1)
    brains = np.ones((2, PAIRS)) + np.arange(2)[:, None]
    brains[:, 0] = 7  # differs in the pair of stimuli 0 and 1 only
    counts = np.ones((4, N), dtype=np.int64)
    counts[2, :2] = 0, 2
    with pytest.raises(DataError, match="brain RDM 0 is constant over the pairs of resample 2"):
        comparison_class(name).sampled(models, brains, counts)
    with pytest.raises(DataError, match="model RDM 1 is constant over the pairs of resample 2"):
        comparison_class(name).sampled(np.vstack([models[:1], brains]), models, counts)


@pytest.mark.parametrize("name", NAMES)
def test_an_rdm_beyond_the_first_few_is_named_by_its_own_number(name):
    models = rdms("continuous", 40, seed=1)
    models[35] = np.where(np.arange(PAIRS) == 0, 7, 0)  # more than 0 for stimuli 0 and 1 only
    counts = np.ones((3, N), dtype=np.int64)
    counts[1, :2] = 0, 2
    with pytest.raises(DataError, match="model RDM 35 is constant over the pairs of resample 1"):
        comparison_class(name).sampled(models, rdms("continuous", 2, seed=2), counts)


def test_other_faults_are_named():
    models, counts = rdms("continuous", 2, seed=1), np.ones((2, N), dtype=np.int64)
    holed = np.where(np.arange(PAIRS) == 5, np.nan, models)
    for name in NAMES:
        with pytest.raises(DataError, match="do not fit 11 counted stimuli"):
            comparison_class(name).sampled(models, models, counts[:, :-1])
        with pytest.raises(DataError, match="model RDM 0 has dissimilarities that are NaN"):
            comparison_class(name).sampled(holed, models, counts)


@pytest.mark.parametrize(("whitened", "threads"), [(True, 1), (True, 3), (False, 1)])
@pytest.mark.parametrize("n_brains", [1, 12])
def test_the_stated_memory_holds_for_any_number_of_models(whitened, threads, n_brains):
    # as the docstring says: 32 bytes a pair for each of 32 models and each brain, besides what
    # weighting the brains and whitening take in each thread
    n = 90
    pairs = n * (n - 1) // 2
    stated = 8 * pairs * (4 * (32 + n_brains) + threads * (n_brains + 10) + 20)
    rng = np.random.default_rng(2)
    models, brains = rng.random((100, pairs), dtype=np.float32), rng.random((n_brains, pairs))
    counts, how = resample_counts(n, 6, seed=4), {"centred": True, "whitened": whitened}
    bootstrap_products(models[:2], brains, counts, **how)
    tracemalloc.start()
    bootstrap_products(models, brains, counts, threads=threads, **how)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (0.75 if whitened else 0.4) * stated < peak < stated
