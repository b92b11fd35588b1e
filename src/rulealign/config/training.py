"""The sections of training: the images that networks learn from, and how."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from rulealign.mistakes import Checks, Mistake
from rulealign.schema import (
    Closed,
    Count,
    Distinct,
    Finite,
    Label,
    PaddingMode,
    Pixels,
    PositiveFloat,
    PositiveInt,
    Seed,
    by_kind,
    each,
    whole,
)
from rulealign.wrong_values import shown


class _TrainingSet(Closed):
    image_size: Pixels = Field(description="pixels per side of the stored images")
    train_images: PositiveInt = Field(
        description="images per seed, drawn from the train split by the seed"
    )
    held_out_images: PositiveInt = Field(
        description="images of the test split that accuracy is measured on (the first ones drawn"
        " by the study's seed; as many as there are in the split means all)"
    )


class Cifar10(_TrainingSet):
    """CIFAR-10 as published, through torchvision."""

    kind: Literal["cifar10"] = Field(description="the official arrays, MD5 checked")

    def checks(self) -> Checks:
        """Check that CIFAR-10 has the images."""
        yield self._size()
        yield self._count("train_images", 50_000)
        yield self._count("held_out_images", 10_000)

    def _size(self) -> Iterator[Mistake]:
        if self.image_size != 32:
            why = f"must be 32, the pixels per side of cifar10's images, not {self.image_size}"
            yield Mistake("image_size", why)

    def _count(self, key: str, there: int) -> Iterator[Mistake]:
        if getattr(self, key) > there:
            why = f"must be at most {there}, the images that cifar10 has, not {getattr(self, key)}"
            yield Mistake(key, why)


class ImageFolder(_TrainingSet):
    """A folder, zip or tar of `split/class/image`, with the splits `train` and `test`."""

    kind: Literal["image-folder"] = Field(description="images in folders named by class")
    source: str = Field(
        description="a dataset of the registry, or a path (with a '/') to a folder, .zip or .tar*"
    )


class SyntheticObjects(_TrainingSet):
    """Generated objects: 10 classes of shape and texture on 1/f backgrounds."""

    kind: Literal["synthetic-objects"] = Field(description="generated, no download")
    pool_images: PositiveInt = Field(description="images of the train split that seeds draw from")

    def checks(self) -> Checks:
        """Check that there are enough images to draw from."""
        yield self._enough_to_draw()

    def _enough_to_draw(self) -> Iterator[Mistake]:
        if self.pool_images < self.train_images:
            yield Mistake(
                "pool_images",
                f"{self.pool_images} is less than train_images {self.train_images}, which are drawn"
                " from it; raise it",
            )


TrainingSet = by_kind("a training set is one of", Cifar10, ImageFolder, SyntheticObjects)


class Training(Closed):
    """How every rule is trained, and when it is looked at."""

    seeds: Annotated[list[Seed], Field(min_length=1), Distinct] = Field(
        description="one network per rule and seed; a seed sets initial weights, images and order"
    )
    fewer_seeds: each(dict[Label, PositiveInt]) = Field(
        description="rule -> how many of `seeds` it is trained with, the first ones (all, where"
        " there are no more); {} for none. Differences between rules are taken over the seeds that"
        " both have"
    )
    checkpoints: Annotated[list[Count], Field(min_length=1)] = Field(
        description="epochs after which the network is kept and compared; increasing, 0 first"
    )
    schedule_epochs: PositiveInt = Field(
        description="length of the learning-rate schedule in epochs, whatever the last checkpoint"
    )
    batch_size: whole(2) = Field(
        description="images per step; the last partial batch of an epoch is dropped"
    )
    crop_padding: whole(0, 1024) = Field(
        description="pixels added around an image before a random crop of its size"
    )
    padding_mode: PaddingMode = Field(
        default="zero",
        description="what is added: zero (black, as published), reflect (the image mirrored at its"
        " edge), replicate (its outermost pixels) or mean (the colour of `mean`)",
    )
    horizontal_flip: bool = Field(description="mirror half of the training images at random")
    mean: Annotated[list[Finite], Field(min_length=3, max_length=3)] = Field(
        description="RGB mean that is subtracted, pixel values 0-1; training and evaluation"
    )
    std: Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)] = Field(
        description="RGB standard deviation that is divided by; training and evaluation"
    )

    def checks(self) -> Checks:
        """Check the order of the checkpoints, and that the schedule reaches the last one."""
        yield self._increasing_from_zero()
        yield self._within_schedule()

    def _increasing_from_zero(self) -> Iterator[Mistake]:
        epochs = self.checkpoints
        if epochs[0] != 0:
            why = f"{shown(epochs)} lacks epoch 0, every rule's own baseline; put 0 first"
            yield Mistake("checkpoints", why)
        if any(later <= earlier for earlier, later in pairwise(epochs)):
            why = f"{shown(epochs)} does not increase; list each epoch once, in order"
            yield Mistake("checkpoints", why)

    def _within_schedule(self) -> Iterator[Mistake]:
        last = max(self.checkpoints)
        if last > self.schedule_epochs:
            yield Mistake(
                "checkpoints",
                f"{last} lies beyond schedule_epochs {self.schedule_epochs}, where the learning"
                " rate is 0; remove it, or raise schedule_epochs",
            )
