"""The tables of statistics are given the settings that they use, and no others."""

import copy

import pytest

from complete_studies import complete
from rulealign.arm import Arm
from rulealign.config.load import load_study
from rulealign.config.study import Study
from rulealign.errors import ConfigurationError
from rulealign.plan.settings.score_tables import LayersTableSettings, TrajectorySettings
from rulealign.plan.settings.scores import AlignmentSettings, CeilingSettings, ScoreSettings

STAGES = {
    "study": Study.computed,
    "scores": ScoreSettings.of,
    "alignment": lambda study: AlignmentSettings.of(study, Arm("cnn3", "bp"), "V1"),
    "ceilings": CeilingSettings.of,
    "layers_table": LayersTableSettings.of,
    "trajectories": TrajectorySettings.of,
}
BOOTSTRAP = {"scores", "alignment", "trajectories"}


@pytest.fixture
def values(project):
    return complete(project / "workflow_config.yaml")


def changed(values, change):
    before = load_study(copy.deepcopy(values))
    change(values)
    after = load_study(values)
    return {name for name, stage in STAGES.items() if stage(before) != stage(after)}


@pytest.mark.parametrize(
    ("section", "key", "value", "expected"),
    [
        ("statistics", "memory_mb", 100, set()),
        ("statistics", "layer_folds", 3, {"alignment", "layers_table"}),
        ("statistics", "layer_splits", 5, {"alignment", "layers_table"}),
        ("statistics", "bootstrap_draws", 2000, BOOTSTRAP),
        ("statistics", "null_draws", 2000, {"ceilings"}),
        ("statistics", "interval", 0.9, {*BOOTSTRAP, "ceilings"}),
        ("training", "checkpoints", [0, 1, 2, 10], {"trajectories"}),
        ("training", "seeds", [42, 123, 7], {"layers_table", "trajectories"}),
        ("evaluation", "sizes", [32, 64, 96], set()),
    ],
)
def test_a_changed_value_changes_the_tables_that_use_it(values, section, key, value, expected):
    found = changed(values, lambda study: study[section].update({key: value}))
    assert found - {"study"} == expected
    assert ("study" in found) == (key != "memory_mb")  # memory is no part of what is computed


def test_another_map_touches_no_bootstrap_but_samples_of_its_rois(values):
    before = samples(values)
    found = changed(values, lambda study: study["layer_map"].pop())
    assert found == {"study", "layers_table", "trajectories"}
    after = samples(values)
    compared = {"bp", "fa", "pc", "stdp", "untrained_bn"}  # pc and stdp have the same baseline
    assert {key for key in before if before[key] != after[key]} == {
        (Arm("cnn3", r), "IT") for r in compared
    }
    assert after[Arm("cnn3", "bp"), "IT"] == before[Arm("cnn3", "untrained"), "V1"] == ([], "")
    assert after[Arm("cnn3", "bp"), "V1"] == (["conv1"], "stimuli")


def samples(values):
    """Give the settings of the samples for primary intervals, of each arm and ROI."""
    study = load_study(copy.deepcopy(values))
    names = [(arm, roi) for arm in study.arms for roi in study.brain.rois]
    told = {name: AlignmentSettings.of(study, *name) for name in names}
    return {name: (one.sampled_layers, one.generalise_to) for name, one in told.items()}


def test_an_added_roi_touches_no_other_rois_ceiling(values):
    found = changed(values, lambda study: study["brain"]["rois"].update(V1_again=["V1"]))
    assert found == {"study"}


def test_the_fixed_map_keeps_its_rois_once_each_in_order(values):
    pairs = [("conv1", "V1"), ("conv2", "IT"), ("conv2", "V1")]
    values["layer_map"] = [{"layer": layer, "roi": roi} for layer, roi in pairs]
    assert load_study(values).mapped_rois() == ["V1", "IT"]


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("memory_mb", 63, "statistics.memory_mb"),
        ("memory_mb", True, "statistics.memory_mb: must be a number"),
        ("layer_folds", 1, "statistics.layer_folds: must be at least 2, not 1"),
        ("layer_splits", 0, "statistics.layer_splits: must be at least 1, not 0"),
        ("layer_split", 10, "statistics.layer_split: unknown key"),
    ],
)
def test_an_impossible_setting_is_named(values, key, value, message):
    values["statistics"][key] = value
    with pytest.raises(ConfigurationError, match=message):
        load_study(values)
