"""Planted faults in masks of pairs: each is refused and named, or changes no other score."""

import numpy as np
import pandas as pd
import pytest

import score_settings
from edited_h5 import edited_h5
from pairs_study import IDS, PAIRS, SCORES, SEEDS, brain_rdms, pairs_file, run, trials
from rulealign.errors import ConfigurationError, DataError, GuardError, StoreError
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.ceiling import nili_bounds, null_bounds
from rulealign.rsa.ceiling_table import roi_ceiling
from rulealign.rsa.compare import require_same_pairs_kind, spearman_matrix
from rulealign.rsa.pairs import cross_run_mask, read_pairs, write_pairs
from rulealign.rsa.tables import alignment_table
from rulealign.store import write_h5

MASK = np.random.default_rng(2).random(PAIRS) < 0.6


def spoilt(rdms, place, value):
    """Change what the mask leaves out of one RDM."""
    changed = rdms.copy()
    changed[place, ~MASK] = value
    return changed


@pytest.mark.parametrize("value", [1e9, np.nan])
@pytest.mark.parametrize("place", [0, 1, 3])
def test_what_a_mask_leaves_out_of_one_rdm_changes_no_score(place, value):
    # guard 30: the mask is the comparison's; no RDM brings its own, or leaves one to the next
    models, brains = np.random.default_rng(1).random((4, PAIRS)), brain_rdms()
    counts = resample_counts(len(IDS), 10, seed=1)
    for score in (
        lambda m, b: spearman_matrix(m, b, mask=MASK),
        lambda m, b: bootstrap_spearman(m, b, counts, mask=MASK, work_mb=0.001),
    ):
        np.testing.assert_array_equal(
            score(models, brains), score(spoilt(models, place, value), brains)
        )
        other = spoilt(brains, place % 3, value)
        np.testing.assert_array_equal(score(models, brains), score(models, other))
    assert nili_bounds(brains, MASK) == nili_bounds(spoilt(brains, place % 3, value), MASK)


def test_a_value_missing_within_the_mask_is_an_error_and_no_smaller_mask():
    models, brains = np.random.default_rng(1).random((4, PAIRS)), brain_rdms()
    models[2, np.flatnonzero(MASK)[5]] = np.nan
    counts = resample_counts(len(IDS), 5, seed=1)
    with pytest.raises(DataError, match="RDM 2 has dissimilarities that are NaN"):
        spearman_matrix(models, brains, mask=MASK)
    with pytest.raises(DataError, match="model RDM 2 has dissimilarities that are NaN"):
        bootstrap_spearman(models, brains, counts, mask=MASK)


def test_a_comparison_over_all_pairs_after_a_masked_one_is_over_all_pairs():
    models, brains = np.random.default_rng(1).random((4, PAIRS)), brain_rdms()
    counts = resample_counts(len(IDS), 5, seed=1)
    for score in (
        lambda mask: spearman_matrix(models, brains, mask=mask),
        lambda mask: bootstrap_spearman(models, brains, counts, mask=mask),
        lambda mask: null_bounds(brains, 3, 1, mask),
    ):
        before, masked, after, again = (score(mask) for mask in (None, MASK, None, MASK))
        np.testing.assert_array_equal(before, after)
        np.testing.assert_array_equal(masked, again)
        assert np.abs(before - masked).max() > 1e-3


@pytest.mark.parametrize("mask", [MASK[1:], MASK.astype(int), np.flatnonzero(MASK)])
def test_a_mask_that_is_not_a_truth_value_per_pair_is_refused(mask):
    models, brains = np.random.default_rng(1).random((2, PAIRS)), brain_rdms()
    counts = resample_counts(len(IDS), 5, seed=1)
    for score in (
        lambda: spearman_matrix(models, brains, mask=mask),
        lambda: bootstrap_spearman(models, brains, counts, mask=mask),
        lambda: nili_bounds(brains, mask),
        lambda: null_bounds(brains, 2, 1, mask),
    ):
        with pytest.raises(DataError, match=r"a mask of .* does not fit RDMs of 66 pairs"):
            score()


