"""A study states what it is about; all else has a default, or follows, and is written down."""

import re

import pytest
import yaml

from complete_studies import complete
from rulealign.config.derived import FOLLOWS, completed
from rulealign.config.file import read_study_file
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError
from rulealign.learning.rules import REGISTRY, rule_class
from rulealign.rerun.study_folder import study_text, write_study

SHORT = """\
study: mine
title: My images
training_set: { kind: cifar10 }
training: { seeds: [1], checkpoints: [0, 1] }
rules: { untrained_bn: {}, bp: {}, fa: { learning_rate: 0.01 } }
stimuli:
  mine: { kind: folder, source: my/images, background: grey, as_shown: true }
brain:
  kind: rdm-archive
  subjects: 4
  ids: "image_{:02d}"
  acquisition: 3T, two sessions
  distance: 1 - Pearson
  rois: { V1: { source: my/V1.npy } }
evaluation: { sizes: [32, 64], centring: [centred] }
layer_map: [{ layer: conv1, roi: V1 }]
"""


def short(**changes):
    values = yaml.safe_load(SHORT)
    return values | changes


def test_what_a_short_study_leaves_out_follows_from_the_rest():
    full = load_study(short()).model_dump(mode="json")
    assert {rule: one["kind"] for rule, one in full["rules"].items()} == {
        "untrained_bn": "untrained_bn",
        "bp": "bp",
        "fa": "fa",
    }
    assert [one["baseline"] for one in full["rules"].values()] == [None, *["untrained_bn"] * 2]
    assert full["rules"]["fa"]["learning_rate"] == 0.01
    assert full["evaluation"]["layers"] == {"cnn3": ["conv1", "conv2", "conv3", "fc1"]}
    universes = full["universes"]
    assert [universes[axis] for axis in ("stimuli", "size", "centring", "pairs")] == [
        ["mine"],
        [32, 64],
        ["centred"],
        ["all"],
    ]
    first = {"stimuli": "mine", "size": 32, "descriptor": "global-average", "centring": "centred"}
    assert full["report"] == first | {"highlight": [], "reproduces": []}


@pytest.mark.parametrize(
    ("rules", "baseline"),
    [
        ({"untrained_bn": {}, "bp": {}}, "untrained_bn"),
        ({"bp": {"baseline": None}}, None),
        ({"untrained_bn": {}, "bp": {"baseline": None}}, None),  # stated
        ({"untrained_bn": {"init": "kaiming-normal"}, "stdp_2026": {}}, "untrained_bn"),
    ],
)
def test_a_baseline_is_the_matched_control_where_there_is_one(rules, baseline):
    study = load_study(short(rules=rules))
    assert study.rules[list(rules)[-1]].baseline == baseline


@pytest.mark.parametrize(
    "rules",
    [
        {"bp": {}},  # no matched control in the study
        {"untrained_bn": {}, "bp": {"init": "kaiming-normal"}},  # of other weights
    ],
)
def test_a_trained_rule_without_a_control_says_that_it_has_none(rules):
    with pytest.raises(
        ConfigurationError, match=r"rules\.bp\.baseline: there is no `untrained_bn`"
    ):
        load_study(short(rules=rules))
    load_study(short(rules={"untrained": {}}))


def test_every_kind_of_rule_can_be_written_as_its_name_alone():
    kinds = [kind for kind in REGISTRY if rule_class(kind).made_here]  # others need files
    rules = {kind: {} for kind in kinds} | {"stdp_2026": {"baseline": None}}  # of other weights
    study = load_study(short(rules=rules))
    for kind, settings in study.rules.items():
        assert settings == rule_class(kind).Settings(kind=kind, baseline=settings.baseline)
    assert study.rules["stdp_2026"].schedule == "constant"
    assert study.rules["pc_2026"].readout_weight_decay == 0


def test_what_follows_is_what_the_reference_says():
    values = short(universes={}, report={})
    _, derived = completed(values)
    ends = {re.sub(r"(rules|networks)\.\w+\.", r"\1.", key) for key in derived}
    assert ends == set(FOLLOWS)
    assert completed(complete_of(values))[1] == []


def complete_of(values):
    return load_study(values).model_dump(mode="json")


def test_a_complete_study_written_down_is_the_study(project, tmp_path):
    for file in [project / "workflow_config.yaml", *(project / "studies").glob("*.yaml")]:
        study = load_study(complete(file))
        write_study(tmp_path / "study.yaml", study_text(study.complete()))
        again = load_study(read_study_file(tmp_path / "study.yaml"))
        assert again == study.model_copy(update={"data_mirrors": []})
        assert list(again.rules) == list(study.rules)  # tables have rules in this order
