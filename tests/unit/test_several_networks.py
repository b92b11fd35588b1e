"""Studies of several networks: levels, rules that train some, and claims that compare networks."""

import copy
import json

import pytest
import yaml

from rulealign.arm import Arm, Mapped
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError
from rulealign.learning import trainer
from rulealign.plan.claims import needs, require_primaries
from rulealign.plan.settings.claims import ClaimSettings, FactsSettings, GridSettings
from rulealign.plan.settings.score_tables import BaselineSettings
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.plan.universes import PLAIN_WAY, Score, universes


@pytest.fixture
def values(project):
    """Two networks, of which `pc` and `stdp` train the first; every claim is of a level."""
    study = yaml.safe_load((project / "workflow_config.yaml").read_text())
    study["networks"] = {"cnn3": {}, "deep": {"kind": "vgg5", "width": 0.25}}
    for rule in ("pc", "stdp"):
        study["rules"][rule] = {"networks": ["cnn3"]}
    study["levels"] = {"early": {"cnn3": "conv1", "deep": "conv2"}, "late": 0.8}
    study["layer_map"] = [{"layer": "early", "roi": "V1"}, {"layer": "late", "roi": "IT"}]
    for claim in study["claims"].values():
        claim["layer"] = "early"
    return study


def made(values, label):
    study = load_study(values)
    told = ClaimSettings.of(study, label), GridSettings.of(study), FactsSettings.of(study)
    return universes(*told)


def refused(values, *texts):
    with pytest.raises(ConfigurationError) as caught:
        load_study(values)
    for text in texts:
        assert text in str(caught.value)


def test_a_level_stands_for_a_layer_of_each_network(values):
    assert load_study(values).mapped() == [
        *(Mapped("cnn3", "conv1", "V1"), Mapped("cnn3", "fc1", "IT")),
        *(Mapped("deep", "conv2", "V1"), Mapped("deep", "conv4", "IT")),
    ]


@pytest.mark.parametrize(
    ("depth", "cnn3", "read", "deep"),
    [
        (0, "conv1", None, "conv1"),
        (0.29, "conv1", None, "conv1"),
        (0.31, "conv2", None, "conv2"),
        (0.5, "conv2", None, "conv2"),  # as near to conv3
        (1, "fc1", None, "conv4"),
        (1, "fc1", ["conv1", "conv3"], "conv3"),  # of those that are read
    ],
)
def test_a_relative_depth_is_the_nearest_layer_that_is_read(values, depth, cnn3, read, deep):
    # both networks have five layers with weights, of which the last is not read
    values["levels"]["late"] = depth
    if read:
        layers = {"cnn3": ["conv1", "conv2", "conv3", "fc1"], "deep": read}
        values["evaluation"]["layers"] = layers
        values["levels"]["early"]["deep"] = "conv1"
    study = load_study(values)
    assert (study.layer_at("cnn3", "late"), study.layer_at("deep", "late")) == (cnn3, deep)


def test_a_claim_of_a_level_takes_the_layer_of_each_network(values):
    found = {one.choices["network"]: one for one in reversed(made(values, "bp_drop"))}
    assert {score[3] for score in found["cnn3"].weights} == {"conv1"}
    assert {score[3] for score in found["deep"].weights} == {"conv2"}
    assert not found["deep"].reason


def test_a_rule_trains_the_networks_that_it_lists(values):
    study = load_study(values)
    assert Arm("deep", "bp") in study.arms
    assert {arm.rule for arm in study.arms if arm.network == "deep"} == {
        *("untrained", "untrained_bn", "bp", "fa")
    }
    everything = set(needs(study)[PLAIN_WAY])
    assert ("deep", "bp", "V1") in everything


def test_which_networks_a_rule_trains_changes_no_training(values):
    def told(networks):
        study = copy.deepcopy(values)
        study["rules"]["fa"] = {"networks": networks}
        settings = CheckpointSettings.of(load_study(study), Arm("cnn3", "fa"))
        return json.dumps(settings.plain())

    assert told(["cnn3"]) == told(["deep", "cnn3"])


def test_a_universe_with_a_network_that_a_rule_does_not_train_is_missing_with_the_reason(values):
    values["rules"]["fa"] = {"networks": ["cnn3"]}
    reasons = {one.choices["network"]: one.reason for one in made(values, "bp_above_fa")}
    assert reasons == {"cnn3": "", "deep": "fa does not train deep"}
    values["universes"] = {**values["universes"], "network": ["deep", "cnn3"]}
    with pytest.raises(ConfigurationError, match="claims.fa_drop.*fa does not train deep"):
        require_primaries(load_study(values))


def test_a_claim_may_compare_networks_and_then_the_axis_does_not_apply(values):
    # falls less in deep than in cnn3
    terms = [{"rule": "bp", "epoch": epoch, "network": n} for epoch, n in _signs(1, 0)]
    values["claims"]["less"] = {
        **{"statement": "bp falls less in deep", "layer": "early", "roi": "V1"},
        **{"plus": terms[:2], "minus": terms[2:], "direction": "positive"},
    }
    found = made(values, "less")
    assert {one.choices["network"] for one in found} == {"deep+cnn3"}
    assert found[0].weights == {
        Score("deep", "bp", 1, "conv2", "V1"): 1.0,
        Score("cnn3", "bp", 0, "conv1", "V1"): 1.0,
        Score("deep", "bp", 0, "conv2", "V1"): -1.0,
        Score("cnn3", "bp", 1, "conv1", "V1"): -1.0,
    }
    alone = copy.deepcopy(values)
    alone["universes"] = {**values["universes"], "network": ["cnn3"]}
    # not once for each network of the axis; and networks outside of it may be compared
    assert [one.weights for one in made(alone, "less")] == [one.weights for one in found]


