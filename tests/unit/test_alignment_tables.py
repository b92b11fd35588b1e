"""Alignment files and the tables of statistics/ against plain computations with scipy."""

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import squareform
from scipy.stats import spearmanr

import score_settings
from rulealign.arm import Arm
from rulealign.errors import GuardError
from rulealign.learning.tables import LoggedNetwork, training_table
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.rsa.alignment import align
from rulealign.rsa.bootstrap.alignment_samples import read_alignment_samples
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.rsa.ceiling import nili_bounds
from rulealign.rsa.ceiling_table import roi_ceiling
from rulealign.rsa.joined_tables import ceilings_table
from rulealign.rsa.tables import alignment_table
from rulealign.store import write_h5
from score_settings import SCORES

N = 15
IDS = [f"image_{place:02d}" for place in range(N)]
PAIRS = N * (N - 1) // 2
SEEDS, EPOCHS = (42, 7), (0, 10, 2)
MEASURED = ("conv1/global-average/uncentred", "conv1/grid-8/centred", "fc1/vector/centred")


def model_rdm(rule, seed, epoch, name):
    place = 1000 * len(rule) + 100 * seed + 10 * epoch + MEASURED.index(name)
    return np.random.default_rng(place).random(PAIRS).round(2).astype(np.float32)


def brain_rdms(roi, n_subjects=3):
    return np.random.default_rng(len(roi)).random((n_subjects, PAIRS)) + model_rdm(
        "bp", 42, 0, MEASURED[0]
    )


def model_files(folder, rule):
    for seed in SEEDS:
        for epoch in EPOCHS:
            path = folder / f"rule-{rule}_seed-{seed}_epoch-{epoch}_stim-grey_px-32.h5"
            keys = {
                "network": "cnn3",
                "rule": rule,
                "seed": seed,
                "epoch": epoch,
                "stimuli": "grey",
                "size": 32,
            }
            arrays = {name: model_rdm(rule, seed, epoch, name) for name in MEASURED}
            write_h5(path, arrays, ids={"stimulus": IDS}, settings={}, attributes=keys)
            yield path


def brain_files(folder, roi):
    for subject, rdm in enumerate(brain_rdms(roi)):
        path = folder / f"sub-{subject}_roi-{roi}_rdm.h5"
        about = {"subject": subject, "roi": roi, "distance": "1 - Pearson"}
        about |= {"acquisition": "3T", "repetitions": 2}
        write_h5(path, {"rdm": rdm}, ids={"stimulus": IDS}, settings={}, attributes=about)
        yield path


@pytest.fixture(scope="module")
def aligned(tmp_path_factory):
    """Give the folder, tables and draws of two rules in two ROIs."""
    folder = tmp_path_factory.mktemp("study")
    brains = {roi: list(brain_files(folder, roi)) for roi in ("EVC", "IT")}
    made = []
    for rule in ("bp", "untrained"):
        models = list(model_files(folder, rule))
        for roi, files in brains.items():
            table = folder / f"rule-{rule}_roi-{roi}.csv"
            draws = table.with_name(f"{table.stem}_draws.h5")
            align(models, files, Arm("cnn3", rule), roi, score_settings.alignment(), table, draws)
            made.append((table, draws))
    tables, draws = zip(*made, strict=True)
    return folder, tables, draws, brains


def plain_scores(model, brains):
    per_subject = np.mean([spearmanr(model, brain).statistic for brain in brains])
    return {
        "per_subject": per_subject,
        "mean_rdm": spearmanr(model, brains.mean(axis=0)).statistic,
    }


def plain_draws(model, brains):
    first, second = np.triu_indices(N, 1)
    square, squares = squareform(model), [squareform(brain) for brain in brains]
    seed = bootstrap_seed(SCORES.study_seed, N)
    for count in resample_counts(N, SCORES.bootstrap_draws, seed):
        drawn = np.repeat(np.arange(N), count)
        kept = drawn[first] != drawn[second]
        at = drawn[first][kept], drawn[second][kept]
        yield plain_scores(square[at], np.stack([each[at] for each in squares]))


def one_row(table, **keys):
    for column, value in keys.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


