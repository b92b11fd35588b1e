"""The networks that learn, and their initial weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rulealign.data.images.training_split import CLASSES
from rulealign.errors import ConfigurationError
from rulealign.provenance import derive_seed, state_hash

MAP_SIDE = 4
"""Positions per side of the map that fc1 reads; the map of conv3 at 32 px."""


class Cnn3(nn.Module):
    """A small CNN: three blocks of convolution, BatchNorm, ReLU and max-pooling, then two layers.

    Each block is conv 3x3 (padding 1, no bias) -> BatchNorm -> ReLU -> 2x2 max-pool; then fc1,
    ReLU, dropout and fc2. PyTorch's default initialisation throughout. See
    docs/networks.md.

    Args:
        channels: channels of conv1, conv2 and conv3.
        hidden_units: units of fc1.
        dropout: probability that a unit of fc1 is silenced in training.
    """

    def __init__(self, channels: Sequence[int], hidden_units: int, dropout: float) -> None:
        super().__init__()
        one, two, three = channels
        self.conv1 = nn.Conv2d(3, one, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(one)
        self.conv2 = nn.Conv2d(one, two, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(two)
        self.conv3 = nn.Conv2d(two, three, 3, padding=1, bias=False)
        self.norm3 = nn.BatchNorm2d(three)
        self.fc1 = nn.Linear(three * MAP_SIDE**2, hidden_units)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden_units, CLASSES)

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the readable layers.

        Args:
            images: float32, shape (batch, 3, height, width), normalised; at least 8 px a side.

        Returns:
            `conv1`, `conv2`, `conv3`: maps after pooling, shape (batch, channels, height, width);
            `fc1`: shape (batch, hidden_units), after ReLU and before dropout.
        """
        read = self.maps(images)
        read["fc1"] = self.read_out(read["conv3"])
        return read

    def maps(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the conv stack.

        Args:
            images: as in `layers`.

        Returns:
            `conv1`, `conv2`, `conv3`, as in `layers`.
        """
        read = {}
        values = images
        for name, conv, norm in self.blocks():
            # ReLU after pooling instead of before it: the same values and gradients, as ReLU keeps
            # order and lets no gradient through where a whole window is negative; 10% faster
            values = functional.relu(functional.max_pool2d(norm(conv(values)), 2))
            read[name] = values
        return read

    def read_out(self, conv3: Tensor) -> Tensor:
        """Compute fc1 from the map of conv3.

        Args:
            conv3: float32, shape (batch, channels, height, width), after pooling.

        Returns:
            fc1 after ReLU and before dropout, shape (batch, hidden_units).
        """
        return functional.relu(self.fc1(_to_fixed_side(conv3).flatten(1)))

    def decide(self, fc1: Tensor) -> Tensor:
        """Compute the logits, shape (batch, 10), from fc1, shape (batch, hidden_units)."""
        return self.fc2(self.dropout(fc1))

    def forward(self, images: Tensor) -> Tensor:
        """Classify images.

        Args:
            images: as in `layers`.

        Returns:
            Logits, float32, shape (batch, 10).
        """
        return self.decide(self.read_out(self.maps(images)["conv3"]))

    def blocks(self) -> tuple[tuple[str, nn.Conv2d, nn.BatchNorm2d], ...]:
        """List name, convolution and norm layer of the conv blocks, in the order of computation."""
        return (
            ("conv1", self.conv1, self.norm1),
            ("conv2", self.conv2, self.norm2),
            ("conv3", self.conv3, self.norm3),
        )


def _to_fixed_side(values: Tensor) -> Tensor:
    # At 32 px the map is 4x4 already; skipping the pool there keeps its gradient, which is not
    # deterministic on a GPU, out of training.
    if values.shape[-2:] == (MAP_SIDE, MAP_SIDE):
        return values
    return functional.adaptive_avg_pool2d(values, MAP_SIDE)


def build_network(settings: Mapping[str, Any]) -> Cnn3:
    """Build a network with weights from the global random state.

    Args:
        settings: the section `network`: kind, channels, hidden_units, dropout.

    Returns:
        The network, in training mode, weights in channels-last memory format (1.3 times faster).

    Raises:
        ConfigurationError: there is no such network.
    """
    if settings["kind"] != "cnn3":
        raise ConfigurationError(f"network.kind: there is no '{settings['kind']}'; use 'cnn3'")
    network = Cnn3(settings["channels"], settings["hidden_units"], settings["dropout"])
    return network.to(memory_format=torch.channels_last)


def initial_network(
    settings: Mapping[str, Any], study_seed: int, seed: int, init: str = "default"
) -> Cnn3:
    """Build a network with the initial weights of a seed, the same for every rule with this `init`.

    Args:
        settings: as in `build_network`.
        study_seed: the study's seed.
        seed: the network's seed.
        init: "default": PyTorch's, kaiming uniform with a = sqrt(5); "kaiming-normal": the conv
            weights are drawn anew from a normal distribution of standard deviation
            sqrt(2 / inputs), 2.4 times as large (He et al. 2015, equation 10); all else the same.

    Returns:
        The network; the global random state is left as it was.

    Raises:
        ConfigurationError: there is no such network or `init`.
    """
    with seeded(derive_seed(study_seed, seed, "initial weights")):
        network = build_network(settings)
    if init == "kaiming-normal":
        with seeded(derive_seed(study_seed, seed, "initial weights", init)):
            for _, conv, _ in network.blocks():
                nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")
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
