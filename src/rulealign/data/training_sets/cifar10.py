"""CIFAR-10 as published."""

from __future__ import annotations

import errno
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.atomic import workshop
from rulealign.data.training_set import TrainingSet
from rulealign.errors import DataError, StoreError
from rulealign.lazy import datasets
from rulealign.mistakes import Checks, Mistake

if TYPE_CHECKING:
    from rulealign.data.training_set import Split

SIDE = 32
"""Pixels per side of its images."""


class Cifar10(TrainingSet):
    """CIFAR-10 as published, through torchvision.

    Source: Krizhevsky 2009, "Learning multiple layers of features from tiny images"; the archive
    for Python, checked by MD5.
    """

    words = "CIFAR-10, the official arrays."
    source: ClassVar[str] = "cifar10"
    images: ClassVar[Mapping[str, int]] = {"train": 50_000, "test": 10_000}
    torchvision: ClassVar[str] = "CIFAR10"
    """The class of torchvision that reads the archive."""
    classes = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )

    kind: Literal["cifar10"] = Field(description="the official arrays, MD5 checked")

    def checks(self) -> Checks:
        """Check that the set has the images."""
        yield self._size()
        yield super().checks()

    def _size(self) -> Iterator[Mistake]:
        if self.image_size != SIDE:
            whose = f"the pixels per side of {self.kind}'s images"
            yield Mistake("image_size", f"must be {SIDE}, {whose}, not {self.image_size}")

    def read(
        self, source: Path | None, workplace: Path, _seed: int
    ) -> tuple[list[str], dict[str, Split]]:
        """Unpack the official archive and read it; see `TrainingSet.read`."""
        import numpy as np

        with workshop(workplace / self.kind) as root:
            try:
                with tarfile.open(source) as archive:
                    archive.extractall(root, filter="data")
                reader = getattr(datasets, self.torchvision)
                parts = {
                    split: reader(root, train=split == "train", download=False)
                    for split in self.images
                }
            except (tarfile.TarError, EOFError, RuntimeError, OSError, zlib.error) as error:
                raise self._not_unpacked(source, workplace, error) from error
        splits = {
            split: (np.ascontiguousarray(part.data), np.array(part.targets, dtype=np.int64))
            for split, part in parts.items()
        }
        return parts["train"].classes, splits

    def _not_unpacked(self, source: Path | None, workplace: Path, error: Exception) -> Exception:
        if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
            return StoreError(
                f"{workplace}: the disk is full; unpacking {source} needs 180 MB for a while."
                " Free some space and rerun the command."
            )
        return DataError(
            f"{source}: is not the official archive of {self.words.partition(',')[0]} ({error});"
            " delete it and rerun the command, it will be fetched anew."
        )
