"""Impossible settings of rules are named by rule and key; a training that diverges by place."""

import re

import pytest
import torch

from complete_studies import complete
from no_claims import without_claims
from rulealign.config.load import load_study
from rulealign.errors import ConfigurationError, GuardError
from rulealign.learning import trainer
from rulealign.learning.rules.bp import Backpropagation
from rulealign.learning.run import start_run


@pytest.fixture
def study(project):
    """Give the values of a study with most rules."""
    values = without_claims(complete(project / "studies/cichy92.yaml"))
    values["rules"]["pc_supervised"] = {"kind": "pc_supervised"}
    return values


@pytest.mark.parametrize(
    ("rule", "key", "value"),
    [
        ("pc", "inference_steps", 0),
        ("pc", "inference_rate", -0.1),
        ("pc", "precision", [1.0, 0.1]),
        ("pc", "precision", [1.0, -0.1, 0.1]),
        ("pc_supervised", "inference_steps", 0),
        ("pc_supervised", "output_precision", 0),
        ("stdp", "learning_rate", [1, -4, 4]),
        ("stdp", "a_plus", -0.003),
        ("stdp", "tau_minus", 0),
        ("stdp", "patches_per_image", [8, 0, 2]),
        ("stdp", "order", "sometimes"),
        ("oja", "patches_per_image", 0),
        ("pc_2026", "weight_rate", -1),
        ("stdp_2026", "time_steps", 0),
        ("fa", "layers", "fc"),
        ("bp", "learning_rate", -1),
        ("bp", "init", "orthogonal"),
        ("readout", "readout_learning_rate", "fast"),
        ("untrained_bn", "size", 48),
        ("bp", "inference_steps", 4),
        ("stdp", "feedback", "random"),
        ("fa", "tau_plus", 20),
    ],
)
def test_an_impossible_setting_is_named_with_rule_key_and_value(study, rule, key, value):
    load_study(study)
    study["rules"][rule][key] = value
    with pytest.raises(ConfigurationError) as caught:
        load_study(study)
    message = str(caught.value)
    assert rule in message
    assert key in message
    bad = value[-2] if isinstance(value, list) else value
    assert str(bad) in message or repr(value) in message


@pytest.mark.parametrize(
    ("classes", "width", "fewest"),
    [
        *[("cifar100", 1, 32), ("cifar100", 3.2, 0), ("cifar10", 0.1, 3), ("cifar10", 0.32, 0)],
        *[("synthetic-objects", 0.1, 3), ("folder", 1, 0), ("folder", 0.1, 3)],
        ("archive", 0.1, 0),
    ],
)
def test_fewer_channels_than_classes_are_refused_before_any_job(
    study, tmp_path, classes, width, fewest
):
    study = without_claims(study)
    count = {"cifar100": 100, "folder": 4}.get(classes, 10)
    study["training_set"] = {"kind": classes}
    if classes in ("folder", "archive"):
        for name in ("a", "b", "c", "d", ".e"):
            (tmp_path / "train" / name).mkdir(parents=True)
            (tmp_path / "train" / name / "1.png").touch()
        (tmp_path / "train" / "empty").mkdir()
        source = str(tmp_path if classes == "folder" else tmp_path / "all.zip")
        study["training_set"] = {"kind": "image-folder", "source": source}
    study["training_set"] |= {"train_images": 400, "held_out_images": 100}
    study["networks"] = {"cnn3": {"width": width}}
    study["rules"]["ff"] = {"kind": "forward_forward", "form": "channels", "baseline": None}
    message = ""
    try:
        load_study(study)
    except ConfigurationError as error:
        message = str(error)
    wanted = f"a conv block has {fewest} for {count} classes; widen the network"
    assert (wanted in message) == bool(fewest), message
    assert ("channel per class" in message) == bool(fewest), message


def test_a_key_of_another_rule_is_called_unknown(study):
    study["rules"]["bp"]["inference_steps"] = 4
    with pytest.raises(ConfigurationError, match=r"rules\.bp\.inference_steps: unknown key"):
        load_study(study)


def test_a_rule_that_is_not_there_is_named_with_those_there_are(study):
    study["rules"]["pcn"] = study["rules"].pop("pc") | {"kind": "pcn"}
    with pytest.raises(
        ConfigurationError, match=r"rules\.pcn\.kind: there is no 'pcn'.*'readout'.*mean 'pc'"
    ):
        load_study(study)


