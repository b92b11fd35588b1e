"""The training sets: one file with one class each, and one line in this registry."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from rulealign.errors import ConfigurationError

if TYPE_CHECKING:
    from rulealign.data.training_set import TrainingSet

REGISTRY: dict[str, str] = {
    "cifar10": "rulealign.data.training_sets.cifar10:Cifar10",
    "image-folder": "rulealign.data.training_sets.image_folder:ImageFolder",
    "synthetic-objects": "rulealign.data.training_sets.synthetic_objects:SyntheticObjects",
}


def training_set_class(kind: str) -> type[TrainingSet]:
    """Find the class of a training set.

    Args:
        kind: a key of `REGISTRY`.

    Returns:
        The class; importing it loads nothing that reads images.

    Raises:
        ConfigurationError: there is no such training set; lists those there are.
    """
    if kind not in REGISTRY:
        raise ConfigurationError(f"there is no training set '{kind}'; there are: {list(REGISTRY)}")
    module, name = REGISTRY[kind].split(":")
    return getattr(import_module(module), name)
