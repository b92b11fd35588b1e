"""The configuration is closed: what is misspelt, missing or impossible is named."""

import copy
import re
import subprocess
import sys
from dataclasses import replace

import pytest
import yaml

from complete_studies import complete
from rulealign.arm import Arm
from rulealign.config.derived import completed
from rulealign.config.load import load_study
from rulealign.config.reference import reference
from rulealign.errors import ConfigurationError
from rulealign.learning.rules import REGISTRY as RULES
from rulealign.learning.rules import rule_class
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.plan.settings.images import StimuliSettings
from rulealign.plan.settings.training import CheckpointSettings

NAMES = ("cichy92", "cichy92_quick", "things", "things_repeats")
NAMES += ("things_encoding",)
STUDIES = ["workflow_config.yaml", *(f"studies/{name}.yaml" for name in NAMES)]
# Mappings whose keys are the user's own names, where a new key is no misspelling.
LABELLED = {
    ("networks",),
    ("evaluation", "layers"),
    ("rules",),
    ("stimuli",),
    ("calibration",),
    ("brain", "rois"),
    ("training", "fewer_seeds"),
    ("claims",),
    ("universes", "initialisation"),
    ("universes", "initialisation", "kaiming-normal"),
}


@pytest.fixture(params=STUDIES)
def values(request, project):
    return complete(project / request.param)


@pytest.fixture
def default(project):
    return complete(project / "workflow_config.yaml")


def sections(values, path=()):
    """Yield the path of every mapping of a configuration, and those in lists."""
    if isinstance(values, dict):
        yield path
        for key, value in values.items():
            yield from sections(value, (*path, key))
    elif isinstance(values, list):
        for place, value in enumerate(values):
            yield from sections(value, (*path, place))


def at(values, path):
    for key in path:
        values = values[key]
    return values


def test_every_study_of_the_project_is_accepted(project):
    files = [project / "workflow_config.yaml", *(project / "studies").glob("*.yaml")]
    assert len(files) > len(NAMES)
    for file in files:
        values = yaml.safe_load(file.read_text())
        assert load_study(values).study == values["study"]


def test_a_misspelt_key_in_any_section_is_named(values):
    # the first key of every section that lies equally deep at once, then the second, ...
    checked = [path for path in sections(values) if path not in LABELLED]
    for depth in {len(path) for path in checked}:
        paths = [path for path in checked if len(path) == depth]
        for place in range(max(len(at(values, path)) for path in paths)):
            wrong, expected = copy.deepcopy(values), []
            for path in paths:
                if place < len(section := at(wrong, path)):
                    key = list(section)[place]
                    section[f"{key}x"] = section.pop(key)
                    # a section that cannot even be told apart names the `kind` that is gone
                    where = [*path, f"{key}x" if key != "kind" else "kind"]
                    expected.append(".".join(map(str, where)))
            with pytest.raises(ConfigurationError) as caught:
                load_study(wrong)
            named = re.findall(r"^  (\S+):", str(caught.value), re.MULTILINE)
            for key in expected:
                assert any(one.startswith(key) for one in named), key


def test_every_trained_rule_of_the_project_names_its_baseline_and_claims_may_use_one(values):
    study = load_study(values)
    trained = [rule for rule in study.rules if study.trains(rule)]
    assert all(study.rules[rule].baseline for rule in trained)
    assert {study.rules[rule].baseline for rule in trained} & set(study.universes.baseline)


LOCAL = {
    *("pc", "stdp", "oja", "softhebb"),
    *("vicreg", "vicreg_local", "local_supervised", "forward_forward"),
}
"""Rules whose control is `readout`, as docs/rules.md has it."""


