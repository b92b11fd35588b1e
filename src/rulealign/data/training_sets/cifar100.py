"""CIFAR-100 as published."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rulealign.data.training_sets.cifar10 import Cifar10


class Cifar100(Cifar10):
    """CIFAR-100 as published, through torchvision: its 100 fine classes.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images"; the archive
    for Python, checked by MD5. It has 500 images of a class: of 8,000, a class has about 80.
    """

    words = "CIFAR-100, the official arrays, fine classes."
    source: ClassVar[str] = "cifar100"
    torchvision: ClassVar[str] = "CIFAR100"
    classes = None  # the archive, whose checksums are known, names them

    kind: Literal["cifar100"] = Field(description="the official arrays, MD5 checked")

    def class_count(self) -> int:
        """Give the number of its fine classes."""
        return 100