@pytest.mark.parametrize("convention", ["per_subject", "mean_rdm"])
@pytest.mark.parametrize("name", MEASURED)
def test_scores_and_intervals_equal_scipy(aligned, name, convention):
    folder, *_ = aligned
    table = pd.read_csv(folder / "rule-bp_roi-EVC.csv")
    layer, descriptor, centring = name.split("/")
    keys = {"layer": layer, "descriptor": descriptor, "centring": centring}
    row = one_row(table, seed=42, epoch=2, convention=convention, **keys)
    model, brains = model_rdm("bp", 42, 2, name).astype(float), brain_rdms("EVC")
    assert row["score"] == pytest.approx(plain_scores(model, brains)[convention], abs=1e-9)
    draws = [draw[convention] for draw in plain_draws(model, brains)]
    assert row["low"] == pytest.approx(np.percentile(draws, 5), abs=1e-9)
    assert row["high"] == pytest.approx(np.percentile(draws, 95), abs=1e-9)
    with h5py.File(folder / "rule-bp_roi-EVC_draws.h5") as file:
        np.testing.assert_allclose(file["draws"][:, row.name], draws, atol=1e-6)
        assert file["ids/row"][row.name].decode() == (
            f"cnn3_bp_42_2_grey_32_{layer}_{descriptor}_{centring}_EVC_{convention}_all"
        )


def left_out_scores(model, brain):
    """Correlate what is left of two RDMs without each stimulus."""
    squares = squareform(model), squareform(brain)
    for lost in range(N):
        kept = [np.delete(np.delete(one, lost, 0), lost, 1) for one in squares]
        yield spearmanr(*(squareform(one, checks=False) for one in kept)).statistic


@pytest.mark.parametrize("goal", ["stimuli", "both"])
def test_samples_for_primary_intervals_equal_scipy(aligned, tmp_path, goal):
    folder, tables, draws, brains = aligned
    made = tmp_path / "a.csv", tmp_path / "a.h5"
    models = sorted(folder.glob("rule-bp_seed-*.h5"))
    asked = score_settings.alignment(sampled_layers=["fc1"], generalise_to=goal)
    align(models, brains["EVC"], Arm("cnn3", "bp"), "EVC", asked, *made)
    assert made[0].read_bytes() == tables[0].read_bytes()  # no score changes
    rows, subjects = pd.read_csv(made[0]), brain_rdms("EVC")
    model = model_rdm("bp", 7, 10, MEASURED[2]).astype(float)
    with h5py.File(made[1]) as file, h5py.File(draws[0]) as plain:
        np.testing.assert_array_equal(file["draws"][()], plain["draws"][()])
        scores = dict(zip(file["ids/row"].asstr()[()], rows["score"], strict=True))
        samples = read_alignment_samples(file, scores, goal)
    fc1 = rows["layer"] == "fc1"
    assert len(samples.columns) == fc1.sum() / (1 if goal == "stimuli" else 2)
    name = "cnn3_bp_7_10_grey_32_fc1_vector_centred_EVC_per_subject_all"
    effect = samples.effect([name])
    each = np.array([list(left_out_scores(model, one)) for one in subjects]).T
    scored = np.array([[spearmanr(model, one).statistic for one in subjects]])
    if goal == "stimuli":
        each, scored = each.mean(axis=1, keepdims=True), scored.mean(axis=1, keepdims=True)
        mean = samples.effect([name.replace("per_subject", "mean_rdm")])
        of_mean = list(left_out_scores(model, subjects.mean(axis=0)))
        np.testing.assert_allclose(mean.left_out[:, 0, 0], of_mean, atol=1e-12)
    else:
        assert samples.effect([name.replace("per_subject", "mean_rdm")]) is None
    np.testing.assert_allclose(effect.left_out[:, 0], each, atol=1e-12)
    np.testing.assert_allclose(effect.scores, scored, atol=1e-9)
    drawn = [draw["per_subject"] for draw in plain_draws(model, subjects)]
    np.testing.assert_allclose(effect.drawn.mean(axis=(1, 2)), drawn, atol=1e-6)


def test_rows_are_sorted_whatever_the_order_of_files(aligned):
    folder, *_ = aligned
    table = pd.read_csv(folder / "rule-bp_roi-EVC.csv")
    keys = [
        "network",
        "rule",
        "seed",
        "epoch",
        "stimuli",
        "size",
        "layer",
        "descriptor",
        "centring",
    ]
    assert list(table.columns) == [
        *keys,
        *("roi", "convention", "pairs", "n_stimuli", "n_pairs", "n_subjects"),
        *("score", "low", "high"),
    ]
    assert len(table) == len(SEEDS) * len(EPOCHS) * len(MEASURED) * 2
    pd.testing.assert_frame_equal(table, table.sort_values([*keys, "convention"]))
    assert set(table["pairs"]) == {"all"}
    assert set(table["n_stimuli"]) == {N}
    assert set(table["n_pairs"]) == {PAIRS}
    assert set(table["n_subjects"]) == {3}


