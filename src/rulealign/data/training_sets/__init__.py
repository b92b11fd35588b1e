"""The training sets: one file with one class each, and one line in this registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.data.training_set import TrainingSet

REGISTRY: dict[str, str] = {
    "cifar10": "rulealign.data.training_sets.cifar10:Cifar10",
    "cifar100": "rulealign.data.training_sets.cifar100:Cifar100",
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
    return registered(REGISTRY, kind, "training set")
