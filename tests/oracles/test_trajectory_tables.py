"""The table of trajectories against plain computations on the draws, and its planted faults."""

from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
from scipy.stats import t as student

from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.score_tables import BaselineSettings, TrajectorySettings
from rulealign.rsa.alignment import COLUMNS, row_ids
from rulealign.rsa.baseline_table import baselines_table
from rulealign.rsa.trajectory_table import trajectories_table
from rulealign.store import read_csv, write_csv, write_h5

DRAWS, EPOCHS, SEEDS, STIMULI, SUBJECTS = 120, (0, 1, 5), (42, 7, 9), 9, 4
SCORES = {"study_seed": 5, "bootstrap_draws": DRAWS, "interval": 0.9, "pairs": "all"}
MAP = [["cnn3", "conv1", "V1"], ["cnn3", "fc1", "IT"]]
SETTINGS = TrajectorySettings(
    **SCORES,
    layer_map=MAP,
    seeds={"cnn3": {"bp": list(SEEDS), "fa": [42]}},
    epochs={"bp": list(EPOCHS), "fa": list(EPOCHS)},
)
COMPARED = BaselineSettings(
    **SCORES,
    layer_map=MAP,
    generalise_to="stimuli",
    baselines={"cnn3": {"bp": "fa", "fa": "still"}},
)
SEEDS_OF = SETTINGS.seeds["cnn3"] | {"still": list(SEEDS)}
EPOCHS_OF = SETTINGS.epochs | {"still": [0]}
LAYERS = {"conv1": ("grid-8", "global-average"), "fc1": ("vector",)}


def aligned(folder, rule, roi, level=0.5, noise=0.005, **changed):
    """Write the table and draws of one rule and ROI: falling scores, and noise around them."""
    rng = np.random.default_rng(len(rule) * 7 + ord(rule[0]) + ord(roi[0]))
    keys = [
        (
            "cnn3",
            rule,
            seed,
            epoch,
            "grey",
            32,
            layer,
            descriptor,
            "centred",
            roi,
            convention,
            "all",
        )
        for seed in SEEDS_OF[rule]
        for epoch in EPOCHS_OF[rule]
        for layer, descriptors in LAYERS.items()
        for descriptor in descriptors
        for convention in ("mean_rdm", "per_subject")
    ]
    names = [*COLUMNS[:10], "convention", "pairs"]
    rows = pd.DataFrame(keys, columns=names)
    fall = 1 - 0.6 * (rows["epoch"] > 0) - 0.02 * rows["epoch"]
    rows["score"] = (level * fall + rng.normal(0, noise, len(rows))).round(6)
    rows = rows.assign(n_stimuli=9, n_pairs=36, n_subjects=4, low=0.0, high=0.0)[list(COLUMNS)]
    draws = rows["score"].to_numpy() + rng.normal(0, noise, (DRAWS, len(rows)))
    table = folder / f"rule-{rule}_roi-{roi}.csv"
    write_csv(table, rows)
    write(table, rows, draws, **changed)
    return table


def write(table, rows, draws, *, samples=True, **changed):
    """Write draws, and what primary intervals need: over stimuli alone, and over subjects."""
    rng = np.random.default_rng(len(table.name))
    own = rows[rows["convention"] == "per_subject"]
    ids = {"row": row_ids(rows), "stimulus": [f"s{place}" for place in range(STIMULI)]}
    ids |= {"subject_row": row_ids(own), "sampled_row": row_ids(rows)}
    path = table.with_name(f"{table.stem}_draws.h5")
    about = {"pairs_hash": "all"}
    arrays = {"draws": draws.astype(np.float32)}
    by_stimulus = rng.normal(0, 0.002, (STIMULI, 1))
    noise = rng.normal(0, 0.001, (STIMULI, len(rows)))
    if samples:
        arrays["left_out"] = rows["score"].to_numpy() + by_stimulus + noise
    write_h5(path, arrays, ids=ids, settings=SCORES | changed, attributes=about)


