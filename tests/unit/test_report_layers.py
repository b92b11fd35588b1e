"""The page's tables of layers and of courses: their values, and what is missing or wrong."""

import re

import numpy as np
import pandas as pd
import pytest

import report_tables
from complete_studies import complete
from report_study import page_study
from rulealign.config.load import load_study
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.score_tables import TrajectorySettings
from rulealign.report import baselines, layers, select, trajectory_table
from rulealign.rsa.trajectory import HALF_DECAY, RELATIVE_DROP
from rulealign.store import read_csv, write_csv

RULES, ROIS = ("untrained", "bp", "fa"), ("V1", "IT")
STUDY = page_study()
MAP = [pair.model_dump() for pair in STUDY.layer_map]
VIEW = STUDY.report


def _alignment(rng):
    rows = [
        (rule, epoch, "grey", size, layer, descriptor, "centred", roi, convention, "all", 2)
        for rule in RULES
        for epoch in ([0] if rule == "untrained" else [0, 1, 5])
        for size in (32, 224)
        for layer in ("conv1", "conv2", "fc1")
        for descriptor in (["vector"] if layer == "fc1" else ["grid-8", "global-average"])
        for roi in ROIS
        for convention in ("per_subject", "mean_rdm")
    ]
    names = "rule,epoch,stimuli,size,layer,descriptor,centring,roi,convention,pairs,n_seeds"
    table = pd.DataFrame(rows, columns=names.split(",")).assign(network="cnn3")
    table["score"] = rng.normal(0, 0.1, len(table))
    extra = ("low", "high", "seed_low", "seed_high", "n_stimuli", "n_pairs", "n_subjects")
    return table.assign(**dict.fromkeys(extra, 1))


@pytest.fixture
def tables(tmp_path):
    rng, made = np.random.default_rng(3), {}
    made["alignment"] = _alignment(rng)
    made["layers"] = report_tables.layers_of(made["alignment"], MAP, rng)
    made["trajectories"] = report_tables.courses_of(made["alignment"], MAP, rng)
    made["baselines"] = report_tables.baselines_of(made["alignment"], MAP, rng)
    for name, table in made.items():
        write_csv(tmp_path / f"{name}.csv", table)
        made[name] = read_csv(tmp_path / f"{name}.csv")
    return made


def values(cell):
    return [float(value) for value in re.findall(r'value="([^"]+)"', str(cell))]


def text(cell):
    return re.sub("<[^>]+>", "", str(cell))


def shown(tables, convention="per_subject"):
    beside = select.at_view(tables["alignment"], VIEW, convention=convention)
    rows = layers.at_view(tables["layers"], VIEW, beside, convention)
    return rows, layers.layers_by_rois(STUDY, RULES, rows)


@pytest.mark.parametrize("convention", ["per_subject", "mean_rdm"])
def test_layers_are_those_of_the_view_at_the_last_epoch_of_each_rule(tables, convention):
    _, table = shown(tables, convention)
    assert table.head == ["rule", "layer", "V1", "IT", "mean vector"]
    every = ["conv1", "conv2", "fc1", "chosen layer"]
    assert [row[:2] for row in table.rows] == [[rule, one] for rule in RULES for one in every]
    csv = tables["layers"]
    for rule, layer, *cells, share in table.rows:
        wanted = {"rule": rule, "size": 32, "among": "grid-8", "convention": convention}
        wanted |= {"epoch": 0 if rule == "untrained" else 5}
        own = csv[(csv[list(wanted)] == pd.Series(wanted)).all(axis=1)]
        for cell, roi in zip(cells, ROIS, strict=True):
            rows = own[own["roi"] == roi]
            if layer == layers.NESTED:
                assert values(cell) == rows["nested"].unique().tolist()
                continue
            (row,) = rows[rows["layer"] == layer].to_dict("records")
            assert values(cell) == [row["score"], row["chosen"]]
            fixed = {"layer": layer, "roi": roi} in MAP
            assert ("<strong>" in str(cell)) == fixed == row["fixed"]
        if layer != layers.NESTED:
            first = own[(own["layer"] == layer) & (own["roi"] == "V1")]
            assert values(share) == first["mean_vector_share"].tolist()


def test_a_choice_that_could_not_be_made_is_missing_and_the_caption_says_why(tables):
    columns = ["chosen", "nested", "held_out"]
    tables["layers"] = tables["layers"].assign(**dict.fromkeys(columns, np.nan), reason="no folds")
    _, table = shown(tables)
    assert table.caption.endswith("No folds.")
    nested = [row for row in table.rows if row[1] == layers.NESTED]
    assert {text(cell) for row in nested for cell in row[2:4]} == {"not measured"}
    assert all(len(values(cell)) == 1 for row in table.rows[:3] for cell in row[2:4])


def test_layers_of_another_view_or_pairs_or_twice_are_refused(tables):
    rows, _ = shown(tables)
    with pytest.raises(DataError, match="no rows for .*64"):
        layers.at_view(tables["layers"], VIEW.model_copy(update={"size": 64}), rows)
    with pytest.raises(GuardError, match="'all', 'cross_run'"):
        layers.at_view(tables["layers"].assign(pairs="cross_run"), VIEW, rows)
    with pytest.raises(DataError, match="bp, conv1, V1 2 times"):
        layers.layers_by_rois(STUDY, RULES, pd.concat([rows, rows[rows["rule"] == "bp"].head(1)]))


