"""What a training set is: settings that can be checked before an image is read, and its reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from rulealign.mistakes import Checks, Mistake
from rulealign.schema import Closed, Pixels, PositiveInt

if TYPE_CHECKING:
    import numpy as np

    Split = tuple[np.ndarray, np.ndarray]
    """Images uint8 (n, size, size, 3) RGB, and labels int64 (n,)."""


class TrainingSet(Closed):
    """The settings of a training set.

    A training set is one file in `training_sets/`: a subclass that states its source, with a
    literal `kind` of its own, and one line in the registry. The attribute `source` is what it is
    read from: a dataset of the registry of downloads, or a path; a generated one has none. How many
    classes it has is asked of the file that is made of it (`images.training_split.class_names`).
    """

    words: ClassVar[str]
    """What it is, for the report; settings stand in braces."""

    cited: ClassVar[str] = ""
    """Whose images they are, for the report; empty where `source` says it."""

    classes: ClassVar[tuple[str, ...] | None] = None
    """Its classes in label order, where they are known before its images are read."""

    images: ClassVar[Mapping[str, int]] = {}
    """Split -> how many images it has, where that is known before they are read."""

    may_repeat: ClassVar[bool] = False
    """Whether held-out images may be training images; the study then says why in `copies`."""

    kind: str = Field(description="the training set's name in the registry")
    image_size: Pixels = Field(default=32, description="pixels per side of the stored images")
    train_images: PositiveInt = Field(
        default=8000, description="images per seed, drawn from the train split by the seed"
    )
    held_out_images: PositiveInt = Field(
        default=10_000,
        description="images of the test split that accuracy is measured on (the first ones drawn"
        " by the study's seed; as many as there are in the split means all)",
    )

    def read(
        self, source: Path | None, workplace: Path, seed: int
    ) -> tuple[list[str], dict[str, Split]]:
        """Read or generate all images.

        Args:
            source: what `source` names, on this machine; None where it names nothing.
            workplace: a folder for what is needed for a while.
            seed: of the study, for what is generated.

        Returns:
            The classes in label order; "train" and "test" -> images and labels.

        Raises:
            DataError: the source is not what it should be.
            StoreError: the disk is full.
        """
        raise NotImplementedError(f"{type(self).__name__} has no reader")

    def class_count(self) -> int | None:
        """Give the number of classes, or None where only the images tell it."""
        return None if self.classes is None else len(self.classes)

    def checks(self) -> Checks:
        """Check that the set has as many images as are asked for."""
        yield self._count("train_images", "train")
        yield self._count("held_out_images", "test")

    def _count(self, key: str, split: str) -> Iterator[Mistake]:
        asked, there = getattr(self, key), self.images.get(split)
        if there is not None and asked > there:
            yield Mistake(
                key, f"must be at most {there}, the images that {self.kind} has, not {asked}"
            )
