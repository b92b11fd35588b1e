"""Scores and ceilings over pairs in different runs, through files, against scipy."""

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

import score_settings
from pairs_study import (
    IDS,
    LAYERS,
    PAIRS,
    SCORES,
    SEEDS,
    N,
    brain_files,
    brain_rdms,
    model_rdm,
    pairs_file,
    run,
    trial_files,
    trials,
)
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.rsa.ceiling import nili_bounds, null_bounds
from rulealign.rsa.ceiling_table import roi_ceiling
from rulealign.rsa.joined_tables import ceilings_table
from rulealign.rsa.pairs import read_pairs, write_pairs
from rulealign.rsa.tables import alignment_table


def plain_mask(subjects=("1", "2", "3")):
    mask = np.ones(PAIRS, dtype=bool)
    for subject in subjects:
        rows = trials(subject).set_index("stimulus").loc[IDS]
        where = list(zip(rows["session"], rows["run"], strict=True))
        different = [[one != other for other in where] for one in where]
        mask &= np.array(different)[np.triu_indices(N, 1)]
    return mask


def test_what_was_written_is_read_back_and_told(tmp_path, capsys):
    path = pairs_file(tmp_path)
    mask = read_pairs(path, IDS, "cross_run")
    np.testing.assert_array_equal(mask, plain_mask())
    left = plain_mask().sum()
    said = f"{left} of 66 pairs are in different runs for all 3 subjects\n"
    assert capsys.readouterr().out == said
    assert read_pairs(path, IDS, "all") is None
    assert read_pairs(None, IDS, "all") is None


def test_a_list_of_ones_own_has_the_pairs_of_its_images(tmp_path):
    images = tmp_path / "images.txt"
    images.write_text("\n".join(IDS[:7:-1]) + "\n" + IDS[2])
    files = list(trial_files(tmp_path))
    write_pairs(files, str(images), tmp_path / "pairs.h5")
    places = [2, 8, 9, 10, 11]
    mask = read_pairs(tmp_path / "pairs.h5", [IDS[place] for place in places], "cross_run")
    np.testing.assert_array_equal(
        squareform(mask), squareform(plain_mask())[np.ix_(places, places)]
    )


def test_the_same_trials_give_the_same_bytes(tmp_path):
    one = pairs_file(tmp_path).read_bytes()
    files = list(trial_files(tmp_path))
    write_pairs(files[::-1], "first-exemplar", tmp_path / "again.h5")
    assert (tmp_path / "again.h5").read_bytes() == one


def plain_scores(model, brains):
    each = np.mean([spearmanr(model, brain).statistic for brain in brains])
    mean = brains.mean(axis=0).round(9)  # sums that are equal but for rounding are tied
    return {"per_subject": each, "mean_rdm": spearmanr(model, mean).statistic}


def plain_draws(model, brains, mask):
    first, second = np.triu_indices(N, 1)
    allowed = squareform(mask)
    for count in resample_counts(N, 60, bootstrap_seed(SCORES.study_seed, N)):
        drawn = np.repeat(np.arange(N), count)
        at = drawn[first], drawn[second]
        kept = (at[0] != at[1]) & allowed[at]
        at = at[0][kept], at[1][kept]
        yield plain_scores(squareform(model)[at], np.stack([squareform(b)[at] for b in brains]))


@pytest.mark.parametrize("convention", ["per_subject", "mean_rdm"])
def test_scores_and_intervals_over_masked_pairs_equal_scipy(tmp_path, convention):
    table, draws_file = run(tmp_path, pairs_file(tmp_path))
    rows, mask, brains = pd.read_csv(table), plain_mask(), brain_rdms()
    assert set(rows["pairs"]) == {"cross_run"}
    assert set(rows["n_pairs"]) == {mask.sum()}
    assert len(rows) == len(SEEDS) * len(LAYERS) * 2
    for seed in SEEDS:
        for name in LAYERS:
            layer = name.split("/")[0]
            row = rows[
                (rows["seed"] == seed)
                & (rows["layer"] == layer)
                & (rows["convention"] == convention)
            ]
            model = model_rdm("bp", seed, name).astype(float)
            expected = plain_scores(model[mask], brains[:, mask])[convention]
            assert row["score"].item() == pytest.approx(expected, abs=1e-9)
            draws = [draw[convention] for draw in plain_draws(model, brains, mask)]
            assert row["low"].item() == pytest.approx(np.percentile(draws, 5), abs=1e-9)
            assert row["high"].item() == pytest.approx(np.percentile(draws, 95), abs=1e-9)
            with h5py.File(draws_file) as file:
                np.testing.assert_allclose(file["draws"][:, row.index[0]], draws, atol=1e-6)
                assert file["ids/row"][row.index[0]].decode().endswith(f"{convention}_cross_run")