def test_courses_are_the_csvs_with_a_table_per_pair_and_no_row_for_untrained_rules(tables):
    made = trajectory_table.courses(STUDY, tables, VIEW)
    assert [table.caption[:9] for table in made] == ["conv1 → V", "fc1 → IT:"]
    csv = tables["trajectories"]
    for table, pair in zip(made, MAP, strict=True):
        assert [row[0] for row in table.rows] == ["bp", "fa"]
        descriptor = "vector" if pair["layer"] == "fc1" else "grid-8"
        for rule, *cells in table.rows:
            wanted = {"rule": rule, "size": 32, "descriptor": descriptor, **pair}
            wanted |= {"convention": "per_subject"}
            own = csv[(csv[list(wanted)] == pd.Series(wanted)).all(axis=1)]
            own = own.set_index("measure")
            for cell, name in zip(cells, trajectory_table.HEADS, strict=True):
                row = own.loc[name, ["value", "low", "high"]].dropna()
                assert values(cell) == row.tolist()
                assert bool(re.search(r"\(\d\)$", text(cell))) == pd.notna(own.loc[name, "reason"])


def test_each_rule_is_held_against_its_baseline_epoch_by_epoch(tables):
    made = baselines.comparisons(STUDY, tables, VIEW)
    csv = tables["baselines"].query("size == 32 and convention == 'per_subject'")
    for table, pair in zip(made, MAP, strict=True):
        descriptor = "vector" if pair["layer"] == "fc1" else "grid-8"
        own = csv[(csv["layer"] == pair["layer"]) & (csv["descriptor"] == descriptor)]
        own = own[own["roi"] == pair["roi"]].set_index(["rule", "epoch"])
        assert table.head == ["rule − baseline", "epoch 1", "epoch 5"]
        assert [row[0] for row in table.rows] == ["bp − untrained_bn", "fa − untrained_bn"]
        for rule, row in zip(("bp", "fa"), table.rows, strict=True):
            for epoch, cell in zip((1, 5), row[1:], strict=True):
                expected = own.loc[(rule, epoch), ["score", "low", "high"]]
                assert values(cell) == expected.tolist()
        assert "[95% interval], over the seeds" in table.caption
        assert table.caption.endswith("Intervals are over stimuli, seeds.")
    without = {"low": np.nan, "high": np.nan, "generalises_to": np.nan, "reason": "too few draws"}
    lost = tables | {"baselines": tables["baselines"].assign(**without)}
    table = baselines.comparisons(STUDY, lost, VIEW)[0]
    assert "Intervals" not in table.caption
    assert text(table.rows[0][1]).endswith("too few draws")
    assert baselines.comparisons(STUDY, {"alignment": tables["alignment"]}, VIEW) == []
    tables["baselines"] = tables["baselines"].assign(pairs="cross_run")
    with pytest.raises(GuardError, match="'all', 'cross_run'"):
        baselines.comparisons(STUDY, tables, VIEW)


def test_what_is_missing_has_its_reason_below(tables):
    table = trajectory_table.courses(STUDY, tables, VIEW)[0]
    places = list(trajectory_table.HEADS)
    bp, fa = (row[1:] for row in table.rows)
    assert text(fa[places.index(RELATIVE_DROP)]) == "none (2)"
    assert "(2) fa: its baseline may be 0." in table.caption
    assert re.search(r", open\] \(1\)$", text(bp[places.index(HALF_DECAY)]))
    assert "(1) bp: the upper end is open." in table.caption


def test_without_a_trained_rule_there_are_no_courses(tables):
    del tables["trajectories"]
    assert trajectory_table.courses(STUDY, tables, VIEW) == []


def test_courses_that_lack_a_measure_or_the_view_are_refused(tables):
    table = tables["trajectories"]
    tables["trajectories"] = table[~((table["measure"] == HALF_DECAY) & (table["rule"] == "fa"))]
    with pytest.raises(DataError, match="of fa, not each once"):
        trajectory_table.courses(STUDY, tables, VIEW)
    tables["trajectories"] = table[table["layer"] != "fc1"]
    with pytest.raises(DataError, match="no course of cnn3, fc1, IT"):
        trajectory_table.courses(STUDY, tables, VIEW)
    tables["trajectories"] = table[table["size"] != 32]
    with pytest.raises(DataError, match="no rows for"):
        trajectory_table.courses(STUDY, tables, VIEW)


def test_courses_over_other_pairs_than_the_scores_are_refused(tables):
    tables["trajectories"] = tables["trajectories"].assign(pairs="cross_run")
    with pytest.raises(GuardError, match="'all', 'cross_run'"):
        trajectory_table.courses(STUDY, tables, VIEW)


def test_the_default_study_has_courses_of_its_trained_rules_alone(project):
    values = complete(project / "workflow_config.yaml")
    study = load_study(values)
    rules = study.trajectory_rules()
    assert set(rules) == {rule for rule in study.rules if study.trains(rule)}
    assert set(TrajectorySettings.of(study).epochs) == set(rules)
