"""The sections of training: the images that networks learn from, and how."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from rulealign.schema import (
    Closed,
    Count,
    Distinct,
    Finite,
    Label,
    Pixels,
    PositiveFloat,
    PositiveInt,
    Seed,
    whole,
)


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

    @model_validator(mode="after")
    def _within_cifar10(self) -> Cifar10:
        there = {"image_size": 32, "train_images": 50_000, "held_out_images": 10_000}
        if self.image_size != there["image_size"]:
            raise ValueError(f"image_size {self.image_size}: the images of cifar10 have 32 px")
        for key in ("train_images", "held_out_images"):
            if getattr(self, key) > there[key]:
                raise ValueError(f"{key} {getattr(self, key)}: cifar10 has {there[key]}")
        return self


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

    @model_validator(mode="after")
    def _enough_to_draw(self) -> SyntheticObjects:
        if self.pool_images < self.train_images:
            raise ValueError(
                f"pool_images {self.pool_images} is less than train_images {self.train_images},"
                " which are drawn from it"
            )
        return self


TrainingSet = Annotated[Cifar10 | ImageFolder | SyntheticObjects, Field(discriminator="kind")]


class Training(Closed):
    """How every rule is trained, and when it is looked at."""

    seeds: Annotated[list[Seed], Field(min_length=1), Distinct] = Field(
        description="one network per rule and seed; a seed sets initial weights, images and order"
    )
    fewer_seeds: dict[Label, PositiveInt] = Field(
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
        description="zero pixels added around an image before a random crop of its size"
    )
    horizontal_flip: bool = Field(description="mirror half of the training images at random")
    mean: Annotated[list[Finite], Field(min_length=3, max_length=3)] = Field(
        description="RGB mean that is subtracted, pixel values 0-1; training and evaluation"
    )
    std: Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)] = Field(
        description="RGB standard deviation that is divided by; training and evaluation"
    )

    @field_validator("checkpoints")
    @classmethod
    def _increasing_from_zero(cls, epochs: list[int]) -> list[int]:
        if epochs[0] != 0:
            raise ValueError(f"{epochs} lacks epoch 0, every rule's own baseline; put 0 first")
        if any(later <= earlier for earlier, later in pairwise(epochs)):
            raise ValueError(f"{epochs} does not increase; list each epoch once, in order")
        return epochs

    @model_validator(mode="after")
    def _within_schedule(self) -> Training:
        if self.checkpoints[-1] > self.schedule_epochs:
            raise ValueError(
                f"checkpoint {self.checkpoints[-1]} lies beyond schedule_epochs"
                f" {self.schedule_epochs}, where the learning rate is 0"
            )
        return self
