"""Scores and draws in all universes, against plain loops over the functions for one RDM."""

from dataclasses import replace

import h5py
import numpy as np
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import rankdata, spearmanr

import plain_comparisons
import score_settings
from resampled import written_out
from rulealign.arm import Arm
from rulealign.claims.universes.scores import COLUMNS, KEYS, score_universes
from rulealign.rsa.alignment import align
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.store import read_csv
from universe_files import (
    PAIRS,
    PLAIN,
    SETTINGS,
    N,
    brain_file,
    control_file,
    model_files,
    pairs_file,
)

ANALYSES = [
    PLAIN | change
    for change in (
        {},
        {"convention": "mean_rdm"},
        {"comparison": "kendall_tau_a"},
        {"comparison": "whitened_pearson", "convention": "mean_rdm"},
        {"comparison": "pearson", "control": "silhouette"},
        {"control": "silhouette"},
        {"control": "pixels+gabor-grid"},
        {"comparison": "whitened_pearson", "control": "pixels"},
        {"pairs": "cross_run"},
        {"pairs": "cross_run", "convention": "mean_rdm"},
    )
]
OF_PEOPLE = [PLAIN, PLAIN | {"control": "silhouette"}, PLAIN | {"pairs": "cross_run"}]
MASK = np.random.default_rng(4).random(PAIRS) < 0.8


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Give the folder, the files, and the table and draws of all universes."""
    folder = tmp_path_factory.mktemp("universes")
    models = model_files(folder)
    brains = [brain_file(folder, subject) for subject in (1, 2, 3, 4)]
    controls = [control_file(folder, stimuli, 16) for stimuli in ("grey", "white")]
    controls.append(control_file(folder, "grey", 32))
    controls.append(control_file(folder, "white", 32, missing=["silhouette"]))
    files = models, brains, controls
    settings = replace(SETTINGS, analyses=ANALYSES)
    outputs = folder / "all.csv", folder / "all.h5"
    pairs = pairs_file(folder / "pairs.h5", MASK)
    score_universes(*files, Arm("cnn3", "bp"), "V1", settings, *outputs, pairs)
    people = replace(settings, generalise_to="both", analyses=OF_PEOPLE)
    more = folder / "subjects.csv", folder / "subjects.h5"
    score_universes(*files, Arm("cnn3", "bp"), "V1", people, *more, pairs)
    return folder, files, read_csv(outputs[0]).set_index(list(KEYS), drop=False)


def draws_of(path):
    with h5py.File(path) as file:
        return dict(zip(file["ids/row"].asstr(), file["draws"][()].T, strict=True))


def left_out_of(path):
    with h5py.File(path) as file:
        return dict(zip(file["ids/row"].asstr(), file["left_out"][()].T, strict=True))


def name(row):
    return "_".join(str(row[key]) for key in KEYS)


def rdm(files, row, layer=None):
    """Read one RDM the plain way."""
    wanted = f"seed-{row.seed}_epoch-{row.epoch}_stim-{row.stimuli}_px-{row['size']}"
    (path,) = [path for path in files[0] if path.stem.endswith(wanted)]
    descriptor = "vector" if (layer or row.layer) == "fc1" else row.descriptor
    with h5py.File(path) as file:
        return file[f"{layer or row.layer}/{descriptor}/{row.centring}"][()].astype(float)


def brains(files, convention):
    found = []
    for path in files[1]:
        with h5py.File(path) as file:
            found.append(file["rdm"][()])
    return np.array(found if convention == "per_subject" else [np.mean(found, axis=0)])


def controls(files, row):
    (path,) = [path for path in files[2] if path.stem.endswith(f"{row.stimuli}_px-{row['size']}")]
    with h5py.File(path) as file:
        names = [] if row.control == "none" else row.control.split("+")
        return [file[f"{one}/image/{row.centring}"][()].astype(float) for one in names]


def residual(values, others):
    design = np.column_stack([np.ones(len(values)), *others])
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


def compared(comparison, one, other, removed):
    """Compare two written-out RDMs, with controls regressed out of ranks or of values."""
    if len(removed) == 0:
        return plain_comparisons.PLAIN[comparison](one, other)
    prepare = rankdata if comparison == "spearman" else np.array
    removed = [prepare(control) for control in removed]
    ours, theirs = (residual(prepare(values), removed) for values in (one, other))
    return np.corrcoef(ours, theirs)[0, 1]


def plain_score(files, row, count, layers, mask):
    """Score layers in one resample, by writing it out."""
    theirs = brains(files, row.convention)
    ours = np.array([rdm(files, row, layer) for layer in layers])
    ours, theirs, removed = (
        np.array([written_out(rdm, count, mask) for rdm in some])
        for some in (ours, theirs, controls(files, row))
    )
    how = row.comparison
    return [np.mean([compared(how, one, brain, removed) for brain in theirs]) for one in ours]


def expected(files, row, count):
    mask = MASK if row.pairs == "cross_run" else np.ones(PAIRS, dtype=bool)
    if row.comparison.startswith("whitened"):  # V is of whole RDMs: leave out by a mask
        drawn = np.repeat(np.arange(N), count)
        first, second = drawn[np.array(np.triu_indices(len(drawn), 1))]
        ours, theirs = (
            np.array([squareform(one)[first, second] for one in some])
            for some in ([rdm(files, row)], brains(files, row.convention))
        )
        kept = first != second
        places = [place[kept] for place in np.triu_indices(len(drawn), 1)]
        compare = plain_comparisons.PLAIN[row.comparison]
        return np.mean([compare(ours[0][kept], brain[kept], *places) for brain in theirs])
    return plain_score(files, row, count, [row.layer], mask)[0]


def test_the_table_has_a_row_for_everything_that_was_asked_for(made):
    table = made[2].reset_index(drop=True)
    assert list(table.columns) == list(COLUMNS)
    assert not table.duplicated(list(KEYS)).any()
    assert table.equals(table.sort_values(list(KEYS), kind="stable"))
    # 2 seeds x 2 epochs x 2 stimuli x 2 sizes x 2 centrings; conv1 with 2 descriptors, and fc1
    assert len(table) == 10 * 32 * 3
    assert set(table["layer"]) == {"conv1", "fc1"}
    assert set(table.loc[table["layer"] == "fc1", "descriptor"]) == {"vector"}
    assert set(table.loc[table["pairs"] == "cross_run", "n_pairs"]) == {MASK.sum()}


@pytest.mark.parametrize("analysis", ANALYSES, ids=lambda one: "_".join(one.values()))
def test_scores_and_draws_are_those_of_plain_loops(made, analysis):
    folder, files, table = made
    own = table[np.all([table[key] == value for key, value in analysis.items()], axis=0)]
    own = own[own["score"].notna()]
    counts = resample_counts(N, 30, bootstrap_seed(5, N))
    if analysis["control"] != "none" and analysis["comparison"].startswith("whitened"):
        assert own.empty
        return
    for place in np.random.default_rng(len(own)).choice(len(own), 3, replace=False):
        row = own.iloc[place]
        assert row.score == pytest.approx(expected(files, row, np.ones(N, dtype=int)), abs=1e-9)
        found = draws_of(folder / "all.h5")[name(row)]
        for draw in (0, 17, 29):
            assert found[draw] == pytest.approx(expected(files, row, counts[draw]), abs=1e-6)
        without = left_out_of(folder / "all.h5")[name(row)]
        for stimulus in (0, 7, N - 1):
            all_but = (np.arange(N) != stimulus).astype(int)
            assert without[stimulus] == pytest.approx(expected(files, row, all_but), abs=1e-9)
        assert (row.low, row.high) == pytest.approx(np.percentile(found, [5, 95]), abs=1e-6)


@pytest.mark.parametrize("pairs", ["all", "cross_run"])
def test_plain_rows_are_those_of_the_alignment_to_the_bit(made, pairs):
    folder, (models, brain, _), table = made
    settings = score_settings.alignment(bootstrap_draws=30, pairs=pairs)
    outputs = folder / "a.csv", folder / "a.h5"
    align(models, brain, Arm("cnn3", "bp"), "V1", settings, *outputs, folder / "pairs.h5")
    ours, theirs = draws_of(folder / "all.h5"), draws_of(folder / "a.h5")
    aligned = read_csv(folder / "a.csv").set_index(list(KEYS[:12]), drop=False).sort_index()
    plain = table[(table["comparison"] == "spearman") & (table["control"] == "none")]
    plain = plain[plain["pairs"] == pairs]
    assert len(plain) == 3 * 32 * 2
    for key, row in plain.iterrows():
        there = aligned.loc[key[:12]]
        for column in ("score", "low", "high", "n_pairs", "n_stimuli", "n_subjects"):
            assert row[column] == there[column], (key, column)
        assert np.array_equal(ours[name(row)], theirs["_".join(map(str, key[:12]))]), key


def test_scores_of_single_people_are_scipys_and_average_to_those_over_people(made):
    folder, files, _ = made
    table = read_csv(folder / "subjects.csv")
    table = table[table["score"].notna()]
    with h5py.File(folder / "subjects.h5") as file:
        assert list(file["ids/subject"].asstr()) == ["1", "2", "3", "4"]
        rows = list(file["ids/row"].asstr())
        scores, drawn = file["subject_scores"][()], file["subject_draws"][()]
        left_out = file["subject_left_out"][()]
        means = [file[one][()] for one in ("draws", "left_out")]
    assert rows == [name(row) for _, row in table.iterrows()]
    assert (scores.shape, drawn.shape) == ((264, 4), (30, 264, 4))
    np.testing.assert_allclose(scores.mean(axis=-1), table["score"], atol=1e-12)
    for found, mean in zip((drawn, left_out), means, strict=True):
        np.testing.assert_allclose(found.mean(axis=-1), mean, atol=1e-7)
    first, second = np.triu_indices(N, 1)
    theirs = brains(files, "per_subject")
    seen = set()
    for place, stimulus in ((0, 0), (41, 7), (82, 3), (200, 9), (263, N - 1)):
        row = table.iloc[place]
        seen.add((row.pairs, row.control))
        kept = MASK if row.pairs == "cross_run" else np.ones(PAIRS, dtype=bool)
        for found, pairs in (
            (scores[place], kept),
            (left_out[stimulus, place], kept & (first != stimulus) & (second != stimulus)),
        ):
            removed = [one[pairs] for one in controls(files, row)]
            model = rdm(files, row)[pairs]
            rho = [compared("spearman", model, one[pairs], removed) for one in theirs]
            if not removed:
                rho = [spearmanr(model, one[pairs]).statistic for one in theirs]
            np.testing.assert_allclose(found, rho, atol=1e-9)
    assert len(seen) == 3


def test_what_cannot_be_computed_says_why_and_has_no_number(made):
    _, _, table = made
    without = table[table["score"].isna()]
    assert without[["low", "high"]].isna().all(axis=None)
    assert table.loc[table["score"].notna(), "reason"].isna().all()
    lacking = without[without["control"] == "silhouette"]
    assert set(lacking["reason"]) == {
        "no control silhouette: the images have no uniform background"
    }
    assert set(zip(lacking["stimuli"], lacking["size"], strict=True)) == {("white", 32)}
    assert len(lacking) == 2 * 3 * 2 * 2 * 2  # seeds, descriptors, centrings, epochs, comparisons
    other = without[without["control"] != "silhouette"]
    assert set(other["comparison"]) == {"whitened_pearson"}
    assert len(other) == 96
    assert set(other["reason"]) == {"a partial whitened_pearson is not defined"}
    assert len(without) == len(lacking) + len(other)


@pytest.mark.slow
def test_order_of_files_threads_and_memory_change_no_byte(made, tmp_path):
    folder, (models, brain, control), _ = made
    files = models[::-1], brain, control[::-1]
    settings, outputs = (
        replace(SETTINGS, analyses=ANALYSES),
        (tmp_path / "b.csv", tmp_path / "b.h5"),
    )
    how = {"work_mb": 0.1, "threads": 2}
    score_universes(*files, Arm("cnn3", "bp"), "V1", settings, *outputs, folder / "pairs.h5", **how)
    for kind, path in zip(("csv", "h5"), outputs, strict=True):
        assert path.read_bytes() == (folder / f"all.{kind}").read_bytes()
