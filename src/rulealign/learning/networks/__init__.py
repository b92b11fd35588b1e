"""The networks that learn: one file with one class each, and one line in this registry."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rulealign.errors import ConfigurationError

if TYPE_CHECKING:
    from rulealign.learning.network import Network

REGISTRY: dict[str, str] = {
    "cnn3": "rulealign.learning.networks.cnn3:Cnn3",
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
    if kind not in REGISTRY:
        raise ConfigurationError(f"there is no network '{kind}'; there are: {list(REGISTRY)}")
    module, name = REGISTRY[kind].split(":")
    return getattr(import_module(module), name)
