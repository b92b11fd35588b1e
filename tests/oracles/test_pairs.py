"""Pairs in different runs, against plain loops, scipy and closed forms."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import rankdata, spearmanr

from resampled import written_out
from rulealign.plan.settings.scores import NullSettings
from rulealign.rsa import compare
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.ceiling import nili_bounds, null_bounds
from rulealign.rsa.ceiling_table import ceiling_table
from rulealign.rsa.compare import spearman_matrix
from rulealign.rsa.pairs import cross_run_mask
from rulealign.rsa.rdm import correlation_rdm

N = 12
PAIRS = N * (N - 1) // 2
IDS = [f"concept{place:03d}_01b.jpg" for place in range(N)]
MASK = np.random.default_rng(9).random(PAIRS) < 0.6


def shown(order, runs_per_session, trials_per_run):
    """List trials in the order of time: an image and another exemplar of its concept each."""
    rows = []
    for place, stimulus in enumerate(order):
        session, run = divmod(place // trials_per_run, runs_per_session)
        for name in (stimulus, stimulus.replace("_01b", "_02s")):
            rows.append((name, name.rpartition("_")[0], "train", session + 1, run + 1))
    rows = rows[::2] + rows[1::2]  # the others come later, and do not count
    table = pd.DataFrame(rows, columns=["stimulus", "concept", "trial_type", "session", "run"])
    table["trial_id"] = np.arange(len(table))
    return table


def test_a_mask_equals_looking_every_pair_up():
    rng = np.random.default_rng(0)
    # two runs a session: the first run of one session is not the first run of another
    tables = {name: shown(rng.permutation(IDS), 2, 3) for name in ("01", "02", "03")}
    expected = []
    for one, other in itertools.combinations(IDS, 2):
        different = []
        for table in tables.values():
            first, second = (table[table["stimulus"] == name].iloc[0] for name in (one, other))
            same = first["session"] == second["session"] and first["run"] == second["run"]
            different.append(not same)
        expected.append(all(different))
    mask = cross_run_mask(tables, IDS, "first-exemplar")
    assert mask.tolist() == expected
    assert 0 < mask.sum() < PAIRS - 12  # 4 runs of 3 take 12 pairs from each subject


def test_two_of_three_subjects_with_one_order_leave_as_many_pairs_as_in_things():
    # 720 images in the 10 runs of a session; 210,205 pairs are left in the real data
    ids = [f"concept{place:03d}_01b.jpg" for place in range(720)]
    rng = np.random.default_rng(1)
    shared = shown(rng.permutation(ids), 10, 72)
    same = 10 * 72 * 71 // 2
    mask = cross_run_mask({"01": shared, "02": shared.copy()}, ids, "first-exemplar")
    assert mask.sum() == 258_840 - same
    own = shown(rng.permutation(ids), 10, 72)
    mask = cross_run_mask({"01": shared, "02": shared, "03": own}, ids, "first-exemplar")
    assert mask.sum() == pytest.approx((258_840 - same) * (1 - same / 258_840), abs=500)


def rdms(n_rdms, seed, kind):
    # centred on 0: cross-validated distances may be negative
    values = np.random.default_rng(seed).normal(size=(n_rdms, PAIRS))
    return {"continuous": values, "ties": values.round(), "single": values.astype(np.float32)}[kind]


@pytest.mark.parametrize("kind", ["continuous", "ties", "single"])
def test_masked_scores_equal_scipy_on_the_pairs_alone(kind, monkeypatch):
    models, brains = rdms(5, 1, kind), rdms(3, 2, "ties")
    expected = [[spearmanr(m[MASK], b[MASK]).statistic for b in brains] for m in models]
    np.testing.assert_allclose(spearman_matrix(models, brains, mask=MASK), expected, atol=1e-13)
    monkeypatch.setattr(compare, "_WORK_BYTES", 8 * PAIRS * 2)  # two RDMs at a time
    np.testing.assert_allclose(spearman_matrix(models, brains, mask=MASK), expected, atol=1e-13)


@pytest.mark.parametrize("brain_kind", ["continuous", "ties"])
@pytest.mark.parametrize("kind", ["continuous", "ties", "single"])
def test_every_masked_draw_equals_writing_it_out_for_scipy(kind, brain_kind):
    models, brains = rdms(4, 1, kind), rdms(2, 2, brain_kind)
    counts = resample_counts(N, draws=25, seed=3)
    rho = bootstrap_spearman(models, brains, counts, mask=MASK, work_mb=0.001)
    for draw, count in enumerate(counts):
        expected = [
            [
                spearmanr(written_out(m, count, MASK), written_out(b, count, MASK)).statistic
                for b in brains
            ]
            for m in models
        ]
        np.testing.assert_allclose(rho[draw], expected, atol=1e-10, rtol=0)


def test_a_mask_of_all_pairs_is_no_mask_to_the_last_bit():
    models, brains, every = rdms(4, 1, "ties"), rdms(3, 2, "continuous"), np.ones(PAIRS, bool)
    counts = resample_counts(N, draws=10, seed=3)
    for function in (
        spearman_matrix,
        lambda m, b, mask: bootstrap_spearman(m, b, counts, mask=mask),
    ):
        one, other = function(models, brains, mask=every), function(models, brains, mask=None)
        np.testing.assert_array_equal(one, other)
    assert nili_bounds(brains, every) == nili_bounds(brains)
    one, other = null_bounds(brains, 5, 1, every), null_bounds(brains, 5, 1)
    np.testing.assert_allclose(one, other, atol=1e-14)


def plain_bounds(subjects):
    ranked = [rankdata(one) for one in subjects]
    lower = [
        spearmanr(one, np.sum([*ranked[:s], *ranked[s + 1 :]], axis=0)).statistic
        for s, one in enumerate(ranked)
    ]
    upper = [spearmanr(one, np.sum(ranked, axis=0)).statistic for one in ranked]
    return np.mean(lower), np.mean(upper)


@pytest.mark.parametrize("kind", ["continuous", "ties"])
def test_masked_bounds_and_their_null_equal_a_plain_loop(kind):
    subjects = rdms(4, 5, kind)
    expected = plain_bounds([one[MASK] for one in subjects])
    assert nili_bounds(subjects, MASK)[:2] == pytest.approx(expected, abs=1e-13)
    rng = np.random.default_rng(7)
    for null in null_bounds(subjects, 4, 7, MASK):
        orders = rng.permuted(np.tile(np.arange(N), (4, 1)), axis=1)
        shuffled = [
            squareform(squareform(rdm)[np.ix_(order, order)])[MASK]
            for rdm, order in zip(subjects, orders, strict=True)
        ]
        np.testing.assert_allclose(null, plain_bounds(shuffled), atol=1e-13)


def measured(rng, runs, offset, signal):
    """Simulate a subject's RDM: 300 voxels of noise, an offset per run, and a shared signal."""
    n = len(runs)
    patterns = rng.normal(size=(n, 300)) + signal
    patterns += offset * rng.normal(size=(runs.max() + 1, 300))[runs]
    return correlation_rdm(patterns, centred=False, ids=[str(place) for place in range(n)])


