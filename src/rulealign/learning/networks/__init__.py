"""The networks that learn: one file with one class each, and one line in this registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.learning.network import Network

REGISTRY: dict[str, str] = {
    "cnn3": "rulealign.learning.networks.cnn3:Cnn3",
    "triangle3": "rulealign.learning.networks.triangle3:Triangle3",
    "vgg5": "rulealign.learning.networks.vgg5:Vgg5",
    "vgg11": "rulealign.learning.networks.vgg11:Vgg11",
    "resnet18": "rulealign.learning.networks.resnet18:ResNet18",
    "own": "rulealign.learning.networks.own:Own",
    "given": "rulealign.learning.networks.given:Given",
    "torchvision": "rulealign.learning.networks.torchvision_model:TorchvisionModel",
}


def network_class(kind: str) -> type[Network]:
    """Find the class of a network.

    Args:
        kind: a key of `REGISTRY`.

    Returns:
        The class; importing it does not import torch.

    Raises:
        ConfigurationError: there is no such network; lists those there are.
    """
    return registered(REGISTRY, kind, "network")
