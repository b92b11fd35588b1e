"""The layer x ROI tables against plain computations, through files, and their planted faults."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

import score_settings
from edited_h5 import edited_h5
from rulealign.arm import Arm
from rulealign.errors import DataError, GuardError, StoreError
from rulealign.plan.settings.score_tables import LayersTableSettings
from rulealign.plan.settings.scores import LayerChoiceSettings, ScoreSettings
from rulealign.rsa.alignment import align
from rulealign.rsa.joined_tables import layers_table
from rulealign.rsa.layers import fold_masks, layer_choice_seed
from rulealign.store import write_h5

N = 14
PAIRS = N * (N - 1) // 2
IDS = [f"image_{place:02d}" for place in range(N)]
SCORES = ScoreSettings(study_seed=5, bootstrap_draws=40, interval=0.9, pairs="all")
CHOICE = {"layer_folds": 3, "layer_splits": 2}  # of two folds, each is the outside of the other
SETTINGS = score_settings.alignment(SCORES, **CHOICE)
MAP = [["cnn3", "conv1", "V1"], ["cnn3", "fc1", "IT"]]
SEEDS, RULES = (42, 7), ("bp", "fa")
MEASURED = ("conv1/grid-8", "conv2/grid-8", "conv1/global-average", "conv2/global-average")
MEASURED += ("fc1/vector",)
TABLE = LayersTableSettings(
    **SETTINGS.narrowed(LayerChoiceSettings).plain(),
    layer_map=MAP,
    seeds={"cnn3": {rule: list(SEEDS) for rule in RULES}},
)


def share(rule, seed, name):
    return len(rule) / 10 + seed / 1000 + MEASURED.index(name) / 100


def model_rdm(rule, seed, name):
    place = 100 * (rule == "fa") + 10 * seed + MEASURED.index(name)
    return np.random.default_rng(place).random(PAIRS).round(2).astype(np.float32)


def brain_rdms(roi):
    return np.random.default_rng(len(roi) + ord(roi[0])).random((3, PAIRS))


def model_files(folder, rule):
    for seed in SEEDS:
        path = folder / f"rule-{rule}_seed-{seed}.h5"
        about = {
            "network": "cnn3",
            "rule": rule,
            "seed": seed,
            "epoch": 0,
            "stimuli": "grey",
            "size": 32,
        }
        about |= {f"mean_vector_share:{name}": share(rule, seed, name) for name in MEASURED}
        arrays = {f"{name}/centred": model_rdm(rule, seed, name) for name in MEASURED}
        write_h5(path, arrays, ids={"stimulus": IDS}, settings={}, attributes=about)
        yield path


def brain_files(folder, roi):
    for subject, rdm in enumerate(brain_rdms(roi)):
        path = folder / f"sub-{subject}_roi-{roi}_rdm.h5"
        about = {"subject": subject, "roi": roi, "distance": "1 - Pearson"}
        about |= {"acquisition": "3T", "repetitions": 2}
        write_h5(path, {"rdm": rdm}, ids={"stimulus": IDS}, settings={}, attributes=about)
        yield path


def run(folder, rule, roi, choice=CHOICE, **how):
    """Align one rule with one ROI; give the table of its layers."""
    table, layers = folder / f"rule-{rule}_roi-{roi}.csv", folder / f"{rule}_{roi}_layers.csv"
    models, brains = list(model_files(folder, rule)), list(brain_files(folder, roi))
    settings = replace(SETTINGS, **choice)
    draws = table.with_name(f"{table.stem}_draws.h5")
    align(models, brains, Arm("cnn3", rule), roi, settings, table, draws, layers=layers, **how)
    return layers


@pytest.fixture(scope="module")
def joined(tmp_path_factory):
    """Give the folder, the tables of all rules and ROIs, and the one of both."""
    folder = tmp_path_factory.mktemp("layers")
    tables = [run(folder, rule, roi) for rule in RULES for roi in ("V1", "IT")]
    layers_table(tables, TABLE, folder / "layers.csv")
    return folder, tables, pd.read_csv(folder / "layers.csv")


def plain(rule, seed, roi, convention, descriptor, mask=None):
    """Score and choose the layers of one network, fold by fold, with scipy."""
    names = [n for n in MEASURED if n.split("/")[1] in (descriptor, "vector")]
    models = [model_rdm(rule, seed, name) for name in sorted(names)]
    brains = brain_rdms(roi)
    brains = brains if convention == "per_subject" else brains.mean(axis=0, keepdims=True)

    def score(model, side):
        return np.mean([spearmanr(model[side], brain[side]).statistic for brain in brains])

    whole = np.ones(PAIRS, bool) if mask is None else mask
    held, chosen, nested = [], [], []
    for outside, inside in fold_masks(N, 3, 2, layer_choice_seed(5, N), mask):
        best = int(np.argmax([score(model, outside) for model in models]))
        inner = [score(model, inside) for model in models]
        held.append(inner)
        nested.append(inner[best])
        chosen.append(np.arange(len(models)) == best)
    full = [score(model, whole) for model in models]
    return full, np.mean(held, axis=0), np.mean(chosen, axis=0), np.mean(nested)


@pytest.mark.parametrize("convention", ["per_subject", "mean_rdm"])
@pytest.mark.parametrize("descriptor", ["grid-8", "global-average"])
@pytest.mark.parametrize("rule", RULES)
def test_layers_and_their_choice_equal_scipy_averaged_over_seeds(
    joined, rule, descriptor, convention
):
    table = joined[2]
    for roi in ("V1", "IT"):
        rows = table[
            (table["rule"] == rule)
            & (table["roi"] == roi)
            & (table["convention"] == convention)
            & (table["among"] == descriptor)
        ]
        assert rows["layer"].tolist() == ["conv1", "conv2", "fc1"]
        assert rows["descriptor"].tolist() == [descriptor, descriptor, "vector"]
        found = [plain(rule, seed, roi, convention, descriptor) for seed in SEEDS]
        score, held, chosen, nested = (np.mean(part, axis=0) for part in zip(*found, strict=True))
        np.testing.assert_allclose(rows["score"], score, atol=1e-9)
        np.testing.assert_allclose(rows["held_out"], held, atol=1e-9)
        np.testing.assert_allclose(rows["chosen"], chosen, atol=1e-9)
        np.testing.assert_allclose(rows["nested"], nested, atol=1e-9)
        assert rows["chosen"].sum() == pytest.approx(1)
    assert (table["n_seeds"] == 2).all()
    assert (table["folds"] == 6).all()


def test_under_a_mask_layers_are_scored_and_chosen_over_its_pairs_only(tmp_path):
    mask = np.random.default_rng(8).random(PAIRS) < 0.8
    pairs = tmp_path / "pairs.h5"
    write_h5(pairs, {"cross_run": mask}, ids={"stimulus": IDS}, settings={}, attributes={})
    models, brains = list(model_files(tmp_path, "bp")), list(brain_files(tmp_path, "V1"))
    settings = replace(SETTINGS, pairs="cross_run")
    outputs, layers = (tmp_path / "t.csv", tmp_path / "t.h5"), tmp_path / "l.csv"
    align(models, brains, Arm("cnn3", "bp"), "V1", settings, *outputs, pairs, layers=layers)
    table = pd.read_csv(layers)
    own = table[(table["among"] == "grid-8") & (table["convention"] == "per_subject")]
    for seed in SEEDS:
        rows = own[own["seed"] == seed].sort_values("layer")
        score, held, chosen, nested = plain("bp", seed, "V1", "per_subject", "grid-8", mask)
        np.testing.assert_allclose(rows["score"], score, atol=1e-9)
        np.testing.assert_allclose(rows["held_out"], held, atol=1e-9)
        np.testing.assert_allclose(rows["chosen"], chosen, atol=1e-9)
        np.testing.assert_allclose(rows["nested"], nested, atol=1e-9)


def test_the_map_and_the_share_of_the_mean_vector_stand_beside_every_score(joined):
    table = joined[2]
    fixed = table[table["fixed"]]
    assert set(zip(fixed["layer"], fixed["roi"], strict=True)) == {("conv1", "V1"), ("fc1", "IT")}
    for _, row in table.iterrows():
        name = f"{row['layer']}/{row['descriptor']}"
        expected = np.mean([share(row["rule"], seed, name) for seed in SEEDS])
        assert row["mean_vector_share"] == pytest.approx(expected, abs=1e-9)


def test_neither_memory_nor_threads_change_the_bytes(joined, tmp_path):
    again = run(tmp_path, "bp", "V1", work_mb=1e-3, threads=2)
    assert again.read_bytes() == joined[1][0].read_bytes()


def test_the_choice_changes_neither_scores_nor_draws(joined, tmp_path):
    run(tmp_path, "bp", "V1", {"layer_folds": 2, "layer_splits": 1})
    for name in ("rule-bp_roi-V1.csv", "rule-bp_roi-V1_draws.h5"):
        assert (tmp_path / name).read_bytes() == (joined[0] / name).read_bytes()


def test_too_few_stimuli_for_the_folds_leave_scores_and_say_why(tmp_path):
    choice = {"layer_folds": 5, "layer_splits": 1}
    layers = run(tmp_path, "bp", "V1", choice)
    rows = pd.read_csv(layers)
    assert rows[["held_out", "chosen", "nested"]].isna().all().all()
    assert rows["score"].notna().all()
    why = "no choice of a layer: 14 stimuli in 5 folds leave fewer than 3 in one; use fewer folds"
    assert set(rows["reason"]) == {why}
    settings = replace(TABLE, **choice, seeds={"cnn3": {"bp": list(SEEDS)}})
    layers_table([layers], settings, tmp_path / "layers.csv")
    table = pd.read_csv(tmp_path / "layers.csv")
    assert table["nested"].isna().all()
    assert set(table["reason"]) == {why}


def test_an_rdm_without_order_in_a_fold_takes_its_own_choices_and_no_others(tmp_path, joined):
    # one layer of one network is constant over the pairs inside of one fold
    inside = fold_masks(N, 3, 2, layer_choice_seed(5, N), None)[4][1]
    models = list(model_files(tmp_path, "bp"))
    with edited_h5(models[1]) as file:
        rdm = file["conv2/grid-8/centred"]
        rdm[...] = np.where(inside, 0.5, rdm[()])
    brains, layers = list(brain_files(tmp_path, "V1")), tmp_path / "bp_V1_layers.csv"
    outputs = tmp_path / "t.csv", tmp_path / "t.h5"
    align(models, brains, Arm("cnn3", "bp"), "V1", SETTINGS, *outputs, layers=layers)
    table = pd.read_csv(layers, keep_default_na=False, na_values=[""])
    faulty = (table["seed"] == 7) & (table["among"] == "grid-8")
    assert table.loc[faulty, ["held_out", "chosen", "nested"]].isna().all().all()
    assert table["score"].notna().all()
    why = (
        "no choice of a layer: cnn3_bp_7_0_grey_32_conv2_grid-8_centred is constant over the pairs"
    )
    assert table.loc[faulty, "reason"].str.startswith(f"{why} inside of fold 5").all()
    # all others are what they are without it
    before = pd.read_csv(joined[1][0], keep_default_na=False, na_values=[""])
    pd.testing.assert_frame_equal(table[~faulty], before[~faulty], check_dtype=False)
    # and there is no mean over the seeds that are left
    layers_table(
        [layers], replace(TABLE, seeds={"cnn3": {"bp": list(SEEDS)}}), tmp_path / "layers.csv"
    )
    means = pd.read_csv(tmp_path / "layers.csv", keep_default_na=False, na_values=[""])
    lost = means["among"] == "grid-8"
    assert means.loc[lost, "nested"].isna().all()
    assert means.loc[lost, "reason"].str.startswith(why).all()
    assert means.loc[~lost, "nested"].notna().all()
    assert means.loc[~lost, "reason"].isna().all()


@pytest.mark.parametrize(
    ("key", "value"),
    [("layer_folds", 2), ("layer_splits", 3), ("study_seed", 6), ("pairs", "cross_run")],
)
def test_tables_of_other_settings_are_not_joined(joined, tmp_path, key, value):
    settings = replace(TABLE, **{key: value})
    with pytest.raises(GuardError, match=r"bp_V1_layers.csv: was made with other settings"):
        layers_table(joined[1], settings, tmp_path / "layers.csv")
    assert not (tmp_path / "layers.csv").exists()


def test_one_table_of_other_settings_among_the_right_ones_is_found(joined, tmp_path):
    other = run(tmp_path, "fa", "IT", {"layer_folds": 2, "layer_splits": 2})
    with pytest.raises(GuardError, match=r"fa_IT_layers.csv: was made with other settings"):
        layers_table([*joined[1][:3], other], TABLE, tmp_path / "layers.csv")


def edited(path, folder, change):
    rows = pd.read_csv(path)
    made = folder / path.name
    change(rows).to_csv(made, index=False)
    return made


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[rows["seed"] != 7], r"has the seeds \[42\], the study has \[7, 42\]"),
        (lambda rows: pd.concat([rows, rows.tail(1)]), r"has the seeds \[7, 42, 42\]|\[7, 7, 42\]"),
        (lambda rows: rows.assign(nested=np.nan), "lack a number of cnn3_bp_0_grey_32_conv1"),
        (lambda rows: rows.assign(score=np.nan, reason="x"), "lack a number of cnn3_bp_0_grey_32"),
        (
            lambda rows: rows.assign(rule="stdp"),
            "either the study or its layer tables lack cnn3 by stdp",
        ),
        (lambda rows: rows[rows["layer"] != "conv2"], "with only one of the ROIs IT and V1"),
        (lambda rows: rows.iloc[:0], "has no rows"),
    ],
)
def test_an_incomplete_table_is_refused(joined, tmp_path, change, message):
    _, tables, _ = joined
    broken = [edited(tables[0], tmp_path, change), *tables[1:]]
    with pytest.raises(DataError, match=message):
        layers_table(broken, TABLE, tmp_path / "layers.csv")


def test_a_missing_roi_of_a_rule_is_refused(joined, tmp_path):
    with pytest.raises(DataError, match="have cnn3_fa_.* with only one of the ROIs IT and V1"):
        layers_table([*joined[1][:3]], TABLE, tmp_path / "layers.csv")
    with pytest.raises(DataError, match="no layer tables"):
        layers_table([], TABLE, tmp_path / "layers.csv")


def test_an_rdm_file_without_the_share_is_named(tmp_path):
    models, brains = list(model_files(tmp_path, "bp")), list(brain_files(tmp_path, "V1"))
    with edited_h5(models[1]) as file:
        del file.attrs["mean_vector_share:conv2/grid-8"]
    layers, table = tmp_path / "layers.csv", tmp_path / "t.csv"
    with pytest.raises(StoreError, match=r"seed-7.h5: lacks the attribute .*conv2/grid-8"):
        align(
            models,
            brains,
            Arm("cnn3", "bp"),
            "V1",
            SETTINGS,
            table,
            tmp_path / "d.h5",
            layers=layers,
        )
    assert not any(path.exists() for path in (layers, table, tmp_path / "d.h5"))