def draws_of(tables):
    return [table.with_name(f"{table.stem}_draws.h5") for table in tables]


def all_tables(folder, **how):
    return [aligned(folder, rule, roi, **how) for rule in ("bp", "fa") for roi in ("V1", "IT")]


@pytest.fixture
def measured(tmp_path):
    tables = all_tables(tmp_path)
    trajectories_table(tables, draws_of(tables), SETTINGS, tmp_path / "trajectories.csv")
    return tables, pd.read_csv(tmp_path / "trajectories.csv")


def plain(table, layer, descriptor, convention):
    """Average scores and draws over seeds, epoch by epoch: the score first, then the draws."""
    rows = pd.read_csv(table)
    with h5py.File(draws_of([table])[0]) as file:
        draws = file["draws"][()].astype(float)
    both, courses = np.vstack([rows["score"], draws]), []
    for epoch in EPOCHS:
        own = (rows["epoch"] == epoch) & (rows["layer"] == layer)
        own &= (rows["descriptor"] == descriptor) & (rows["convention"] == convention)
        assert own.sum() == len(SEEDS_OF[rows["rule"][0]])
        courses.append(both[:, own.to_numpy()].mean(axis=1))
    return np.array(courses).T


@pytest.mark.parametrize("place", range(4))
@pytest.mark.parametrize("convention", ["per_subject", "mean_rdm"])
def test_measures_equal_plain_ones_on_means_over_seeds(measured, place, convention):
    tables, found = measured
    roi = ("V1", "IT")[place % 2]
    layer = {"V1": "conv1", "IT": "fc1"}[roi]
    for descriptor in LAYERS[layer]:
        both = plain(tables[place], layer, descriptor, convention)
        expected = {
            "drop_after_first_epoch": both[:, 0] - both[:, 1],
            "relative_drop_after_first_epoch": (both[:, 0] - both[:, 1]) / both[:, 0],
            "net_change": both[:, 2] - both[:, 0],
            "area_under_curve": (both[:, :2].sum(1) / 2 + 4 * both[:, 1:].sum(1) / 2) / 5,
            "epoch_of_half_decay": 0.5 * both[:, 0] / (both[:, 0] - both[:, 1]),
        }
        rows = found[(found["rule"] == ("bp", "fa")[place // 2]) & (found["roi"] == roi)]
        rows = rows[(rows["descriptor"] == descriptor) & (rows["convention"] == convention)]
        rows = rows.set_index("measure")
        assert sorted(rows.index) == sorted(expected)
        for name, values in expected.items():
            row = rows.loc[name]
            assert row["value"] == pytest.approx(values[0], abs=1e-7)
            ends = np.percentile(values[1:], [5, 95])
            assert [row["low"], row["high"]] == pytest.approx(list(ends), abs=1e-7)
            assert row["n_seeds"] == len(SEEDS_OF[row["rule"]])


def test_only_pairs_of_the_layer_map_are_measured(measured):
    _, found = measured
    pairs = set(zip(found["layer"], found["roi"], strict=True))
    assert pairs == {("conv1", "V1"), ("fc1", "IT")}
    # 2 rules x (2 descriptors of conv1 + 1 of fc1) x 2 conventions x 5 measures
    assert len(found) == 2 * 3 * 2 * 5


def test_shares_of_a_baseline_near_zero_are_missing_with_their_reason(tmp_path):
    tables = all_tables(tmp_path, level=-0.1, noise=0.02)
    trajectories_table(tables, draws_of(tables), SETTINGS, tmp_path / "t.csv")
    rows = pd.read_csv(tmp_path / "t.csv")
    shares = rows["measure"].isin(["relative_drop_after_first_epoch", "epoch_of_half_decay"])
    assert rows.loc[shares, ["value", "low", "high"]].isna().all().all()
    assert rows.loc[shares, "reason"].str.contains("baseline that may be 0 or below").all()
    assert rows.loc[~shares, ["value", "low", "high"]].notna().all().all()
    assert rows.loc[~shares, "reason"].isna().all()


def test_the_order_of_files_changes_no_byte(measured, tmp_path):
    tables = measured[0][::-1]
    trajectories_table(tables, draws_of(tables), SETTINGS, tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "trajectories.csv").read_bytes()


def refused(tables, folder, error, message, **changed):
    settings = replace(SETTINGS, **changed)
    with pytest.raises(error, match=message):
        trajectories_table(tables, draws_of(tables), settings, folder / "no.csv")
    assert not (folder / "no.csv").exists()


@pytest.mark.parametrize(
    "other", [{"study_seed": 6}, {"interval": 0.8}, {"bootstrap_draws": 50}, {"pairs": "cross_run"}]
)
def test_draws_of_other_settings_are_not_mixed(measured, tmp_path, other):
    tables = measured[0]
    changed = aligned(tmp_path, "fa", "IT", **other)
    refused([*tables[:3], changed], tmp_path, GuardError, "rule-fa_roi-IT_draws.h5: was made with")


def test_an_incomplete_run_is_refused_by_name(measured, tmp_path):
    tables = measured[0]
    refused(
        tables[:3],
        tmp_path,
        DataError,
        "no alignment table has the course of cnn3 by fa, fc1 with IT",
    )
    refused([], tmp_path, DataError, "0 alignment tables need as many draws")
    refused(
        [*tables, tables[0]], tmp_path, DataError, "two alignment tables have the course cnn3_bp_"
    )
    epochs = {"epochs": SETTINGS.epochs | {"fa": [0, 1, 5, 9]}}
    refused(tables, tmp_path, DataError, "rule-fa_roi-V1.csv: .*seed 42 at epoch 9", **epochs)
    seeds = {"seeds": {"cnn3": {"bp": [42], "fa": [42]}}}
    refused(tables, tmp_path, DataError, "rule-bp_roi-V1.csv: .*seed 7 at epoch 0", **seeds)
    only = {"seeds": {"cnn3": {"bp": list(SEEDS)}}}
    refused(
        tables, tmp_path, DataError, "cnn3 by fa is no arm of the study with two epochs", **only
    )


def test_draws_beside_another_table_are_refused(measured, tmp_path):
    tables = measured[0]
    tables[0].with_name(f"{tables[0].stem}_draws.h5").write_bytes(
        tables[2].with_name(f"{tables[2].stem}_draws.h5").read_bytes()
    )
    refused(tables, tmp_path, DataError, "different ids: at place 0 'cnn3_bp_42.*' and 'cnn3_fa_42")


def test_too_few_draws_name_the_course(measured, tmp_path):
    tables, few = measured[0], {"interval": 0.99}
    for table in tables:
        rows = pd.read_csv(table)
        write(table, rows, np.zeros((DRAWS, len(rows))), **few)
    message = "cnn3_bp_grey_32_.*an interval of 0.99 needs at least 200 draws, not 120"
    refused(tables, tmp_path, DataError, message, **few)


def compared(folder):
    return [aligned(folder, rule, roi) for rule in ("bp", "fa", "still") for roi in ("V1", "IT")]


def test_a_rule_less_its_baseline_is_a_plain_difference_at_the_same_epoch_and_seeds(tmp_path):
    # fa trains, with one seed: at the epoch of bp; still does not: its epoch 0 for every epoch
    tables = compared(tmp_path)
    baselines_table(tables, draws_of(tables), COMPARED, tmp_path / "b.csv")
    found = read_csv(tmp_path / "b.csv")
    scores, sampled = {}, {}
    for table, path in zip(tables, draws_of(tables), strict=True):
        with h5py.File(path) as file:
            draws = file["draws"][()].astype(np.float64)
        for place, row in read_csv(table).iterrows():
            key = tuple(row[name] for name in COLUMNS[: COLUMNS.index("n_stimuli")])
            scores[key], sampled[key] = row["score"], draws[:, place]
    expected = 0
    for key in scores:
        one = dict(zip(COLUMNS, key, strict=False))
        rule, epoch = one["rule"], one["epoch"]
        mapped = [one["network"], one["layer"], one["roi"]] in MAP
        if rule == "still" or epoch == 0 or one["seed"] != 42 or not mapped:
            continue
        base, at = {"bp": ("fa", epoch), "fa": ("still", 0)}[rule]
        other = ("cnn3", base, 42, at, *key[4:])
        named = {name: value for name, value in one.items() if name != "seed"}
        named |= {"baseline": base}
        same = (found[list(named)] == list(named.values())).all(axis=1)
        (row,) = found[same].to_dict("records")
        assert row["score"] == pytest.approx(scores[key] - scores[other], abs=1e-12)
        ends = np.percentile(sampled[key] - sampled[other], [5, 95])
        assert [row["percentile_low"], row["percentile_high"]] == pytest.approx(
            list(ends), abs=1e-9
        )
        assert row["seed_low"] == row["seed_high"] == row["score"]
        expected += 1
    assert len(found) == expected == 2 * 2 * 3 * 2  # rules, epochs, descriptors of both pairs


def test_a_baseline_over_several_seeds_is_matched_seed_by_seed(tmp_path):
    tables = compared(tmp_path)
    only = replace(COMPARED, baselines={"cnn3": {"bp": "still"}}, layer_map=MAP[1:])
    baselines_table(tables, draws_of(tables), only, tmp_path / "b.csv")
    row = read_csv(tmp_path / "b.csv").query("epoch == 5 and convention == 'per_subject'").iloc[0]
    bp, still = (
        read_csv(tmp_path / f"rule-{rule}_roi-IT.csv").query(
            f"layer == 'fc1' and convention == 'per_subject' and epoch == {epoch}"
        )
        for rule, epoch in (("bp", 5), ("still", 0))
    )
    each = bp.set_index("seed")["score"] - still.set_index("seed")["score"]
    assert row["n_seeds"] == 3
    assert row["score"] == pytest.approx(each.mean(), abs=1e-9)
    assert [row["seed_low"], row["seed_high"]] == pytest.approx([each.min(), each.max()])


def sides_of(tables, at):
    """Read scores, draws and left-out scores of a rule's rows at one place, a column per seed."""
    found = {}
    for table, path in zip(tables, draws_of(tables), strict=True):
        rows = read_csv(table)
        own = rows[(rows[list(at)] == list(at.values())).all(axis=1)]
        with h5py.File(path) as file:
            arrays = [file[name][:, own.index].astype(float) for name in ("draws", "left_out")]
        found[rows["rule"][0]] = own.set_index("seed"), *arrays
    return found


def contrast(sides, rule, baseline, seeds, epoch):
    """Subtract a baseline seed by seed: effects, draws and left-out scores."""
    parts = []
    for name, at in ((rule, epoch), (baseline, 0 if baseline == "still" else epoch)):
        rows, *arrays = sides[name]
        places = [list(zip(rows.index, rows["epoch"], strict=True)).index((s, at)) for s in seeds]
        parts.append([rows["score"].to_numpy()[places], *(one[:, places] for one in arrays)])
    return [one - other for one, other in zip(*parts, strict=True)]


@pytest.mark.parametrize(
    ("rule", "baseline", "seeds", "over"),
    [
        ("bp", "still", [42, 7, 9], "stimuli, seeds"),
        ("fa", "still", [42], "stimuli, seeds (variance pooled over rules)"),
        ("fa", "still", [42], "stimuli, these seeds only"),
    ],
)
def test_the_interval_is_the_primary_one_by_a_plain_computation(
    tmp_path, rule, baseline, seeds, over
):
    tables = compared(tmp_path)
    named = {rule: baseline} if "pooled" not in over else {"bp": "still", rule: baseline}
    told = replace(COMPARED, baselines={"cnn3": named}, layer_map=MAP[1:])
    baselines_table(tables, draws_of(tables), told, tmp_path / "b.csv")
    at = {"layer": "fc1", "roi": "IT", "convention": "per_subject"}
    sides = sides_of(tables[1::2], at)
    for epoch in (1, 5):
        by_seed, drawn, without = contrast(sides, rule, baseline, seeds, epoch)
        jackknife = (STIMULI - 1) ** 2 / STIMULI * np.atleast_2d(np.cov(without.T))
        both = 2 * jackknife - np.atleast_2d(np.cov(drawn.T))
        # what different seeds have in common; all of a single one
        taken = ~np.eye(len(seeds), dtype=bool) if len(seeds) > 1 else np.ones((1, 1), dtype=bool)
        most = max(jackknife[taken].mean(), 0)
        parts = [(min(max(both[taken].mean(), most / 2), most), STIMULI - 1)]
        if over.endswith("stimuli, seeds"):
            parts.append((by_seed.var(ddof=1) / 3, 2))
        elif "pooled" in over:
            # fa has a single seed: what is known is bp's difference from the same baseline
            bp, *_ = contrast(sides, "bp", baseline, [42, 7, 9], epoch)
            parts.append((bp.var(ddof=1), 2))
        variance = sum(part for part, _ in parts)
        freedom = variance**2 / sum(part**2 / own for part, own in parts)
        reach = student.ppf(0.95, freedom) * np.sqrt(variance)
        found = read_csv(tmp_path / "b.csv").query(
            f"epoch == {epoch} and convention == 'per_subject' and rule == '{rule}'"
        )
        (row,) = found.to_dict("records")
        assert row["generalises_to"] == over
        assert row["standard_error"] == pytest.approx(np.sqrt(variance))
        assert row["degrees_of_freedom"] == pytest.approx(freedom)
        ends = by_seed.mean() - reach, by_seed.mean() + reach
        assert [row["low"], row["high"]] == pytest.approx(ends)
        p = 2 * student.sf(abs(by_seed.mean()) / np.sqrt(variance), freedom)
        assert row["p"] == pytest.approx(p)


def test_differences_without_samples_or_enough_draws_have_no_interval(tmp_path):
    tables = compared(tmp_path)
    rows = read_csv(tables[0])
    draws_of(tables)[0].unlink()
    write(tables[0], rows, np.zeros((DRAWS, len(rows))), samples=False)
    with pytest.raises(
        DataError, match=r"bp_roi-V1_draws.h5: has no scores of cnn3_bp_42_.*delete"
    ):
        baselines_table(tables, draws_of(tables), COMPARED, tmp_path / "b.csv")
    few = {"bootstrap_draws": 60}
    for table in tables:
        rows = read_csv(table)
        write(table, rows, rows["score"].to_numpy() + np.eye(60, len(rows)), **few)
    baselines_table(tables, draws_of(tables), replace(COMPARED, **few), tmp_path / "b.csv")
    found = read_csv(tmp_path / "b.csv")
    assert found[["low", "high", "p"]].isna().all().all()
    assert found["reason"].str.contains("needs 100 draws or more, not 60").all()
    assert found["percentile_low"].notna().all()


def test_a_baseline_without_what_its_rule_has_is_named(tmp_path):
    tables = compared(tmp_path)
    rows = read_csv(tables[2]).query("epoch != 5").reset_index(drop=True)  # fa with V1
    write_csv(tables[2], rows)
    draws_of(tables)[2].unlink()
    write(tables[2], rows, np.zeros((DRAWS, len(rows))))
    with pytest.raises(DataError, match=r"fa has no score of cnn3_grey.*_5, which its rule"):
        baselines_table(tables, draws_of(tables), COMPARED, tmp_path / "b.csv")
    with pytest.raises(DataError, match="no alignment table of cnn3 by fa with V1"):
        baselines_table(tables[:2], draws_of(tables[:2]), COMPARED, tmp_path / "b.csv")


def test_without_baselines_the_table_is_empty_but_has_its_columns(tmp_path):
    baselines_table([], [], replace(COMPARED, baselines={"cnn3": {}}), tmp_path / "b.csv")
    assert read_csv(tmp_path / "b.csv").empty
