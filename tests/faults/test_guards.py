"""Guards 1, 10, 14, 17 and 27: each planted fault is caught and named."""

import pytest
import torch
from torch import nn

from rule_settings import NETWORK
from rulealign import guards
from rulealign.config.training import Recipe
from rulealign.errors import GuardError
from rulealign.learning import trainer
from rulealign.learning.batches import LabelledImages
from rulealign.learning.chain import Chain
from rulealign.learning.rule import LearningRule
from rulealign.learning.weights import initial_network


def images(count=6):
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_a_network_whose_eval_does_nothing_is_not_read(monkeypatch):
    # the fault of two published rules: eval() leaves the network in training mode
    monkeypatch.setattr(Chain, "eval", lambda self: self)
    network = initial_network(NETWORK, 0, 1, classes=10).eval()
    with pytest.raises(GuardError, match=r"rule 'x', seed 1, epoch 2: norm layer 'norm1'"):
        guards.norm_layers_in_eval(network, "rule 'x', seed 1, epoch 2")


def test_one_norm_layer_in_training_mode_is_named():
    network = initial_network(NETWORK, 0, 1, classes=10).eval()
    guards.norm_layers_in_eval(network, "x")
    network.norm3.train()
    with pytest.raises(GuardError, match="'norm3' is in training mode"):
        guards.norm_layers_in_eval(network, "x")


def test_a_norm_layer_without_statistics_is_named():
    network = initial_network(NETWORK, 0, 1, classes=10)
    network.norm2 = nn.BatchNorm2d(6, track_running_stats=False)
    with pytest.raises(GuardError, match="'norm2' keeps no statistics"):
        guards.norm_layers_in_eval(network.eval(), "x")


def test_instance_norm_without_statistics_is_read_as_it_gives_an_image_the_same_alone():
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4)).eval()
    guards.norm_layers_in_eval(network, "x")
    guards.alone_equals_in_batch(lambda seen: {"1": network(seen).detach()}, images(), 1e-5, "x")
    kept = nn.Sequential(nn.InstanceNorm2d(4, track_running_stats=True))
    guards.norm_layers_in_eval(kept.eval(), "x")
    with pytest.raises(GuardError, match="'0' is in training mode"):
        guards.norm_layers_in_eval(kept.train(), "x")


def test_a_frozen_norm_layer_is_not_trained():
    network = initial_network(NETWORK, 0, 1, classes=10).train()
    guards.norm_layers_in_train(network, "x")
    network.norm2.eval()
    with pytest.raises(GuardError, match="'norm2' is in evaluation mode"):
        guards.norm_layers_in_train(network, "x")


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_forward_that_uses_batch_statistics_is_caught(count):
    network = initial_network(NETWORK, 0, 1, classes=10).eval()
    with torch.no_grad():
        guards.alone_equals_in_batch(network.layers, images(count), 1e-4, "x")
        network.norm1.train()
        with pytest.raises(GuardError, match="layer 'conv1' gives an image other features alone"):
            guards.alone_equals_in_batch(network.layers, images(count), 1e-4, "x")


def test_batch_statistics_outside_norm_layers_are_caught():
    network = initial_network(NETWORK, 0, 1, classes=10).eval()

    def forward(batch):
        layers = network.layers(batch)
        layers["fc1"] = layers["fc1"] - layers["fc1"].mean(0)
        return layers

    with torch.no_grad(), pytest.raises(GuardError, match="layer 'fc1'"):
        guards.alone_equals_in_batch(forward, images(), 1e-4, "x")


def test_features_that_are_not_numbers_are_caught():
    def forward(batch):
        return {"conv1": batch.sqrt()}

    with pytest.raises(GuardError, match="layer 'conv1'"):
        guards.alone_equals_in_batch(forward, images(), 1e-4, "x")