def test_means_over_seeds_keep_their_kind_and_number_of_pairs(tmp_path):
    pairs = pairs_file(tmp_path)
    files = [run(tmp_path, pairs, rule) for rule in ("bp", "fa")]
    tables, draws = zip(*files, strict=True)
    settings = score_settings.table(dict.fromkeys(("bp", "fa"), SEEDS), SCORES)
    alignment_table(tables, draws, settings, tmp_path / "alignment.csv")
    rows = pd.read_csv(tmp_path / "alignment.csv")
    assert len(rows) == 2 * len(LAYERS) * 2
    assert set(rows["pairs"]) == {"cross_run"}
    assert set(rows["n_pairs"]) == {plain_mask().sum()}
    row = rows[(rows["rule"] == "fa") & (rows["layer"] == "fc1")].iloc[1]
    models = [model_rdm("fa", seed, LAYERS[1])[plain_mask()] for seed in SEEDS]
    scores = [plain_scores(m, brain_rdms()[:, plain_mask()])["per_subject"] for m in models]
    assert row["score"] == pytest.approx(np.mean(scores), abs=1e-9)


def ceilings(folder, kind, pairs):
    """Make the ceilings of two ROIs, each by itself, and the table of both."""
    settings = CeilingSettings(study_seed=5, null_draws=40, interval=0.95, pairs=kind)
    parts = [folder / f"roi-{roi}_{kind}_ceiling.csv" for roi in ("V1", "LOC")]
    for roi, part in zip(("V1", "LOC"), parts, strict=True):
        roi_ceiling(list(brain_files(folder, roi)), roi, settings, part, pairs)
    ceilings_table(parts, ["V1", "LOC"], settings, folder / f"{kind}.csv")
    return pd.read_csv(folder / f"{kind}.csv")


def test_ceilings_are_tabled_over_both_kinds_of_pairs(tmp_path):
    rows = ceilings(tmp_path, "cross_run", pairs_file(tmp_path))
    kinds = [("LOC", "all"), ("LOC", "cross_run"), ("V1", "all"), ("V1", "cross_run")]
    assert list(zip(rows["roi"], rows["pairs"], strict=True)) == kinds
    for _, row in rows.iterrows():
        mask = plain_mask() if row["pairs"] == "cross_run" else np.ones(PAIRS, dtype=bool)
        assert row["n_pairs"] == mask.sum()
        expected = nili_bounds(brain_rdms(row["roi"])[:, mask])
        bounds = [row[name] for name in ("lower", "upper", "upper_any_model")]
        assert bounds == pytest.approx(list(expected), abs=1e-9)
    alone = ceilings(tmp_path, "all", None)
    pd.testing.assert_frame_equal(alone, rows[rows["pairs"] == "all"].reset_index(drop=True))


def test_both_kinds_of_pairs_are_held_against_the_same_shuffles():
    # under a mask of one stimulus' pairs the null still comes from shuffles of all stimuli
    subjects, mask = brain_rdms(), np.arange(PAIRS) < N - 1
    null = null_bounds(subjects, 200, 1, mask)
    assert len(np.unique(null[:, 0].round(12))) > 150
    rng = np.random.default_rng(1)
    orders = rng.permuted(np.tile(np.arange(N), (3, 1)), axis=1)
    shuffled = np.stack(
        [
            squareform(squareform(rdm)[np.ix_(order, order)])
            for rdm, order in zip(subjects, orders, strict=True)
        ]
    )
    assert null[0] == pytest.approx(nili_bounds(shuffled[:, mask])[:2], abs=1e-13)
    assert null_bounds(subjects, 1, 1)[0] == pytest.approx(nili_bounds(shuffled)[:2], abs=1e-13)