def test_the_same_input_in_another_order_gives_the_same_bytes(aligned):
    folder, tables, draws, brains = aligned
    again = folder / "again.csv", folder / "again.h5"
    models = sorted(folder.glob("rule-bp_seed-*.h5"), reverse=True)
    align(models, brains["EVC"], Arm("cnn3", "bp"), "EVC", score_settings.alignment(), *again)
    assert again[0].read_bytes() == tables[0].read_bytes()
    assert again[1].read_bytes() == draws[0].read_bytes()


def test_alignment_over_seeds_averages_scores_and_draws(aligned):
    folder, tables, draws, _ = aligned
    output = folder / "alignment.csv"
    told = score_settings.table({"bp": SEEDS, "untrained": SEEDS})
    alignment_table(tables, draws, told, output)
    table = pd.read_csv(output)
    assert ",".join(table.columns) == (
        "network,rule,epoch,stimuli,size,layer,descriptor,centring,roi,convention,pairs,n_seeds,n_stimuli,"
        "n_pairs,n_subjects,score,low,high,seed_low,seed_high"
    )
    assert len(table) == 2 * 2 * len(EPOCHS) * len(MEASURED) * 2
    keys = {"rule": "untrained", "epoch": 10, "descriptor": "grid-8", "roi": "IT"}
    row = one_row(table, convention="per_subject", **keys)
    brains = brain_rdms("IT")
    models = [model_rdm("untrained", seed, 10, MEASURED[1]).astype(float) for seed in SEEDS]
    scores = [plain_scores(model, brains)["per_subject"] for model in models]
    sampled = np.mean(
        [[draw["per_subject"] for draw in plain_draws(model, brains)] for model in models], axis=0
    )
    assert row["n_seeds"] == 2
    assert row["score"] == pytest.approx(np.mean(scores), abs=1e-9)
    assert [row["seed_low"], row["seed_high"]] == pytest.approx(sorted(scores), abs=1e-9)
    expected = np.percentile(sampled, [5, 95])
    assert [row["low"], row["high"]] == pytest.approx(list(expected), abs=1e-6)


def test_every_subject_with_every_seed_equals_scipy(aligned):
    folder, tables, draws, _ = aligned
    outputs = folder / "alignment.csv", folder / "subjects.csv"
    told = score_settings.table({"bp": SEEDS, "untrained": SEEDS})
    alignment_table(tables, draws, told, *outputs)
    table = pd.read_csv(outputs[1])
    assert ",".join(table.columns) == (
        "network,rule,seed,epoch,stimuli,size,layer,descriptor,centring,roi,pairs,subject,score"
    )
    assert len(table) == 2 * 2 * len(SEEDS) * len(EPOCHS) * len(MEASURED) * 3
    keys = {"rule": "untrained", "seed": 7, "epoch": 2, "descriptor": "grid-8", "roi": "IT"}
    model = model_rdm("untrained", 7, 2, MEASURED[1]).astype(float)
    for subject, brain in enumerate(brain_rdms("IT")):
        row = one_row(table, subject=subject, **keys)
        assert row["score"] == pytest.approx(spearmanr(model, brain).statistic, abs=1e-9)
    alone = pd.read_csv(outputs[0]).query("convention == 'per_subject'")
    by = [name for name in table.columns if name not in ("seed", "subject", "score")]
    pd.testing.assert_series_equal(
        table.groupby(by)["score"].mean(), alone.set_index(by)["score"].sort_index()
    )