def test_the_baseline_of_local_rules_is_the_readout_where_there_is_one():
    kinds = [kind for kind in RULES if rule_class(kind).trains and rule_class(kind).made_here]
    kinds.remove("stdp_2026")  # starts from other weights

    def baselines(**rules):
        of = {"untrained_bn": {}, **{kind: {} for kind in kinds if kind != "readout"}, **rules}
        full, _ = completed({"networks": {"cnn3": {}, "vgg5": {}}, "rules": of})
        return {label: full["rules"][label].get("baseline") for label in kinds if label in of}

    assert set(baselines().values()) == {"untrained_bn"}
    found = baselines(readout={})
    assert {rule for rule, baseline in found.items() if baseline == "readout"} == LOCAL
    assert {found[rule] for rule in found if rule not in LOCAL} == {"untrained_bn"}
    # one that does not train the same networks, starts elsewhere or is another rule is none
    assert set(baselines(readout={"networks": ["cnn3"]}).values()) == {"untrained_bn"}
    fewer = baselines(readout={"networks": ["cnn3"]}, pc={"networks": ["cnn3"]})
    assert [rule for rule, one in fewer.items() if one == "readout"] == ["pc"]
    assert "readout" not in baselines(readout={"init": "kaiming-normal"}).values()
    assert set(baselines(readout={"kind": "bp"}).values()) == {"untrained_bn"}
    assert baselines(readout={}, pc={"baseline": "bp"})["pc"] == "bp"


