"""Did each rule learn? The table, its judgement (guard 11), and how the report shows it."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from rulealign.errors import DataError
from rulealign.learning.rules.bp import Backpropagation
from rulealign.learning.rules.stdp import Stdp
from rulealign.learning.rules.untrained_bn import UntrainedBatchNorm
from rulealign.learning.tables import diagnostics_table
from rulealign.learning.verdict import (
    above_chance,
    learned,
    mostly_dead,
    silent_words,
    warnings,
)
from rulealign.plan.settings.report import FigureSettings
from rulealign.report import learning, tabulate
from rulealign.report.style import COLOURS
from rulealign.store import read_csv, write_csv
from scene import scene

LAYERS = ["conv1", "conv2", "conv3", "fc1", "fc2"]
EPOCHS = (0, 1, 10)
SEEDS = (42, 123)
RULES = ["untrained_bn", "bp", "local"]
REMEDIES = {
    "untrained_bn": UntrainedBatchNorm.Settings(kind="untrained_bn").fewer_dead_units(),
    "bp": Backpropagation.Settings(kind="bp").fewer_dead_units(),
    "local": Stdp.Settings(kind="stdp").fewer_dead_units(),
}


def network_rows(rule, seed, epoch):
    """Give the diagnostics of one network whose numbers follow from rule, seed and epoch."""
    trained, place = rule != "untrained_bn", 1 + SEEDS.index(seed)
    rows = []
    for depth, layer in enumerate(LAYERS, start=1):
        conv = layer.startswith("conv")
        angle = (0 if rule == "bp" else 100 - 5 * depth - epoch - place) if trained else np.nan
        rows.append(
            {
                **{
                    "network": "cnn3",
                    "rule": rule,
                    "kind": rule,
                    "seed": seed,
                    "epoch": epoch,
                    "layer": layer,
                },
                "convolution": conv,
                "weight_change": 0.02 * depth * epoch * place * trained,
                "dead_units": np.nan if layer == "fc2" else 0.01 * depth,
                "angle_to_bp": angle,
                "effective_rank": 10.0 * depth + place if rule == "bp" else np.nan,
                "rerun_drift": 0.0 if trained else np.nan,
                "norm_mean_drift": 0.1 if conv and epoch else np.nan,
                "norm_variance_drift": 0.2 if conv and epoch else np.nan,
            }
        )
    return rows


def networks():
    for rule, seed in itertools.product(RULES, SEEDS):
        for epoch in EPOCHS if rule != "untrained_bn" else (0,):
            yield rule, seed, epoch


def make_training():
    columns = ["network", "rule", "kind", "init", "seed", "epoch", "trains", "held_out_accuracy"]
    rows = [
        (
            "cnn3",
            rule,
            rule,
            "default",
            seed,
            epoch,
            rule != "untrained_bn",
            0.1 + epoch / 50 + seed / 1e4,
        )
        for rule, seed, epoch in networks()
    ]
    return pd.DataFrame(rows, columns=columns).assign(held_out_images=1000, loss=1.0)


def make_parts():
    parts = {}
    for rule, seed, epoch in networks():
        parts.setdefault((rule, seed), []).extend(network_rows(rule, seed, epoch))
    return {key: pd.DataFrame(rows) for key, rows in parts.items()}


def joined(folder, parts=None, training=None):
    files = []
    for (rule, seed), rows in (parts or make_parts()).items():
        files.append(folder / f"rule-{rule}_seed-{seed}.csv")
        write_csv(files[-1], rows)
    training = make_training() if training is None else training
    # any order must do
    write_csv(folder / "training.csv", training.sample(frac=1, random_state=1))
    diagnostics_table(files, folder / "training.csv", 10, folder / "diagnostics.csv")
    return read_csv(folder / "diagnostics.csv")


@pytest.fixture
def table(tmp_path):
    return joined(tmp_path)


# --- the table ------------------------------------------------------------------------------------


def test_accuracy_is_joined_by_rule_seed_and_epoch(table):
    assert len(table) == len(list(networks())) * len(LAYERS)
    for _, row in table.iterrows():
        accuracy = 0.1 + row["epoch"] / 50 + row["seed"] / 1e4
        assert row["held_out_accuracy"] == pytest.approx(accuracy, rel=1e-9)
        depth = 1 + LAYERS.index(row["layer"])
        change = 0.02 * depth * row["epoch"] * (1 + SEEDS.index(row["seed"]))
        assert row["weight_change"] == pytest.approx(change if row["trains"] else 0, rel=1e-9)
    assert set(table["chance"]) == {0.1}
    assert not table.duplicated(["rule", "seed", "epoch", "layer"]).any()


def drop(rows, wanted):
    return rows[~(rows[list(wanted)] == pd.Series(wanted)).all(axis=1)]


def test_a_missing_layer_network_or_accuracy_is_named(tmp_path):
    parts = make_parts()
    parts["bp", 42] = drop(parts["bp", 42], {"epoch": 10, "layer": "conv2"})
    with pytest.raises(DataError, match=r"rule 'bp' \(bp\), seed 42, epoch 10: has the layers"):
        joined(tmp_path, parts)
    parts = make_parts()
    parts["bp", 42] = drop(parts["bp", 42], {"epoch": 1})
    with pytest.raises(DataError, match=r"rule 'bp' .*seed 42, epoch 1 is missing from the diagn"):
        joined(tmp_path, parts)
    parts = make_parts()
    del parts["local", 123]
    with pytest.raises(DataError, match=r"'local' .*seed 123.* is missing from the diagnostics"):
        joined(tmp_path, parts)
    training = drop(make_training(), {"rule": "local", "seed": 123, "epoch": 1})
    with pytest.raises(DataError, match=r"'local' .*123, epoch 1 is missing from .*training\.csv"):
        joined(tmp_path, training=training)
    assert not (tmp_path / "diagnostics.csv").exists()


def test_another_kind_and_rows_that_are_there_twice_are_named(tmp_path):
    parts = make_parts()
    parts["bp", 42] = parts["bp", 42].assign(kind="fa")
    with pytest.raises(DataError, match=r"rule 'bp' \(bp\), seed 42, epoch 0 is missing"):
        joined(tmp_path, parts)
    parts = make_parts()
    parts["bp", 42] = pd.concat([parts["bp", 42], parts["bp", 42]])
    with pytest.raises(DataError, match=r"rule 'bp'.*'conv1', 'conv1'"):
        joined(tmp_path, parts)
    training = pd.concat([make_training(), make_training().iloc[-1:]])
    with pytest.raises(DataError, match=r"rule 'local'.*epoch 10 appears twice"):
        joined(tmp_path, training=training)


# --- guard 11 -------------------------------------------------------------------------------------


def plant(table, column, value, **where):
    changed = table.copy()
    changed.loc[(table[list(where)] == pd.Series(where)).all(axis=1), column] = value
    return changed


def test_rules_that_move_and_know_something_have_learned(table):
    verdicts = learned(table, RULES)
    assert list(verdicts) == RULES
    assert [one.words for one in verdicts.values()] == ["does not train", "learns", "learns"]
    assert not any(one.doubtful for one in verdicts.values())
    assert warnings(table, REMEDIES) == []


def test_a_conv_layer_that_moves_half_a_percent_in_one_seed_is_named(table):
    faulty = plant(table, "weight_change", 0.005, rule="local", seed=123, epoch=10, layer="conv2")
    verdict = learned(faulty, RULES)["local"]
    assert verdict.doubtful
    assert verdict.still == (("conv2", 0.005),)
    assert verdict.words == "does not learn: not all conv layers move (conv2 0.50%)"
    assert warnings(faulty, REMEDIES) == [f"WARNING: network 'cnn3', rule 'local' {verdict.words}"]
    assert learned(faulty, RULES)["bp"].words == "learns"


@pytest.mark.parametrize(("change", "still"), [(0.00999, True), (0.01, False), (np.nan, True)])
def test_one_percent_is_the_limit_and_nan_is_no_movement(table, change, still):
    faulty = plant(table, "weight_change", change, rule="bp", seed=42, epoch=10, layer="conv3")
    assert learned(faulty, ["bp"])["bp"].doubtful == still


def test_movement_counts_at_the_last_checkpoint_and_in_conv_layers(table):
    early = plant(table, "weight_change", 0.0, rule="bp", epoch=1)
    for layer in ("fc1", "fc2"):
        early = plant(early, "weight_change", 0.0, rule="bp", epoch=10, layer=layer)
    assert learned(early, ["bp"])["bp"].words == "learns"


def test_a_rule_that_teaches_the_readout_alone_is_named(table):
    for layer in ("conv1", "conv2", "conv3"):
        table = plant(table, "weight_change", 0.0, rule="local", layer=layer)
    assert learned(table, RULES)["local"].words == (
        "does not learn: conv layers do not move (conv1 0.00%, conv2 0.00%, conv3 0.00%)"
    )


def test_accuracy_at_chance_is_named_with_its_seed(table):
    # p + 3 sqrt(p (1 - p) / n) for p = .1, n = 1000
    limit = 0.1 + 3 * np.sqrt(0.09 / 1000)
    assert above_chance(0.1, 1000) == pytest.approx(limit, rel=1e-12)
    for value, doubtful in ((0.1, True), (limit - 1e-6, True), (limit + 1e-6, False), (np.nan, 1)):
        faulty = plant(table, "held_out_accuracy", value, rule="bp", seed=123, epoch=10)
        assert learned(faulty, RULES)["bp"].doubtful == doubtful
    faulty = plant(table, "held_out_accuracy", 0.112, rule="bp", seed=123, epoch=10)
    assert learned(faulty, RULES)["bp"].words == (
        "does not learn: accuracy at chance (seed 123 11.2%)"
    )
    # with more images, the same accuracy is above chance
    more = faulty.assign(held_out_images=10000)
    assert learned(more, RULES)["bp"].words == "learns"


def test_epoch_0_alone_is_no_failure_and_an_absent_rule_is_an_error(table):
    first = table[table["epoch"] == 0]
    assert learned(first, ["bp"])["bp"].words.startswith("not trained yet")
    assert warnings(first, REMEDIES) == []
    with pytest.raises(DataError, match="no rows of rule 'other'"):
        learned(table, ["bp", "other"])


def test_the_judgement_does_not_load_torch():
    code = "import sys, rulealign.learning.verdict; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- the report -----------------------------------------------------------------------------------


def values(cell):
    return [float(value) for value in re.findall(r'<data value="([^"]+)"', str(cell))]


def test_the_pages_table_has_the_tables_own_numbers(table):
    faulty = plant(table, "weight_change", 0.004, rule="local", epoch=10, layer="conv2")
    made = tabulate.learning(faulty, RULES, "caption")
    assert made.head[:4] == ["rule", "verdict", "accuracy", "change of conv1"]
    assert all(len(row) == len(made.head) for row in made.rows)
    rows = {row[0]: dict(zip(made.head, row, strict=True)) for row in made.rows}
    local = rows["local"]
    low, high = 0.3 + 42 / 1e4, 0.3 + 123 / 1e4
    assert values(local["accuracy"]) == pytest.approx([(low + high) / 2, low, high])
    assert values(local["change of conv1"]) == pytest.approx([0.02 * 10 * 1.5])
    assert values(local["change of conv2"]) == pytest.approx([0.004])
    assert "⚠" in local["change of conv2"]
    assert "⚠" not in local["change of conv1"]
    assert "⚠ does not learn" in local["verdict"]
    # 100 - 5 depth - epoch - 1.5, in mean over conv1 to conv3
    assert values(local["angle to bp, °, first"]) == pytest.approx([87.5])
    assert values(local["angle to bp, °, last"]) == pytest.approx([78.5])
    assert values(local["dead units"]) == pytest.approx([0.04])
    assert local["dead units"].endswith("% in fc1")
    assert "no errors" in local["effective rank"]
    assert values(rows["bp"]["effective rank"]) == pytest.approx([21.5])
    assert "✓ learns" in rows["bp"]["verdict"]
    assert "– does not train" in rows["untrained_bn"]["verdict"]
    assert "not trained" in rows["untrained_bn"]["change of conv3"]
    assert "no update" in rows["untrained_bn"]["angle to bp, °, last"]


def test_a_layer_of_which_most_units_are_dead_is_named(table):
    # .5 in one seed and .9 in the other are .7 of fc1; exactly half, and networks before training,
    # are not named
    faulty = table.copy()
    last = (faulty["rule"] == "local") & (faulty["epoch"] == 10)
    for seed, share in zip(SEEDS, (0.5, 0.9), strict=True):
        faulty.loc[last & (faulty["layer"] == "fc1") & (faulty["seed"] == seed), "dead_units"] = (
            share
        )
    faulty.loc[last & (faulty["layer"] == "conv3"), "dead_units"] = 0.5
    faulty.loc[faulty["rule"] == "untrained_bn", "dead_units"] = 0.9
    faulty.loc[(faulty["rule"] == "bp") & (faulty["epoch"] == 1), "dead_units"] = 0.9
    assert mostly_dead(faulty, "local") == pytest.approx({"fc1": 0.7})
    assert mostly_dead(faulty, "bp") == mostly_dead(faulty, "untrained_bn") == {}
    said = "70% of the units of fc1 are dead; to have fewer, lower readout_learning_rate"
    assert warnings(faulty, REMEDIES) == [f"WARNING: network 'cnn3', rule 'local': {said}"]
    made = tabulate.learning(faulty, RULES, "caption")
    cells = {row[0]: row[made.head.index("dead units")] for row in made.rows}
    assert "⚠" in cells["local"]
    assert cells["local"].endswith("% in fc1</strong>")
    assert "⚠" not in cells["bp"] + cells["untrained_bn"]
    faulty.loc[last & (faulty["layer"] == "conv3"), "dead_units"] = 0.6
    assert (
        warnings(faulty, REMEDIES)[0]
        == "WARNING: network 'cnn3', rule 'local': 60% of the units of conv3 are dead"
    )
    faulty.loc[(faulty["rule"] == "bp") & (faulty["layer"] == "fc1"), "dead_units"] = 0.8
    plain = "to have fewer, set optimizer to sgd, learning_rate to 0.01, momentum to 0.9"
    assert silent_words(faulty, "bp", REMEDIES["bp"])[0].endswith(plain)
    slow = Backpropagation.Settings(kind="bp", optimizer="sgd").fewer_dead_units()
    assert silent_words(faulty, "bp", slow)[0].endswith("to have fewer, lower learning_rate")


def test_lines_are_means_over_seeds_and_bars_reach_over_them(table):
    told = FigureSettings(rules=RULES, lines=RULES, layer_map=[], views=[])
    panels = {one.name: one.drawing for one in learning.panels(told, table)}
    names = list(panels)
    assert names[:2] == ["change-of-conv1", "angle-to-bp-of-conv1"]
    assert names[6:] == [f"error-rank-of-{layer}" for layer in LAYERS[:4]]
    data = learning.data(table, told)
    change, angle = (
        scene(panels[name], data) for name in ("change-of-conv2", "angle-to-bp-of-conv2")
    )
    colours = dict(zip(RULES, COLOURS, strict=False))

    def heights(drawing, rule):
        items = sorted(drawing.of("symbol", colours[rule]), key=lambda item: item["x"])
        return [item["y"] for item in items]

    np.testing.assert_allclose(angle.y(heights(angle, "local")), [88.5, 87.5, 78.5], atol=1e-6)
    np.testing.assert_allclose(angle.y(heights(angle, "bp")), 0, atol=1e-6)
    assert not heights(angle, "untrained_bn")
    # linear up to 1%, logarithmic above: the height of log(1 + x / .01), of 0, .06, .6; .4 to .8
    [bar] = [item for item in change.of("rule", colours["local"]) if item["x"] > 200]
    drawn = [*heights(change, "local"), *sorted([bar["y"], bar["y2"]], reverse=True)]
    known = np.log1p(np.array([0, 0.06, 0.6, 0.4, 0.8]) / 0.01)
    slope, start = np.polyfit(known, drawn, 1)
    np.testing.assert_allclose(drawn, slope * known + start, atol=1e-6)
    [limit] = [item for item in change.of("rule") if item.get("strokeDash") == [1, 3]]
    assert limit["y"] == pytest.approx(slope * np.log(2) + start)


def test_a_seed_that_appears_twice_is_an_error(table):
    told = FigureSettings(rules=RULES, lines=RULES, layer_map=[], views=[])
    with pytest.raises(DataError, match="weight_change has a seed twice"):
        learning.data(pd.concat([table, table]), told)