@pytest.fixture(scope="module")
def shared_order():
    """Give 84 stimuli in 12 runs, the same for 4 subjects: the runs, the mask and a function."""
    runs = np.repeat(np.arange(12), 7)
    first, second = np.triu_indices(84, 1)
    ids = [f"image_{place}" for place in range(84)]

    def people(offset, signal=0.0, seed=4):
        rng = np.random.default_rng(seed)
        subjects = np.stack([measured(rng, runs, offset, signal) for _ in range(4)])
        return BrainRdms("V1", list("1234"), ids, subjects, "1 - Pearson", "simulated", 1)

    return runs, runs[first] != runs[second], people


def test_run_noise_looks_like_agreement_on_all_pairs_and_not_across_runs(shared_order):
    _, mask, people = shared_order
    settings = NullSettings(study_seed=1, null_draws=40, interval=0.95)
    # nobody sees anything: truly there is no agreement
    every, across = (
        pd.concat([ceiling_table(people(0.5, seed=seed), settings, chosen) for seed in range(6)])
        for chosen in (None, mask)
    )
    assert (set(every["pairs"]), set(every["n_pairs"])) == ({"all"}, {84 * 83 // 2})
    assert (set(across["pairs"]), set(across["n_pairs"])) == ({"cross_run"}, {mask.sum()})
    assert every["informative"].all()
    assert across["informative"].sum() <= 1
    groups = [people(offset=1.0, seed=seed).rdms for seed in range(20)]
    lower = [[nili_bounds(group, chosen)[0] for chosen in (None, mask)] for group in groups]
    np.testing.assert_allclose(np.mean(lower, axis=0), [0.2, 0], atol=0.02)


def test_a_model_of_the_runs_scores_on_all_pairs_and_not_across_runs(shared_order):
    # a model that knows nothing but when a stimulus was shown
    runs, mask, people = shared_order
    time = runs + np.random.default_rng(0).normal(0, 0.3, len(runs))
    model = np.abs(np.subtract.outer(time, time))[np.triu_indices(84, 1)]
    subjects = np.concatenate([people(offset=1.0, seed=seed).rdms for seed in range(20)])
    assert spearman_matrix(model, subjects).mean() > 0.15
    assert abs(spearman_matrix(model, subjects, mask=mask).mean()) < 0.02


def test_what_subjects_truly_share_is_found_across_runs(shared_order):
    _, mask, people = shared_order
    signal = np.random.default_rng(2).normal(size=(84, 300))
    truth = correlation_rdm(signal, centred=False, ids=[str(place) for place in range(84)])
    quiet, noisy = people(0.0, signal).rdms, people(0.4, signal).rdms
    clean = spearman_matrix(truth, quiet, mask=mask).mean()
    assert clean > 0.4
    assert spearman_matrix(truth, noisy, mask=mask).mean() == pytest.approx(clean, abs=0.05)