def test_a_measurement_that_changes_the_network_is_caught():
    network = initial_network(NETWORK, 0, 1, classes=10)
    with torch.no_grad():
        with guards.unchanged_state(network, "x"):
            network.eval()(images())
        with (
            pytest.raises(GuardError, match=r"accuracy: .*'norm1\.running_mean'"),
            guards.unchanged_state(network, "accuracy"),
        ):
            network.train()(images())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda state: state["optimizer"]["state"][0]["exp_avg"].add_(1), "optimizer.state.0.exp"),
        (lambda state: state["optimizer"]["param_groups"][0].update(lr=2), "param_groups.0.lr"),
        (lambda state: state["thresholds"].__setitem__(1, 7.0), "thresholds.1"),
        (lambda state: state.update(batches=4), "batches"),
        (lambda state: state.update(more=torch.zeros(2)), "more"),
        (lambda state: state["optimizer"]["state"].pop(0), "optimizer.state.0.exp_avg"),
    ],
)
def test_a_measurement_that_changes_what_the_rule_carries_is_caught(change, named):
    network = initial_network(NETWORK, 0, 1, classes=10)
    adam = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1, "eps": None}]}
    state = {"optimizer": adam, "thresholds": [1.0, 2.0], "batches": 3}
    with guards.unchanged_state(network, "x", lambda: state):
        pass
    with (
        pytest.raises(GuardError, match=rf"accuracy: .* the rule's state, first '.*{named}"),
        guards.unchanged_state(network, "accuracy", lambda: state),
    ):
        change(state)


class Restless(LearningRule):
    """A rule that learns while it is read."""

    seen = 0

    def classify(self, images):
        self.seen += len(images)
        return super().classify(images)

    def state_dict(self):
        return {"seen": self.seen}


def blank_images():
    return LabelledImages(torch.zeros(20, 16, 16, 3, dtype=torch.uint8), torch.zeros(20).long())


MEASURING = Recipe(mean=[0.5] * 3, std=[0.2] * 3, batch_size=8)


def test_a_rule_that_changes_while_accuracy_is_measured_is_stopped():
    rule = Restless(initial_network(NETWORK, 0, 1, classes=10), None, None)
    with pytest.raises(GuardError, match="rule 'x', epoch 2: .* the rule's state, first 'seen'"):
        trainer.held_out_accuracy(rule, blank_images(), MEASURING, "rule 'x', epoch 2")


def test_a_network_that_changes_while_accuracy_is_measured_is_stopped(monkeypatch):
    maps = Chain.maps

    def moving(self, images):
        read = maps(self, images)
        self.norm2.running_mean += 1e-6
        return read

    monkeypatch.setattr(Chain, "maps", moving)
    rule = LearningRule(initial_network(NETWORK, 0, 1, classes=10), None, None)
    message = r"rule 'x', epoch 2: .* the network, first 'norm2\.running_mean'"
    with pytest.raises(GuardError, match=message):
        trainer.held_out_accuracy(rule, blank_images(), MEASURING, "rule 'x', epoch 2")


def test_accuracy_is_not_measured_in_training_mode(monkeypatch):
    monkeypatch.setattr(Chain, "eval", lambda self: self)
    network = initial_network(NETWORK, 0, 1, classes=10)
    rule = LearningRule(network, None, None)
    with pytest.raises(GuardError, match="'norm1' is in training mode"):
        trainer.held_out_accuracy(rule, blank_images(), MEASURING, "x")


def test_two_networks_with_the_same_state_are_caught():
    distinct = {"bp, seed 1, epoch 1": "a", "bp, seed 1, epoch 2": "b", "fa, seed 1, epoch 1": "c"}
    guards.states_pairwise_distinct(distinct)
    with pytest.raises(GuardError, match="bp, seed 2, epoch 1 and bp, seed 1, epoch 2"):
        guards.states_pairwise_distinct(distinct | {"bp, seed 2, epoch 1": "b"})


def test_a_rule_with_other_initial_weights_is_caught():
    guards.same_initial_weights({"bp": "a", "fa": "a"}, 42)
    with pytest.raises(GuardError, match="seed 42: rules 'bp' and 'pc'"):
        guards.same_initial_weights({"bp": "a", "fa": "a", "pc": "b"}, 42)