def _signs(later, first):
    return [(later, "deep"), (first, "cnn3"), (first, "deep"), (later, "cnn3")]


def test_claims_over_levels_are_read_back_as_they_were_told(values):
    told = FactsSettings.of(load_study(values))
    assert told.layers == {"early": {"cnn3": "conv1", "deep": "conv2"}}
    assert told.networks["fa"] == ["cnn3", "deep"]
    assert FactsSettings.read(json.dumps(told.plain())) == told


PER_BLOCK = "rules.pc.precision: must have 4 values for 'deep', one for each of its conv blocks"


@pytest.mark.parametrize(
    ("precision", "expected"),
    [
        (0.5, {"cnn3": [0.5] * 3, "deep": [0.5] * 4}),
        (
            {"cnn3": [1, 2, 3], "deep": [4, 3, 2, 1]},
            {"cnn3": [1.0, 2.0, 3.0], "deep": [4.0, 3.0, 2.0, 1.0]},
        ),
        ([1, 2, 3, 4], "rules.pc.precision: must have 3 values for 'cnn3'"),
        ({"cnn3": [1, 2, 3]}, PER_BLOCK),
        ({"cnn3": [1, 2, 3], "deep": [1]}, PER_BLOCK),
        ([1, 2, 3], PER_BLOCK),
    ],
)
def test_a_setting_per_block_is_a_value_a_list_or_a_list_for_each_network(
    values, precision, expected
):
    values["rules"]["pc"] = {"precision": precision}
    if isinstance(expected, str):
        refused(values, expected)
        return
    study = load_study(values)
    for network, listed in expected.items():
        assert CheckpointSettings.of(study, Arm(network, "pc")).rule.precision == listed


def test_another_networks_values_change_no_training(values):
    def told(deep):
        study = copy.deepcopy(values)
        study["rules"]["pc"] = {"precision": {"cnn3": [1, 2, 3], "deep": [deep] * 4}}
        return CheckpointSettings.of(load_study(study), Arm("cnn3", "pc")).plain()

    assert told(1.0) == told(2.0)


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (["levels", "early"], {"cnn3": "conv1"}, "levels.early: lacks the network 'deep'"),
        (
            ["levels", "early"],
            {"cnn3": "conv1", "deep": "conv1", "vgg": "conv1"},
            "levels.early: there is no 'vgg'",
        ),
        (
            ["levels", "early"],
            {"cnn3": "conv1", "deep": "conv9"},
            "levels.early.deep: there is no 'conv9'",
        ),
        (["levels", "late"], 1.2, "levels.late: "),
        (["levels", "conv1"], 0.1, "levels.conv1: is the name of a layer, too"),
        (["layer_map", 0, "layer"], "erly", "layer_map.0.layer: there is no 'erly'"),
        (
            ["layer_map", 1],
            {"layer": "conv1", "roi": "V1"},
            "layer_map.1: 'conv1' and 'early' are the same layer of 'cnn3'",
        ),
        (["rules", "fa", "networks"], ["vgg"], "rules.fa.networks: there is no 'vgg'"),
        (
            ["rules", "untrained_bn", "networks"],
            ["cnn3"],
            "rules.bp.baseline: 'untrained_bn' does not train 'deep', which 'bp' trains",
        ),
        (["claims", "bp_drop", "layer"], "earlier", "claims.bp_drop.layer: there is no 'earlier'"),
        (
            ["claims", "bp_drop", "plus", 0, "network"],
            "dep",
            "claims.bp_drop.plus.0.network: there is no 'dep'",
        ),
        (["claims", "bp_drop", "plus", 0, "layer"], "late", "evidence is of fc1, downstream of it"),
        (
            ["claims", "bp_drop", "plus", 0, "layer"],
            "conv1",
            "evidence is of conv1, which is one of them under another name",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(values, path, value, text):
    section = values
    for key in path[:-1]:
        section = section[key]
    section[path[-1]] = value
    refused(values, text)


def test_a_network_that_no_rule_trains_is_refused(values):
    for rule in values["rules"].values():
        rule["networks"] = ["cnn3"]
    refused(values, "networks.deep: no rule trains it; remove it, or add it to a rule")


def test_a_second_network_changes_no_byte_of_the_first(values, small_training_set, tmp_path):
    alone = copy.deepcopy(values)
    del alone["networks"]["deep"], alone["levels"]["early"]["deep"]
    kept = []
    for name, study in (("alone", alone), ("two", values)):
        study["training"] |= {"batch_size": 16}
        study["training_set"] |= {"train_images": 60, "held_out_images": 40, "image_size": 16}
        study["evaluation"]["sizes"] = [16]
        study["universes"] |= {"size": [16]}
        settings = CheckpointSettings.of(load_study(study), Arm("cnn3", "fa"))
        paths = [tmp_path / f"{name}_{epoch}.pt" for epoch in (0, 1)]
        logs = [path.with_suffix(".csv") for path in paths]
        trainer.initial_checkpoint(settings, 42, small_training_set, paths[0], logs[0])
        stretch = paths[0], 0, 1, small_training_set, paths[1], logs[1]
        trainer.train_stretch(settings, 42, *stretch)
        kept.append([path.read_bytes() for path in (*paths, *logs)])
    assert kept[0] == kept[1]
    assert kept[0][0] != kept[0][1]


def test_baselines_are_those_of_the_rules_that_train_a_network(values):
    values["rules"]["fa"] = {"networks": ["cnn3"]}
    told = BaselineSettings.of(load_study(values)).baselines
    assert told["deep"] == {"bp": "untrained_bn"}
    assert told["cnn3"]["fa"] == "untrained_bn"