def test_an_rdm_that_is_constant_over_the_pairs_compared_is_named():
    models = np.random.default_rng(1).random((3, PAIRS))
    models[1, MASK] = 0.5
    with pytest.raises(DataError, match="RDM 1 is constant over the pairs compared"):
        spearman_matrix(models, brain_rdms(), mask=MASK)
    counts = resample_counts(len(IDS), 5, seed=1)
    with pytest.raises(DataError, match="model RDM 1 is constant over the pairs compared"):
        bootstrap_spearman(models, brain_rdms(), counts, mask=MASK)


def test_a_resample_that_draws_no_pair_of_the_mask_is_named():
    mask = np.zeros(6, dtype=bool)
    mask[[0, 1, 5]] = True  # pairs 01, 02 and 23
    rdm = np.array([1, 2, 9, 9, 9, 3.0])
    counts = np.array([[1, 1, 1, 1], [0, 2, 0, 2]])
    with pytest.raises(DataError, match="constant over the pairs of resample 1"):
        bootstrap_spearman(rdm, rdm, counts, mask=mask)


def test_pairs_of_other_stimuli_are_refused_at_the_first_difference(tmp_path):
    path = pairs_file(tmp_path)
    swapped = [*IDS[:3], IDS[4], IDS[3], *IDS[5:]]
    with pytest.raises(DataError, match=r"pairs\.h5 have .*place 3 'concept04.* and 'concept03"):
        read_pairs(path, swapped, "cross_run")
    with pytest.raises(DataError, match=r"has 11 ids, .*pairs\.h5 has 12"):
        read_pairs(path, IDS[:-1], "cross_run")
    mask = read_pairs(path, IDS, "cross_run")
    write_h5(path, {"cross_run": mask}, ids={"stimulus": swapped}, settings={})
    with pytest.raises(DataError, match=r"pairs\.h5 have different ids: at place 3"):
        run(tmp_path, path)
    assert not list(tmp_path.glob("rule-*_draws.h5"))


@pytest.mark.parametrize("fault", [MASK[1:], MASK.astype(np.int8), None])
def test_a_file_that_holds_no_mask_is_named(tmp_path, fault):
    path = tmp_path / "pairs.h5"
    arrays = {"other": MASK} if fault is None else {"cross_run": fault}
    write_h5(path, arrays, ids={"stimulus": IDS}, settings={})
    with pytest.raises(StoreError, match=r"pairs\.h5: has no truth value 'cross_run'"):
        read_pairs(path, IDS, "cross_run")


def test_a_truncated_file_is_named(tmp_path):
    path = pairs_file(tmp_path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(StoreError, match=r"pairs\.h5: cannot be read"):
        read_pairs(path, IDS, "cross_run")


def test_a_kind_of_pairs_that_cannot_be_had_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match="'cross_run' needs a file"):
        read_pairs(None, IDS, "cross_run")
    with pytest.raises(ConfigurationError, match="the kinds \\['all', 'cross_run', 'present'\\]"):
        read_pairs(pairs_file(tmp_path), IDS, "cross-run")
    with pytest.raises(ConfigurationError, match="'cross_run' needs a file"):
        run(tmp_path, None)


def test_repeated_images_have_no_run_and_the_remedy_is_named():
    one = trials("1")
    later = one.assign(session=one["session"] + 2, trial_id=one["trial_id"] + 12)
    repeated = pd.concat([one, later]).assign(trial_type="test")
    with pytest.raises(
        ConfigurationError, match=r"(?s)sub-1.*'concept00.*'test-repeats' has .* 2 runs.*pairs: all"
    ):
        cross_run_mask({"sub-1": repeated}, IDS, "test-repeats")
    second = later.assign(stimulus=later["stimulus"].str.replace("_01b", "_02s"))
    concepts = sorted(one["concept"])
    with pytest.raises(ConfigurationError, match=r"'concept00' of .*'concept-mean' has .* 2 runs"):
        cross_run_mask({"sub-1": pd.concat([one, second])}, concepts, "concept-mean")


def test_a_subject_who_saw_other_images_is_named(tmp_path):
    tables = {"sub-1": trials("1"), "sub-2": trials("2", [*IDS[:-1], "zebra_01b.jpg"])}
    with pytest.raises(DataError, match=r"sub-2 have .*place 11 'concept11.*' and 'zebra"):
        cross_run_mask(tables, IDS, "first-exemplar")
    with pytest.raises(DataError, match="no table of trials"):
        cross_run_mask({}, IDS, "first-exemplar")
    path = tmp_path / "sub-1_trials.csv"
    trials("1").to_csv(path, index=False)
    with pytest.raises(DataError, match=r"sub-1_trials\.csv' appears twice"):
        write_pairs([path, path], "first-exemplar", tmp_path / "pairs.h5")
    assert not (tmp_path / "pairs.h5").exists()