def test_ceilings_are_tabled_per_roi(aligned):
    folder, _, _, brains = aligned
    output = folder / "ceilings.csv"
    settings = CeilingSettings(study_seed=5, null_draws=40, interval=0.95, pairs="all")
    parts = [folder / f"roi-{roi}_ceiling.csv" for roi in ("IT", "EVC")]
    for roi, part in zip(("IT", "EVC"), parts, strict=True):
        roi_ceiling(brains[roi], roi, settings, part)
    ceilings_table(parts, ["IT", "EVC"], settings, output)
    table = pd.read_csv(output)
    assert ",".join(table.columns) == (
        "roi,convention,pairs,distance,acquisition,repetitions,n_subjects,n_stimuli,n_pairs,lower,"
        "upper,upper_any_model,lower_raw,upper_raw,null_lower_mean,null_lower_high,null_upper_mean,"
        "null_upper_high,reliability,null_reliability_high,informative,informative_by,reason"
    )
    assert list(table["roi"]) == ["EVC", "IT"]
    for roi in brains:
        row = one_row(table, roi=roi)
        bounds = [row[name] for name in ("lower", "upper", "upper_any_model")]
        assert bounds == pytest.approx(list(nili_bounds(brain_rdms(roi))), abs=1e-9)
        told = row[["distance", "acquisition", "repetitions", "n_subjects", "n_stimuli"]]
        assert list(told) == ["1 - Pearson", "3T", 2, 3, N]
    assert table["informative"].dtype == bool


LOG = "epoch,learning_rate,loss,held_out_accuracy,held_out_images,initial_hash,state_hash\n"


def test_training_is_tabled_at_every_checkpoint(tmp_path):
    logs, meta = [], []
    for rule, epoch, lines in [
        ("fa", 2, "1,0.1,2.25,,,,\n2,0.05,1.5,0.375,1000,a,b\n"),
        ("fa", 0, "0,,,0.1,1000,a,c\n"),
        ("untrained", 2, "2,,,0.125,500,a,c\n"),
    ]:
        log = tmp_path / f"{rule}_{epoch}.csv"
        log.write_text(LOG + lines)
        logs.append(log)
        meta.append(LoggedNetwork("cnn3", rule, rule, "default", 42, epoch, rule == "fa"))
    output = tmp_path / "training.csv"
    training_table(logs, meta, output)
    assert output.read_text().splitlines() == [
        "network,rule,kind,init,seed,epoch,trains,held_out_accuracy,held_out_images,loss",
        "cnn3,fa,fa,default,42,0,True,0.1,1000,",
        "cnn3,fa,fa,default,42,2,True,0.375,1000,1.5",
        "cnn3,untrained,untrained,default,42,2,False,0.125,500,",
    ]


def write_logs(folder, networks):
    """Write the log and description of networks: (rule, seed, epoch, initial hash, state hash)."""
    logs, meta = [], []
    for rule, seed, epoch, initial, state in networks:
        log = folder / f"{rule}_{seed}_{epoch}.csv"
        log.write_text(LOG + f"{epoch},0.1,2.0,0.5,100,{initial},{state}\n")
        logs.append(log)
        meta.append(LoggedNetwork("cnn3", rule, rule, "default", seed, epoch, True))
    return logs, meta


def test_two_trained_networks_with_one_state_stop_the_run(tmp_path):
    logs, meta = write_logs(
        tmp_path, [("bp", 1, 0, "a", "x"), ("fa", 1, 0, "a", "x"), ("bp", 1, 5, "a", "y")]
    )
    training_table(logs, meta, tmp_path / "t.csv")  # epoch 0 is the same for all rules
    logs, meta = write_logs(tmp_path, [("bp", 1, 0, "a", "x"), ("bp", 2, 0, "b", "x")])
    with pytest.raises(GuardError, match=r"'bp' \(bp\), seed 2, epoch 0 and .* seed 1, epoch 0"):
        training_table(logs, meta, tmp_path / "t.csv")
    logs, meta = write_logs(tmp_path, [("bp", 1, 5, "a", "y"), ("fa", 1, 5, "a", "y")])
    with pytest.raises(GuardError, match=r"'fa' .* seed 1, epoch 5 and .*'bp' .* seed 1, epoch 5"):
        training_table(logs, meta, tmp_path / "t.csv")


def test_rules_that_started_from_different_weights_stop_the_run(tmp_path):
    logs, meta = write_logs(tmp_path, [("bp", 1, 0, "a", "x"), ("bp", 2, 0, "b", "y")])
    training_table(logs, meta, tmp_path / "t.csv")  # seeds may differ
    logs, meta = write_logs(tmp_path, [("bp", 1, 0, "a", "x"), ("fa", 1, 0, "b", "z")])
    with pytest.raises(GuardError, match=r"seed 1: rules 'bp' and 'fa' started from different"):
        training_table(logs, meta, tmp_path / "t.csv")