@pytest.mark.parametrize(
    ("rule", "baseline", "message"),
    [
        ("bp", "control", "rules.bp.baseline: there is no 'control'"),
        ("bp", "bp", "rules.bp.baseline: there is no 'bp'"),
        ("untrained", "untrained_bn", "'untrained' does not train, and has no baseline"),
        ("bp", "normal", "'normal' starts from other weights .init kaiming-normal. than 'bp'"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(project, rule, baseline, message):
    study = complete(project / "workflow_config.yaml")
    study["rules"]["normal"] = {"kind": "untrained_bn", "init": "kaiming-normal"}
    study["rules"][rule]["baseline"] = baseline
    with pytest.raises(ConfigurationError, match=message):
        load_study(study)


@pytest.mark.parametrize("section", ["training", "rules.untrained_bn"])
def test_a_border_that_an_image_cannot_mirror_is_refused(project, section):
    study = complete(project / "workflow_config.yaml")
    place = at(study, section.split("."))
    place |= {"padding_mode": "reflect", "crop_padding": 31}
    load_study(copy.deepcopy(study))
    place["crop_padding"] = 32
    with pytest.raises(ConfigurationError, match=f"{section}.crop_padding: 32 pixels cannot be"):
        load_study(study)


def test_a_cut_out_set_is_made_from_the_pictures_of_its_origin(project):
    study = complete(project / "studies" / "cichy92_quick.yaml")
    cut = {"kind": "cutout", "cutout_of": "grey", "level": 112}
    study["stimuli"]["grey_112"] = cut | {"background": "grey 112", "as_shown": False}
    study["universes"]["stimuli"].append("grey_112")
    made = load_study(copy.deepcopy(study))
    origin = StimuliSettings.of(made, "grey")
    described = {"background": "grey 112", "as_shown": False}
    images = origin.images.model_copy(update=described)
    assert StimuliSettings.of(made, "grey_112") == replace(origin, images=images, level=112)
    for wrong in ("gray", "grey_112"):
        study["stimuli"]["grey_112"]["cutout_of"] = wrong
        with pytest.raises(ConfigurationError, match=f"stimuli.grey_112.cutout_of: .*{wrong}"):
            load_study(study)


def test_another_baseline_trains_nothing_anew(project):
    study = complete(project / "workflow_config.yaml")
    before = load_study(copy.deepcopy(study))
    study["rules"]["bp"]["baseline"] = "untrained"
    after = load_study(study)
    arm = Arm("cnn3", "bp")
    assert CheckpointSettings.of(before, arm) == CheckpointSettings.of(after, arm)
    assert ActivationSettings.of(before, arm) == ActivationSettings.of(after, arm)


def mistakes(values):
    try:
        load_study(values)
    except ConfigurationError as error:
        return str(error)
    return ""


def test_a_missing_key_is_named_or_has_the_value_that_the_reference_tells(values):
    """Nothing else may fill it in: what a key that is left out becomes is a default or derived."""
    told = set(re.findall(r"\| `(\w+)` \|[^|]*\| (?!required)", reference()))
    for path in sections(values):
        for key in at(values, path).keys() - told if path not in LABELLED else ():
            less = copy.deepcopy(values)
            del at(less, path)[key]
            assert key in mistakes(less), (path, key)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("training", "checkpoints"), [0, 2, 1], "does not increase"),
        (("training", "checkpoints"), [0, 1, 1], "does not increase"),
        (("training", "checkpoints"), [1, 2], "lacks epoch 0"),
        (("training", "checkpoints"), [0, 11], "beyond schedule_epochs"),
        (("training", "padding_mode"), "mirror", "training.padding_mode"),
        (("training", "batch_size"), 0, "training.batch_size: must be at least 2, not 0"),
        (("training", "batch_size"), "128 images", "training.batch_size"),
        (("training", "std"), [0.2, 0.2, 0.0], "training.std.2"),
        (("training", "seeds"), [42, 42], "listed twice"),
        (("evaluation", "layers"), ["conv1", "conv9"], "conv9.*conv1"),
        (("evaluation", "sizes"), [96], "lacks the training size 32"),
        (("evaluation", "descriptors"), ["grid-0"], "evaluation.descriptors"),
        (
            ("evaluation", "descriptors"),
            ["global-average", "grid-8", "grid-49"],
            "evaluation.descriptors: 'grid-49' is finer than every map.*96 px, has 48.*Use grid-48",
        ),
        (("copies",), {"stim-grey": "yes"}, "copies.stim-grey"),
        (("layer_map", 0, "layer"), "conv4", "layer_map.*'conv4'"),
        (("layer_map", 0, "roi"), "V7", r"'V7'.*\['V1', 'V2', 'LOC', 'IT'\]"),
        (("brain", "rois", "V1"), ["V9"], r"rois.V1: there is no 'V9'.*'V1', 'V2', 'lLOC'"),
        (("brain", "kind"), "eeg", "brain"),
        (("rules", "bp", "kind"), "bpp", "rules.bp.kind: there is no 'bpp'.*untrained.* mean 'bp'"),
        (
            ("rules", "bp", "learning_rate"),
            -0.1,
            "rules.bp.learning_rate: must be above 0",
        ),
        (("rules", "untrained"), {"kind": "untrained", "learning_rate": 1}, "learning_rate"),
        (("rules", "fa-2"), {"kind": "untrained"}, "fa-2"),
        (("report", "size"), 64, "report.size.*64"),
        (("statistics", "bootstrap_draws"), 30, "draws: must be at least 40 for .* not 30; raise"),
        (("training", "mean"), [float("nan"), 0.5, 0.5], "training.mean.0"),
        (("training", "batch_size"), 2001, "batch_size: 2001 is more than .* 2000"),
        (("training_set", "pool_images"), 1999, "pool_images: 1999 is less than train_images 2000"),
        (("training_set", "image-size"), 32, "  training_set.image-size: unknown key"),
        (("seed",), True, "seed: must be a number"),
        (("training", "seeds"), [True], "training.seeds.0: must be a number"),
        (("rules", "bp", "kind"), ["bp"], "rules.bp.kind: there is no \\['bp'\\]"),
        (("device",), "gpu", "device.*cpu.*cuda"),
        (("study",), "../elsewhere", "study"),
    ],
)
def test_an_impossible_value_is_refused_by_name(default, path, value, message):
    at(default, path[:-1])[path[-1]] = value
    with pytest.raises(ConfigurationError, match=re.compile(message, re.DOTALL)):
        load_study(default)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("brain", "stimulus_set"), "second-exemplar", "brain.stimulus_set.*second-exemplar"),
        (("brain", "stimulus_set"), "test-repeats", "cross_run needs stimuli shown once"),
        (("brain", "distance"), {"crossnobis": {"folds": "run"}}, "needs stimuli .* several times"),
        (("brain", "distance"), {"crossnobis": {"folds": "trial"}}, "folds"),
        (("brain", "rois", "V1"), [], "brain.rois.V1"),
        (("brain", "rois", "V1"), ["V1", "V1"], "'V1' is listed twice"),
        (("brain", "rois", "V1"), {"difference": ["V1"]}, "rois.V1.*missing"),
        (("things", "root"), "/data", "things.root: '/data' is not read by form 'remote-rows'"),
        (("things", "form"), "csv", "things.form"),
        (("things", "parallel"), 0, "things.parallel"),
        (("things",), None, "brain.kind 'things' needs it"),
    ],
)
def test_an_impossible_value_of_things_is_refused(project, path, value, message):
    values = complete(project / "studies/things.yaml")
    at(values, path[:-1])[path[-1]] = value
    with pytest.raises(ConfigurationError, match=re.compile(message, re.DOTALL)):
        load_study(values)