def test_a_stimulus_that_is_left_without_a_pair_is_named(tmp_path):
    # everything beside concept05 in one run, for one subject or another
    tables = {}
    for name, half in (("sub-1", IDS[:6]), ("sub-2", IDS[6:])):
        table = trials(name[-1])
        together = table["stimulus"].isin([*half, IDS[5]])
        tables[name] = table.assign(session=1, run=np.where(together, 99, table["trial_id"]))
    with pytest.raises(DataError, match=r"30 of 66 pairs .* 'concept05.* is in none of them"):
        cross_run_mask(tables, IDS, "first-exemplar")
    alone = np.zeros(PAIRS, dtype=bool)
    alone[:5] = True
    write_h5(tmp_path / "p.h5", {"cross_run": alone}, ids={"stimulus": IDS}, settings={})
    with pytest.raises(DataError, match=r"p\.h5: 5 of 66 .*'concept06"):
        read_pairs(tmp_path / "p.h5", IDS, "cross_run")


def test_fewer_than_three_pairs_are_too_few():
    ids = IDS[:3]
    table = trials("1", ids).assign(run=[1, 1, 2])
    with pytest.raises(DataError, match="2 of 3 pairs .* too few to rank"):
        cross_run_mask({"sub-1": table}, ids, "first-exemplar")


def test_draws_over_different_pairs_are_not_mixed(tmp_path):
    settings = score_settings.table(dict.fromkeys(("bp", "fa"), SEEDS), SCORES)
    one = run(tmp_path, pairs_file(tmp_path))
    for changed, message in (
        ({"pairs": "all"}, r"(?s)fa_roi-V1_draws.h5.*pairs = 'all', but .*rule-bp.*'cross_run'"),
        ({}, r"rule-bp.*rule-fa.*are over different pairs of stimuli"),
    ):
        other = run(tmp_path, pairs_file(tmp_path, "two.h5", ("1", "2")), "fa", **changed)
        tables, draws = zip(one, other, strict=True)
        with pytest.raises(GuardError, match=message):
            alignment_table(tables, draws, settings, tmp_path / "alignment.csv")
    assert not (tmp_path / "alignment.csv").exists()


def test_draws_beside_a_table_over_other_pairs_are_refused(tmp_path):
    table, draws = run(tmp_path, pairs_file(tmp_path))
    rows = pd.read_csv(table).assign(pairs="all")
    rows.to_csv(table, index=False)
    settings = score_settings.table({"bp": SEEDS}, SCORES)
    with pytest.raises(DataError, match=r"mean_rdm_all' and .*mean_rdm_cross_run'"):
        alignment_table([table], [draws], settings, tmp_path / "a.csv")


def test_draws_that_do_not_say_over_which_pairs_are_refused(tmp_path):
    table, draws = run(tmp_path, pairs_file(tmp_path))
    with edited_h5(draws) as file:
        del file.attrs["pairs_hash"]
    settings = score_settings.table({"bp": SEEDS}, SCORES)
    with pytest.raises(StoreError, match="lacks the attribute 'pairs_hash'"):
        alignment_table([table], [draws], settings, tmp_path / "a.csv")


def test_ceilings_without_the_file_of_pairs_are_refused(tmp_path):
    run(tmp_path, pairs_file(tmp_path))
    settings = CeilingSettings(study_seed=5, null_draws=40, interval=0.95, pairs="cross_run")
    with pytest.raises(ConfigurationError, match="needs a file of the pairs in different runs"):
        roi_ceiling(sorted(tmp_path.glob("sub-*_rdm.h5")), "V1", settings, tmp_path / "c.csv")
    assert not (tmp_path / "c.csv").exists()


def test_tables_over_different_pairs_are_refused():
    require_same_pairs_kind(["cross_run"], ["cross_run", "cross_run"])
    with pytest.raises(GuardError, match=r"'all', 'cross_run'"):
        require_same_pairs_kind(["cross_run"], ["all"])
