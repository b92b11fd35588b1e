"""Scores over time, peaks and their order: what a plain loop gives, and what was planted."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy.stats import kstest, spearmanr, t

from helpers import timed_files as made
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.rsa.bootstrap.subjects import subject_counts, subject_seed

DEPTHS = np.array(list(made.DEPTHS.values()))
ORDERED = [60.0, 80.0, 100.0, 140.0, 180.0]


def brains(peaks, subjects, noise, seed=0, jitter=0.0):
    """Make the RDMs of subjects, whose latencies scatter about the given ones."""
    rng, rdms = np.random.default_rng([seed, 2]), made.layer_rdms(seed)
    own = [np.array(peaks) + rng.normal(scale=jitter, size=len(peaks)) for _ in range(subjects)]
    return [made.peaking(rdms, one, rng, noise) for one in own]


def grid(table, statistic):
    """Take the rows of one descriptor, and of layers without any, in the order of depth."""
    rows = table[(table["statistic"] == statistic) & (table["descriptor"] != "global-average")]
    return rows.set_index("layer") if statistic != "rank_correlation" else rows.iloc[0]


def plain_courses(by_seed, subjects):
    """Correlate by scipy, one RDM at a time: shape (layers, subjects, times)."""
    each = [
        [[[spearmanr(rdm, at)[0] for at in one] for one in subjects] for rdm in rdms.values()]
        for rdms in by_seed.values()
    ]
    return np.mean(each, axis=0)


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    """Give networks of two seeds, five subjects with much noise, and the table of these."""
    by_seed = {seed: made.layer_rdms(seed) for seed in (1, 2)}
    subjects = brains(ORDERED, subjects=5, noise=0.6, seed=1)
    return by_seed, subjects, made.scored(tmp_path_factory.mktemp("noisy"), by_seed, subjects)


def test_scores_are_means_of_scipys_with_t_intervals_over_subjects(noisy):
    by_seed, subjects, table = noisy
    expected, rows = plain_courses(by_seed, subjects), grid(table, "score")
    assert set(table["generalises_to"]) == {"subjects"}
    for place, layer in enumerate(made.DEPTHS):
        own = rows.loc[layer]
        np.testing.assert_array_equal(own["time"], made.TIMES)
        np.testing.assert_allclose(own["value"], expected[place].mean(axis=0), atol=1e-9)
        error = expected[place].std(axis=0, ddof=1) / np.sqrt(5)
        reach = t.ppf(0.95, 4) * error
        np.testing.assert_allclose(own["high"] - own["value"], reach, atol=1e-9)
        np.testing.assert_allclose(own["value"] - own["low"], reach, atol=1e-9)


def test_peaks_and_their_intervals_are_those_of_a_loop_over_shared_resamples(noisy):
    by_seed, subjects, table = noisy
    expected, rows = plain_courses(by_seed, subjects), grid(table, "peak")
    counts = subject_counts(5, 200, subject_seed(5, 5))
    for place, layer in enumerate(made.DEPTHS):
        assert rows.loc[layer, "value"] == made.TIMES[expected[place].mean(axis=0).argmax()]
        drawn = []
        for draw in counts:
            members = [subject for subject in range(5) for _ in range(draw[subject])]
            drawn.append(made.TIMES[expected[place][members].mean(axis=0).argmax()])
        ends = rows.loc[layer, ["low", "high"]].astype(float)
        np.testing.assert_allclose(ends, np.percentile(drawn, [5, 95]))


def test_the_order_is_the_mean_of_scipys_rank_correlations_and_p_counts_permutations(noisy):
    by_seed, subjects, table = noisy
    peaks = made.TIMES[plain_courses(by_seed, subjects).argmax(axis=2)]
    each = [spearmanr(DEPTHS, peaks[:, subject])[0] for subject in range(5)]
    row = grid(table, "rank_correlation")
    assert row["value"] == pytest.approx(np.mean(each))
    reach = t.ppf(0.95, 4) * np.std(each, ddof=1) / np.sqrt(5)
    ends = np.mean(each) - reach, min(np.mean(each) + reach, 1)
    assert (row["low"], row["high"]) == pytest.approx(ends)
    null = [
        np.mean([spearmanr(DEPTHS[list(order)], peaks[:, one])[0] for one in range(5)])
        for order in permutations(range(5))
    ]
    assert row["p"] == pytest.approx(np.mean(np.abs(null) >= abs(np.mean(each)) - 1e-9))


@pytest.mark.parametrize(("peaks", "sign"), [(ORDERED, 1), (ORDERED[::-1], -1)])
def test_planted_peaks_and_their_order_are_found(tmp_path, peaks, sign):
    table = made.scored(tmp_path, {1: made.layer_rdms(3)}, brains(peaks, 6, noise=0.1, seed=3))
    found = grid(table, "peak").loc[list(made.DEPTHS), "value"]
    np.testing.assert_allclose(found, peaks, atol=20)  # one step
    row = grid(table, "rank_correlation")
    assert sign * row["value"] > 0.85
    assert row["p"] == pytest.approx(2 / 120)


def test_intervals_of_peaks_cover_the_peak_of_the_population():
    """Latencies of subjects scatter symmetrically about the planted ones."""
    covered = []
    for seed in range(50):
        subjects = brains(ORDERED, subjects=12, noise=0.4, seed=seed, jitter=70.0)
        rows = grid(made.rows_of(made.layer_rdms(seed), subjects), "peak").loc[list(made.DEPTHS)]
        covered += ((rows["low"] <= ORDERED) & (rows["high"] >= ORDERED)).tolist()
    assert 0.86 <= np.mean(covered) <= 0.98  # of 90%; times are steps of 20 ms


def test_without_an_order_p_is_uniform():
    found = []
    for seed in range(100):
        peaks = np.random.default_rng(seed).uniform(40, 200, size=len(DEPTHS))
        subjects = brains(peaks, subjects=3, noise=0.3, seed=seed)
        rows = made.rows_of(made.layer_rdms(seed), subjects)
        found.append(grid(rows, "rank_correlation")["p"])
    assert kstest(found, "uniform").pvalue > 0.01
    assert np.mean(np.array(found) <= 0.1) < 0.19


def test_of_two_subjects_intervals_are_over_resampled_stimuli(tmp_path):
    rdms, subjects = made.layer_rdms(4), brains(ORDERED, subjects=2, noise=0.3, seed=4)
    settings = replace(made.SETTINGS, bootstrap_draws=40)
    table = made.scored(tmp_path, {1: rdms}, subjects, settings)
    first, second = np.triu_indices(made.N, 1)
    drawn = []
    for counts in resample_counts(made.N, 40, bootstrap_seed(5, made.N)):
        pairs = np.repeat(np.arange(made.PAIRS), counts[first] * counts[second])
        of_subjects = [
            [spearmanr(rdms["conv2"][pairs], at[pairs])[0] for at in s] for s in subjects
        ]
        drawn.append(np.mean(of_subjects, axis=0))
    rows = grid(table, "score").loc["conv2"]
    np.testing.assert_allclose(rows[["low", "high"]].T, np.percentile(drawn, [5, 95], axis=0))
    peak = grid(table, "peak").loc["conv2"]
    ends = np.percentile(made.TIMES[np.argmax(drawn, axis=1)], [5, 95])
    np.testing.assert_allclose([peak["low"], peak["high"]], ends)
    assert peak["generalises_to"] == "stimuli"
    order = grid(table, "rank_correlation")
    assert order["value"] > 0.5
    assert np.isnan(order["low"])
    assert order["reason"] == "no interval over 2 subjects; it needs 3 or more"


def test_three_layers_have_no_rank_correlation_and_the_table_says_so(tmp_path):
    rdms = made.layer_rdms(0, ("conv1", "conv2", "fc1"))
    rng = np.random.default_rng(0)
    subjects = [made.peaking(rdms, [60, 80, 120], rng, 0.1) for _ in range(3)]
    order = grid(made.scored(tmp_path, {1: rdms}, subjects), "rank_correlation")
    assert order[["value", "low", "high", "p"]].isna().all()
    assert order["reason"] == "3 layers; a rank correlation needs 4 or more"


def test_each_descriptor_has_its_own_order(noisy):
    _, _, table = noisy
    rows = table[table["statistic"] == "rank_correlation"]
    assert rows["descriptor"].tolist() == ["global-average", "grid-2"]
    assert rows["layer"].isna().all()
