"""Weights: those that a network starts with, and their hash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from rulealign.errors import ConfigurationError
from rulealign.learning.network import Network
from rulealign.learning.networks import network_class
from rulealign.provenance import derive_seed, state_hash


def build_network(settings: Network, classes: int) -> nn.Module:
    """Build a network with weights from the global random state.

    Args:
        settings: of the network.
        classes: that it tells apart.

    Returns:
        The network, in training mode, weights in channels-last memory format (1.3 times faster).
    """
    # found by its kind, so that the fingerprint of a job's code reaches it
    network = network_class(settings.kind).build(settings, classes)
    return network.to(memory_format=torch.channels_last)


def initial_network(
    settings: Network,
    study_seed: int,
    seed: int,
    init: str = "default",
    *,
    classes: int,
) -> nn.Module:
    """Build a network with the initial weights of a seed, the same for every rule with this `init`.

    Args:
        settings: of the network.
        study_seed: the study's seed.
        seed: the network's seed.
        init: "default": PyTorch's, kaiming uniform with a = sqrt(5); "kaiming-normal": the conv
            weights are drawn anew from a normal distribution of standard deviation
            sqrt(2 / inputs), 2.4 times as large (He et al. 2015, equation 10); all else the same.
        classes: that the network tells apart.

    Returns:
        The network; the global random state is left as it was.

    Raises:
        ConfigurationError: there is no such `init`.
    """
    with seeded(derive_seed(study_seed, seed, "initial weights")):
        network = build_network(settings, classes)
    if init == "kaiming-normal":
        with seeded(derive_seed(study_seed, seed, "initial weights", init)):
            for layer in network.modules():
                if isinstance(layer, nn.Conv2d):
                    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    elif init != "default":
        raise ConfigurationError(f"init: there is no '{init}'; use 'default' or 'kaiming-normal'")
    return network


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from the CPU's global random state as set by a seed, and put it back afterwards.

    Args:
        seed: as made by `provenance.derive_seed`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def weights_hash(network: nn.Module) -> str:
    """Hash the weights and biases of the convolutions and linear layers, without the norm layers.

    Args:
        network: a network.

    Returns:
        16 hexadecimal digits; equal for equal weights, whatever the BatchNorm statistics.
    """
    layers = ((name, layer) for name, layer in network.named_modules() if carries_weights(layer))
    return state_hash(
        {
            f"{name}.{parameter}": value
            for name, layer in layers
            for parameter, value in layer.named_parameters()
        }
    )


def carries_weights(layer: nn.Module) -> bool:
    """Say whether a module is a convolution or a linear layer."""
    return isinstance(layer, nn.Conv2d | nn.Linear)
