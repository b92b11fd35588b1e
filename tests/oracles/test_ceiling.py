"""Noise ceilings against a plain loop, rsatoolbox and the published 92 images."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import pearsonr, rankdata, spearmanr

from rulealign.errors import DataError
from rulealign.plan.settings.scores import NullSettings
from rulealign.rsa import ceiling_table as table_module
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.ceiling import nili_bounds, null_bounds, raw_bounds
from rulealign.rsa.ceiling_table import ceiling_table


def people(n_subjects=5, n_stimuli=10, noise=1.0, seed=0):
    rng = np.random.default_rng(seed)
    n_pairs = n_stimuli * (n_stimuli - 1) // 2
    return rng.random(n_pairs) + noise * rng.random((n_subjects, n_pairs))


def plain_bounds(subjects):
    """Rank, average and correlate in plain loops: lower, upper, and the upper of any model."""
    ranked = [rankdata(one) for one in subjects]
    lower = [
        spearmanr(one, np.sum([*ranked[:s], *ranked[s + 1 :]], axis=0)).statistic
        for s, one in enumerate(ranked)
    ]
    upper = [spearmanr(one, np.sum(ranked, axis=0)).statistic for one in ranked]
    best = np.mean([(one - one.mean()) / one.std() for one in ranked], axis=0)
    return np.mean(lower), np.mean(upper), np.mean([pearsonr(one, best)[0] for one in ranked])


def plain_raw_bounds(subjects):
    lower = [
        spearmanr(one, np.mean([*subjects[:s], *subjects[s + 1 :]], axis=0)).statistic
        for s, one in enumerate(subjects)
    ]
    upper = [spearmanr(one, np.mean(subjects, axis=0)).statistic for one in subjects]
    return np.mean(lower), np.mean(upper)


def mirror_rdms(mirror, roi):
    squares = np.load(mirror / "cichy92" / f"fmri_{roi}_RDMs.npz")["Net_RDM"]
    return np.stack([squareform(square, checks=False) for square in squares])


def test_bounds_equal_a_plain_loop():
    assert nili_bounds(people()) == pytest.approx(plain_bounds(people()), abs=1e-13)


def test_bounds_equal_a_plain_loop_with_ties():
    tied = np.round(people(n_subjects=4) * 4) / 4
    assert nili_bounds(tied) == pytest.approx(plain_bounds(tied), abs=1e-13)


def test_bounds_of_two_subjects_are_known():
    one, other = people(n_subjects=2)
    lower, upper, _ = nili_bounds(np.stack([one, other]))
    assert lower == pytest.approx(spearmanr(one, other).statistic, abs=1e-13)
    assert upper > lower


def test_bounds_equal_rsatoolbox():
    from rsatoolbox.inference import boot_noise_ceiling
    from rsatoolbox.rdm import RDMs

    theirs = boot_noise_ceiling(RDMs(people() ** 4), method="spearman")
    found = nili_bounds(people() ** 4)
    assert found[:2] == pytest.approx([float(bound) for bound in theirs], abs=1e-12)
    assert abs(raw_bounds(people() ** 4, scaled=False)[0] - found.lower) > 1e-3


def test_raw_bounds_equal_a_plain_loop_scaled_or_not():
    louder = people(n_subjects=4) * np.array([[1], [1], [1], [9]])
    found = raw_bounds(louder, scaled=False)
    assert found == pytest.approx(plain_raw_bounds(louder), abs=1e-13)
    equal = louder / np.sqrt((louder**2).mean(axis=1))[:, None]
    scaled = raw_bounds(louder, scaled=True)
    assert scaled == pytest.approx(plain_raw_bounds(equal), abs=1e-13)
    assert scaled != pytest.approx(found, abs=1e-3)


def best_of_many(subjects, models):
    return max(np.mean([spearmanr(model, one).statistic for one in subjects]) for model in models)


@pytest.mark.parametrize("seed", range(5))
def test_no_model_beats_the_bound_that_holds_for_it(seed):
    rng = np.random.default_rng(seed)
    truth = rng.random(45)
    # a subject with three times the noise, and of another scale, must not pull a bound down
    noise = np.array([[0.5], [0.5], [0.5], [1.5]]) * rng.normal(size=(4, 45))
    subjects = (truth + noise) * np.array([[1], [2], [1], [30]])
    bounds = nili_bounds(subjects)
    mean = np.mean([rankdata(one) for one in subjects], axis=0)
    without_ties = [truth, mean, *(mean + rng.normal(0, 5, (200, 45)))]
    steps = ([0.5], [0.2, 0.6], [0.8])
    with_ties = [np.digitize(mean, np.quantile(mean, edges)) for edges in steps]
    assert best_of_many(subjects, without_ties) <= bounds.upper + 1e-12
    assert best_of_many(subjects, [*without_ties, *with_ties]) <= bounds.upper_any_model + 1e-12


def test_a_true_category_model_beats_the_ranked_bound_and_not_the_other():
    first, second = np.triu_indices(20, 1)
    categories = ((first < 10) != (second < 10)).astype(float)
    subjects = categories + 0.6 * np.random.default_rng(0).normal(size=(40, 190))
    reached = best_of_many(subjects, [categories])
    bounds = nili_bounds(subjects)
    assert bounds.upper < reached <= bounds.upper_any_model


def test_null_equals_permuting_whole_matrices_plainly():
    subjects = people()
    rng = np.random.default_rng(7)
    for null in null_bounds(subjects, draws=3, seed=7):
        orders = rng.permuted(np.tile(np.arange(10), (5, 1)), axis=1)
        shuffled = [
            squareform(squareform(rdm)[np.ix_(order, order)])
            for rdm, order in zip(subjects, orders, strict=True)
        ]
        np.testing.assert_allclose(null, plain_bounds(shuffled)[:2], atol=1e-13)


def test_null_of_the_lower_bound_is_centred_and_that_of_the_upper_is_not():
    # the upper bound's null: each subject is 1/N of the mean, so rho is about 1/sqrt(N)
    lower, upper = null_bounds(people(n_subjects=4, n_stimuli=30), draws=200, seed=1).mean(axis=0)
    assert abs(lower) < 0.02
    assert upper == pytest.approx(1 / np.sqrt(4), abs=0.05)


def brain(rdms, n_stimuli):
    ids = [f"image_{place}" for place in range(n_stimuli)]
    subjects = [str(place) for place in range(len(rdms))]
    return BrainRdms("IT", subjects, ids, rdms, "1 - Pearson", "simulated", 0)


SETTINGS = NullSettings(study_seed=1, null_draws=200, interval=0.95)


def test_subjects_that_agree_are_informative():
    row = ceiling_table(brain(people(n_stimuli=20, noise=0.5), 20), SETTINGS).iloc[0]
    assert row["informative"]
    assert row["lower"] > row["null_lower_high"]


def test_subjects_that_agree_by_chance_are_not_informative():
    chance = np.random.default_rng(3).random((3, 190))
    row = ceiling_table(brain(chance, 20), SETTINGS).iloc[0]
    assert not row["informative"]
    assert row["upper"] > 0.4  # and yet the upper bound looks fine by itself


@pytest.mark.parametrize(
    ("lower", "upper", "informative"),
    [(0.3, 0.6, True), (0.05, 0.6, False), (0.3, 0.45, True), (0.05, 0.45, False)],
)
def test_the_lower_bound_must_be_clear_of_its_null(monkeypatch, lower, upper, informative):
    null = np.column_stack([np.linspace(-0.1, 0.1, 200), np.linspace(0.4, 0.5, 200)])
    monkeypatch.setattr(
        table_module, "nili_bounds", lambda *_: table_module.Bounds(lower, upper, upper)
    )
    monkeypatch.setattr(table_module, "null_bounds", lambda *_: null)
    row = ceiling_table(brain(people(n_stimuli=20), 20), SETTINGS).iloc[0]
    assert row["informative"] == informative


def test_three_subjects_that_agree_are_informative_though_their_upper_bound_is_not_clear():
    rng = np.random.default_rng(0)
    three = rng.random(1770) + 0.9 * rng.random((3, 1770))
    row = ceiling_table(brain(three, 60), SETTINGS).iloc[0]
    assert row["informative"]


def test_too_few_permutations_for_the_interval_are_refused():
    with pytest.raises(DataError, match=r"needs at least 40 draws, not 39; raise .*null_draws"):
        ceiling_table(brain(people(n_stimuli=20), 20), replace(SETTINGS, null_draws=39))


def test_interval_of_the_null_is_central():
    rdms = people(n_stimuli=20)
    row = ceiling_table(brain(rdms, 20), replace(SETTINGS, interval=0.8)).iloc[0]
    wider = ceiling_table(brain(rdms, 20), replace(SETTINGS, interval=0.98)).iloc[0]
    assert row["null_upper_mean"] < row["null_upper_high"] < wider["null_upper_high"]


@pytest.mark.mirror
@pytest.mark.parametrize(
    ("roi", "raw", "ranked"),
    [
        ("EVC", (0.2389, 0.3856), (0.242, 0.3917, 0.399)),
        ("IT", (0.4486, 0.5346), (0.453, 0.5422, 0.549)),
    ],
)
def test_bounds_of_the_92_images_are_the_published_ones(mirror, roi, raw, ranked):
    rdms = mirror_rdms(mirror, roi)
    assert raw_bounds(rdms, scaled=False) == pytest.approx(raw, abs=1e-4)
    assert nili_bounds(rdms) == pytest.approx(ranked, abs=5e-4)


@pytest.mark.mirror
def test_null_of_the_92_images_lies_high_for_the_upper_bound_only(mirror):
    lower, upper = null_bounds(mirror_rdms(mirror, "EVC"), draws=60, seed=2).mean(axis=0)
    assert abs(lower) < 0.01
    assert upper == pytest.approx(1 / np.sqrt(15), abs=0.01)


def test_a_mean_without_any_order_has_no_bound_and_is_named():
    # the mean of an RDM and its opposite is the same everywhere, but for rounding
    one, other = people(n_subjects=2)
    for bounds in (nili_bounds, lambda rdms: raw_bounds(rdms, scaled=False)):
        with pytest.raises(DataError, match="the mean of all subjects but number 3 is constant"):
            bounds(np.stack([one, 1 - one, other]))
    opposite = brain(np.stack([one, 1 - one]), 10)
    with pytest.raises(DataError, match="noise ceiling of IT: the mean over subjects is constant"):
        ceiling_table(opposite, SETTINGS)


def test_where_a_shuffle_leaves_no_order_the_null_is_missing_with_its_reason():
    # 4 stimuli, of which everybody tells two couples apart: where a shuffle gives three people all
    # three ways to make couples, their mean is the same for all pairs
    coarse = np.array([[1, 0, 0, 0, 0, 1], [1, 0, 0, 0, 0, 1], [0, 1, 0, 0, 1, 0.0]])
    row = ceiling_table(brain(coarse, 4), SETTINGS).iloc[0]
    bounds = [row[name] for name in ("lower", "upper", "upper_any_model")]
    assert bounds == pytest.approx(plain_bounds(coarse), abs=1e-13)
    names = ["null_lower_mean", "null_lower_high", "null_upper_mean", "null_upper_high"]
    assert row[names].isna().all()
    assert not row["informative"]
    assert row["reason"].startswith("there is no null of the noise ceiling: in shuffle ")
    assert row["reason"].endswith(
        "constant over the pairs compared. It needs more stimuli, or finer dissimilarities"
    )
    # under a mask, a shuffle that brings equal dissimilarities to its places
    steps = np.round(people(n_subjects=3, n_stimuli=6) * 1.2)
    mask = np.zeros(15, dtype=bool)
    mask[[0, 3, 7, 9, 13]] = True
    masked = ceiling_table(brain(steps, 6), SETTINGS, mask).iloc[0]
    assert "in shuffle" in masked["reason"]
    fine = ceiling_table(brain(people(n_stimuli=20), 20), SETTINGS).iloc[0]
    assert fine["reason"] == ""