def test_a_study_of_other_brains_takes_nothing_from_things(project, default):
    things = complete(project / "studies/things.yaml")["things"]
    with pytest.raises(ConfigurationError, match="things: brain.kind 'simulated' takes nothing"):
        load_study({**default, "things": things})


def real(project, changes):
    """Give the study on real data, with some values changed."""
    values = complete(project / "studies/cichy92.yaml")
    for path, value in changes.items():
        at(values, path[:-1])[path[-1]] = value
    return values


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (
            ("training_set", "train_images"),
            60_000,
            "train_images: must be at most 50000",
        ),
        (("training_set", "image_size"), 64, "training_set.image_size: must be 32"),
        (("brain", "subjects"), 0, "brain.subjects"),
        (("brain", "ids"), "image", "brain.ids: 'image' has no place for the number"),
        (("stimuli", "white", "kind"), "brain", "stimuli.white.*source"),
    ],
)
def test_an_impossible_value_of_the_real_study_is_refused(project, path, value, message):
    with pytest.raises(ConfigurationError, match=re.compile(message, re.DOTALL)):
        load_study(real(project, {path: value}))


def test_images_of_the_brain_data_need_brain_data_with_images(project):
    shown = {"kind": "brain", "background": "grey", "as_shown": True}
    with pytest.raises(ConfigurationError, match=r"stimuli\.white\.kind: 'brain' needs"):
        load_study(real(project, {("stimuli", "white"): shown}))


def test_an_image_folder_may_replace_cifar10_and_its_keys_are_closed_too(project):
    folder = {"kind": "image-folder", "source": "cifar10-jpeg"}
    values = real(project, {})
    values["training_set"] |= folder
    assert load_study(values).training_set.kind == "image-folder"
    values["training_set"]["sauce"] = "x"
    with pytest.raises(ConfigurationError, match=r"training_set\.sauce: unknown key"):
        load_study(values)


def test_values_from_the_command_line_arrive_as_text_and_are_understood(default):
    default["statistics"]["bootstrap_draws"] = "400"
    default["training"]["checkpoints"] = ["0", "1", "10"]
    default["training"]["horizontal_flip"] = "false"
    study = load_study(default)
    assert study.statistics.bootstrap_draws == 400
    assert study.training.checkpoints == [0, 1, 10]
    assert study.training.horizontal_flip is False


def test_the_reference_page_is_what_the_types_say(project):
    page = (project / "docs" / "configuration.md").read_text()
    assert page == reference(), "run: python -m rulealign.config.reference"


def test_every_line_of_the_default_configuration_with_a_value_is_commented_by_its_section(project):
    text = (project / "workflow_config.yaml").read_text().split("\n")
    bare = [line for line in text if re.match(r"^\S.*:\s*\S", line) and "#" not in line]
    assert [line.split(":")[0] for line in bare] == ["title", "question"]


def test_reading_a_configuration_loads_neither_torch_nor_numpy():
    code = (
        "import sys, rulealign.config.study, rulealign.data.download.fetch\n"
        "from rulealign.learning.rules import REGISTRY, rule_class\n"
        "[rule_class(kind).Settings for kind in REGISTRY]\n"
        "print([m for m in ('torch', 'torchvision', 'numpy', 'pandas') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_the_key_that_networks_had_before_is_refused_with_the_new_one(project):
    text = (project / "workflow_config.yaml").read_text()
    study = yaml.safe_load(text) | {"network": {"kind": "vgg5"}}
    with pytest.raises(ConfigurationError, match=r"network: unknown key.*did you mean `networks`"):
        load_study(study)
