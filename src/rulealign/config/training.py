"""The section of training: how networks learn."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

from pydantic import Field

from rulealign.mistakes import Checks, Mistake
from rulealign.schema import (
    Closed,
    Count,
    Distinct,
    Finite,
    Label,
    PaddingMode,
    PositiveFloat,
    PositiveInt,
    Seed,
    each,
    whole,
)
from rulealign.wrong_values import shown


class Kept(Closed):
    """Which networks are trained, and when they are looked at."""

    seeds: Annotated[list[Seed], Field(min_length=1), Distinct] = Field(
        description="one network per rule and seed; a seed sets initial weights, images and order"
    )
    fewer_seeds: each(dict[Label, PositiveInt]) = Field(
        default={},
        description="rule -> how many of `seeds` it is trained with, the first ones (all, where"
        " there are no more); {} for none. Differences between rules are taken over the seeds that"
        " both have",
    )
    checkpoints: Annotated[list[Count], Field(min_length=1)] = Field(
        description="epochs after which the network is kept and compared; increasing, 0 first"
    )

    def checks(self) -> Checks:
        """Check the order of the checkpoints."""
        yield self._increasing_from_zero()

    def _increasing_from_zero(self) -> Iterator[Mistake]:
        epochs = self.checkpoints
        if epochs[0] != 0:
            why = f"{shown(epochs)} lacks epoch 0, every rule's own baseline; put 0 first"
            yield Mistake("checkpoints", why)
        if any(later <= earlier for earlier, later in pairwise(epochs)):
            why = f"{shown(epochs)} does not increase; list each epoch once, in order"
            yield Mistake("checkpoints", why)


class Recipe(Closed):
    """How a network is trained, whichever of its epochs are kept."""

    schedule_epochs: PositiveInt = Field(
        default=40,
        description="length of the learning-rate schedule in epochs, whatever the last checkpoint",
    )
    batch_size: whole(2) = Field(
        default=128, description="images per step; the last partial batch of an epoch is dropped"
    )
    crop_padding: whole(0, 1024) = Field(
        default=4, description="pixels added around an image before a random crop of its size"
    )
    padding_mode: PaddingMode = Field(
        default="zero",
        description="what is added: zero (black, as published), reflect (the image mirrored at its"
        " edge), replicate (its outermost pixels) or mean (the colour of `mean`)",
    )
    horizontal_flip: bool = Field(
        default=True, description="mirror half of the training images at random"
    )
    mean: Annotated[list[Finite], Field(min_length=3, max_length=3)] = Field(
        default=[0.4914, 0.4822, 0.4465],
        description="RGB mean that is subtracted, pixel values 0-1; training and evaluation",
    )
    std: Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)] = Field(
        default=[0.247, 0.243, 0.261],
        description="RGB standard deviation that is divided by; training and evaluation",
    )


class Training(Recipe, Kept):
    """How every rule is trained, and when it is looked at."""

    def recipe(self) -> Recipe:
        """Give what a checkpoint depends on: all but which seeds and epochs are kept."""
        return Recipe(**{name: getattr(self, name) for name in Recipe.model_fields})

    def checks(self) -> Checks:
        """Check the order of the checkpoints, and that the schedule reaches the last one."""
        yield Kept.checks(self)
        yield self._within_schedule()

    def _within_schedule(self) -> Iterator[Mistake]:
        last = max(self.checkpoints)
        if last > self.schedule_epochs:
            yield Mistake(
                "checkpoints",
                f"{last} lies beyond schedule_epochs {self.schedule_epochs}, where the learning"
                " rate is 0; remove it, or raise schedule_epochs",
            )
