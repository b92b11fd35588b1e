"""The network: its layers, its initial weights, and planning without torch."""

import subprocess
import sys

import pytest
import torch

from rule_settings import of_section
from rulealign.errors import ConfigurationError
from rulealign.learning.networks import network_class
from rulealign.learning.networks.cnn3 import Cnn3
from rulealign.learning.weights import build_network, initial_network, weights_hash
from rulealign.provenance import state_hash

PUBLISHED = Cnn3(kind="cnn3", channels=[32, 64, 128], hidden_units=512, dropout=0.3)


def test_published_network_has_the_published_number_of_weights():
    network = build_network(PUBLISHED, 10)
    convolutions = 9 * (3 * 32 + 32 * 64 + 64 * 128)
    norms = 2 * (32 + 64 + 128)
    linear = (4 * 4 * 128 * 512 + 512) + (512 * 10 + 10)
    assert sum(value.numel() for value in network.parameters()) == convolutions + norms + linear


@pytest.mark.parametrize(
    ("size", "sides"), [(32, (16, 8, 4)), (224, (112, 56, 28)), (8, (4, 2, 1)), (99, (49, 24, 12))]
)
def test_maps_halve_at_every_block_and_fc1_is_read_after_relu(size, sides):
    network = build_network(of_section(PUBLISHED, channels=[2, 3, 4], hidden_units=6), 10).eval()
    images = torch.randn(2, 3, size, size)
    layers = network.layers(images)
    for name, channels, side in zip(("conv1", "conv2", "conv3"), (2, 3, 4), sides, strict=True):
        assert layers[name].shape == (2, channels, side, side)
        assert layers[name].min() >= 0
    assert layers["fc1"].shape == (2, 6)
    assert layers["fc1"].min() >= 0
    # in evaluation mode nothing lies between fc1 and the readout
    expected = layers["fc1"] @ network.fc2.weight.T + network.fc2.bias
    torch.testing.assert_close(network(images), expected)


def test_fc1_reads_conv3_averaged_over_sixteen_regions():
    network = build_network(of_section(PUBLISHED, channels=[2, 3, 4], hidden_units=6), 10).eval()
    layers = network.layers(torch.randn(1, 3, 224, 224))
    regions = layers["conv3"].reshape(1, 4, 4, 7, 4, 7).mean((3, 5))
    expected = (regions.reshape(1, -1) @ network.fc1.weight.T + network.fc1.bias).clamp(min=0)
    torch.testing.assert_close(layers["fc1"], expected)


def test_dropout_silences_its_share_in_training_only():
    network = build_network(PUBLISHED, 10)
    torch.manual_seed(0)
    dropped = network.dropout(torch.ones(200, 512))
    assert (dropped == 0).float().mean().item() == pytest.approx(0.3, abs=0.01)
    assert dropped.max().item() == pytest.approx(1 / 0.7)
    assert torch.equal(network.eval().dropout(torch.ones(3)), torch.ones(3))


def test_initial_weights_depend_on_seeds_alone_and_leave_the_random_state():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = initial_network(PUBLISHED, 0, 42, classes=10)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert weights_hash(initial_network(PUBLISHED, 0, 42, classes=10)) == weights_hash(first)
    assert weights_hash(initial_network(PUBLISHED, 0, 43, classes=10)) != weights_hash(first)
    assert weights_hash(initial_network(PUBLISHED, 1, 42, classes=10)) != weights_hash(first)


def test_initial_weights_are_uniform_up_to_one_over_root_inputs():
    network = initial_network(PUBLISHED, 0, 42, classes=10)
    for layer in (network.conv1, network.conv2, network.conv3, network.fc1, network.fc2):
        bound = layer.weight[0].numel() ** -0.5
        assert 0.98 * bound < layer.weight.abs().max().item() <= bound
        assert layer.weight.std().item() == pytest.approx(bound / 3**0.5, rel=0.05)


def test_weights_hash_sees_every_weight_and_no_statistics():
    network = initial_network(PUBLISHED, 0, 42, classes=10)
    before, whole_before = weights_hash(network), state_hash(network.state_dict())
    network.norm2.running_mean += 1
    assert weights_hash(network) == before
    assert state_hash(network.state_dict()) != whole_before
    for name in ("conv1.weight", "conv3.weight", "fc1.bias", "fc2.weight"):
        value = network.get_parameter(name).detach()
        kept = value.clone()
        value[0] += 1
        assert weights_hash(network) != before, name
        value.copy_(kept)
    assert weights_hash(network) == before


def test_unknown_network_is_refused():
    with pytest.raises(ConfigurationError, match="there is no network 'resnet'"):
        network_class("resnet")


@pytest.mark.parametrize(
    "module",
    ["config.study", "guards", "store", *(f"learning.rules.{kind}" for kind in ("bp", "fa"))]
    + ["learning.networks.cnn3"]
    + [f"learning.rules.{kind}" for kind in ("untrained", "untrained_bn")],
)
def test_planning_reads_settings_without_importing_torch(module):
    code = f"import sys, rulealign.{module}; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