def test_a_rule_with_fewer_seeds_must_be_there_and_have_at_least_one(study):
    study["training"]["fewer_seeds"]["dfa"] = 0
    with pytest.raises(ConfigurationError, match=r"fewer_seeds\.dfa: must be at least 1, not 0"):
        load_study(study)
    study["training"]["fewer_seeds"] = {"tfa": 2}
    with pytest.raises(ConfigurationError, match=r"fewer_seeds: there is no 'tfa'"):
        load_study(study)


@pytest.mark.parametrize("kind", ["bp", "readout", "stdp_2026"])
def test_a_loss_that_is_not_finite_is_blamed_on_the_first_layer_with_such_weights(
    checkpoint_settings, kind
):
    run = start_run(checkpoint_settings(kind), 5, torch.device("cpu"), classes=10)
    run.network.train()
    with torch.no_grad():
        run.network.conv2.weight[1, 2, 0, 0] = float("inf")
        run.network.fc1.weight[0, 0] = float("nan")
    message = f"rule '{kind}', seed 5, epoch 1: layer 'conv2': loss is nan"
    with pytest.raises(GuardError, match=message):
        run.rule.step(torch.randn(4, 3, 16, 16), torch.arange(4))


@pytest.mark.parametrize(
    ("size", "refused", "wanted"),
    [
        (36, ["pc"], "a multiple of 8"),
        (8, ["stdp", "oja"], "at least 12"),
        (12, ["pc"], "a multiple of 8"),
    ],
)
def test_a_training_size_that_a_rule_cannot_learn_from_is_refused(study, size, refused, wanted):
    study["training_set"] |= {"kind": "image-folder", "source": "x", "image_size": size}
    study["evaluation"]["sizes"] = [size, 20, 32, 175, 224]  # those that are only read may be any
    study["universes"]["size"] = [size]
    for label in [*refused, "bp"]:
        rule = study["rules"][label] | {"baseline": None}
        one = study | {"rules": {label: rule}, "calibration": {}}
        one["training"] = study["training"] | {"fewer_seeds": {}}
        if label == "bp":
            load_study(one)
            continue
        needs = rf"'{label}' needs training_set\.image_size to be {wanted} px"
        message = rf"rules\.{label}: {needs}, and it is {size};"
        with pytest.raises(ConfigurationError, match=message):
            load_study(one)


def test_a_calibration_set_that_no_rule_names_is_refused(study):
    study["calibration"]["spare"] = study["calibration"]["objects"] | {"count": 20}
    message = r"calibration\.spare: no rule uses these images; remove them, or name them"
    with pytest.raises(ConfigurationError, match=message):
        load_study(study)
    other = {"augment": False, "images": "spare", "size": 32}
    study["rules"]["untrained_bn"] |= other
    load_study(study)


@pytest.mark.parametrize("value", [float("nan"), 1e5])
def test_weights_that_diverge_stop_the_run_and_name_the_layer(
    checkpoint_settings, small_training_set, tmp_path, monkeypatch, value
):
    settings = checkpoint_settings("bp")
    start, log = tmp_path / "0.pt", tmp_path / "0.csv"
    trainer.initial_checkpoint(settings, 5, small_training_set, start, log)
    before = start.read_bytes()
    step = Backpropagation.step

    def diverging(self, images, labels):
        logged = step(self, images, labels)
        if self.epoch == 1:
            with torch.no_grad():
                self.network.conv2.weight[1, 2, 0, 0] = value
        return logged

    monkeypatch.setattr(Backpropagation, "step", diverging)
    output = tmp_path / "3.pt"
    names = f"network '{settings.arm.network}', rule 'bp', seed 5, epoch 2: layer 'conv2'"
    kept = (
        rf"training diverged\. The checkpoint of epoch 0 is kept \({re.escape(str(start))}\); low"
    )
    with pytest.raises(GuardError, match=f"^{names}.*{kept}"):
        trainer.train_stretch(
            settings, 5, start, 0, 3, small_training_set, output, tmp_path / "3.csv"
        )
    assert not output.exists()
    assert start.read_bytes() == before


@pytest.mark.parametrize(("variance", "sound"), [(5e4, True), (9e7, True), (2e8, False)])
def test_a_variance_may_be_as_large_as_the_square_of_a_weight(checkpoint_settings, variance, sound):
    # activations with powers have inputs of a standard deviation of hundreds, and nothing diverges
    run = start_run(checkpoint_settings("bp"), 5, torch.device("cpu"), classes=10)
    run.network.norms()["conv2"].running_var[0] = variance
    if sound:
        run.require_sound_weights()
        return
    with pytest.raises(GuardError, match=r"its running_var is not finite or larger than 1e\+08"):
        run.require_sound_weights()
