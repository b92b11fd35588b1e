"""No learning, but BatchNorm statistics of real images: the control of every trained network."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.rule import DealtImages, LearningRule, ShownImages
from rulealign.learning.rule_settings import TRAINING, Calibration, RuleSettings
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import Label, PaddingMode, Pixels, PositiveInt, whole
from rulealign.wrong_values import shown

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network

FORGOTTEN = 1e-6
"""Share of the initial statistics, mean 0 and variance 1, that is left in the running ones."""


_PADDING = ("crop_padding", "padding_mode")


class UntrainedBatchNormSettings(RuleSettings):
    """The settings of `untrained_bn`."""

    kind: Literal["untrained_bn"] = Field(
        description="initial weights, BatchNorm statistics of images"
    )
    augment: bool = Field(
        default=True,
        description="true: statistics as training makes them, of its flipped and cropped batches;"
        " what follows is then that of training, and left out. false: exact statistics of images as"
        " they are",
    )
    crop_padding: whole(0, 1024) | None = Field(
        default=None,
        description="with `augment`: another border than `training.crop_padding`, pixels; tells"
        " what a score owes to the border",
    )
    padding_mode: PaddingMode | None = Field(
        default=None, description="with `augment`: another one than `training.padding_mode`"
    )
    keep: Literal["both", "means", "variances"] = Field(
        default="both",
        description="which of the statistics are kept; the others are those of an untrained"
        " network, mean 0 and variance 1",
    )
    images: Label = Field(
        default=TRAINING,
        description="images that the statistics are of: `training` (the training images of the"
        " seed), or a label of `calibration`",
    )
    size: Pixels | None = Field(
        default=None,
        description="pixels per side at which they are shown; one of evaluation.sizes, by default"
        " that of training. Training images of another size are resized as stimuli are (bilinear,"
        " antialiased)",
    )
    count: Literal["all"] | PositiveInt = Field(
        default="all",
        description="how many of them, drawn by the seed; statistics are over images and positions,"
        " so that some hundred images suffice at large sizes",
    )
    batch_size: PositiveInt = Field(
        default=16,
        description="images per pass; does not change the statistics. Memory: a pass of 16 images"
        " at 224 px takes 0.5 GB",
    )

    @property
    def calibration(self) -> Calibration:
        """Which images `prepare` is shown."""
        count = None if self.count == "all" else self.count
        padding = {key: getattr(self, key) for key in _PADDING if getattr(self, key) is not None}
        return Calibration(self.images, self.size, count, self.augment, padding)

    def checks(self) -> Checks:
        """Check that nothing is said of other images than those that training makes."""
        yield self._of_training() if self.augment else self._without_border()
        yield self._size_of_a_set()

    def _of_training(self) -> Iterator[Mistake]:
        for key in ("images", "size", "count", "batch_size"):
            value = getattr(self, key)
            if value != type(self).model_fields[key].default:
                why = "is not what training shows; remove it, or write `augment: false`"
                yield Mistake(key, f"{shown(value)} {why}")

    def _without_border(self) -> Iterator[Mistake]:
        for key in _PADDING:
            if getattr(self, key) is not None:
                yield Mistake(key, "images as they are have no border; remove it, or `augment`")

    def _size_of_a_set(self) -> Iterator[Mistake]:
        if self.images != TRAINING and self.size is None:
            yield Mistake("size", f"missing; say at which size '{self.images}' are shown")


class UntrainedBatchNorm(LearningRule):
    """Keep the initial weights and give every norm layer the statistics of its input.

    With `augment`, statistics are what a network has that trains at the rate 0: those of every
    batch (mean, and unbiased variance over images and positions) enter the running ones with
    PyTorch's momentum, m <- 0.9 m + 0.1 m_batch, in training mode, batch by batch of the seed's
    epochs, in their order, flipped and cropped. It goes on for as many whole epochs as leave a
    millionth of the initial 0 and 1. This is the matched control of a trained network: a border
    of padding, and whatever else augmentation does to an image, is in the statistics of both.

    Without it, layer by layer, from the first: mean and (unbiased) variance of each channel over
    all images and positions, with the layers below already calibrated and in evaluation mode. So
    the result is exact: it depends neither on the batch size nor on a last, smaller batch. Which
    images, and at which size, tells what a score owes to the statistics; those of the very stimuli
    that are compared are refused (guard 12): they would use what they are tested on.

    No weight changes.
    """

    Settings = UntrainedBatchNormSettings
    trains: ClassVar[bool] = False

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it has nothing to change in a network; "" where it has."""
        return "" if network.has_batch_norm else "gives BatchNorm its statistics, and there is none"

    def prepare(self, images: ShownImages | DealtImages) -> None:
        """Give the norm layers their statistics.

        Args:
            images: those that the settings name; the batches of training where they are augmented.
        """
        was_training = self.network.training
        with torch.no_grad():
            if self.settings.augment:
                self._follow(images)
            else:
                self._calibrate_all(images)
        self._keep()
        self.network.train(was_training)

    def _keep(self) -> None:
        for norm in self._norms():
            if self.settings.keep == "variances":
                norm.running_mean.zero_()
            if self.settings.keep == "means":
                norm.running_var.fill_(1)

    def _follow(self, images: DealtImages) -> None:
        self.network.train()
        kept = 1 - next(self._norms()).momentum
        batches = math.ceil(math.log(FORGOTTEN) / math.log(kept))
        for epoch in range(math.ceil(batches / len(images))):
            for batch, _ in images.batches(epoch):
                self.network.layers(batch)

    def _calibrate_all(self, images: ShownImages) -> None:
        self.network.eval()
        for norm in self._norms():
            self._calibrate(norm, images)

    def _norms(self) -> Iterator[nn.BatchNorm2d]:
        return (m for m in self.network.modules() if isinstance(m, torch.nn.BatchNorm2d))

    def _calibrate(self, layer: nn.BatchNorm2d, images: ShownImages) -> None:
        sums = _Sums()

        def read(_: nn.Module, inputs: tuple[Tensor]) -> None:
            sums.add(inputs[0])
            raise _Reached  # the layers above are not needed: half of the time

        handle = layer.register_forward_pre_hook(read)
        for batch in images.split(self.settings.batch_size):
            with suppress(_Reached):
                self.network(batch)
        handle.remove()
        mean, variance = sums.mean_and_variance()
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)


class _Reached(Exception):
    """The layer whose input is wanted is reached."""


class _Sums:
    """Sums over images and positions, in float64, of maps of shape (batch, channels, h, w)."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0

    def add(self, maps: Tensor) -> None:
        over = (0, 2, 3)
        self.count += maps.numel() // maps.shape[1]
        # summed in float64 without a copy of the maps in it
        self.total = self.total + maps.sum(over, dtype=torch.float64)
        norm = torch.linalg.vector_norm(maps, dim=over, dtype=torch.float64)
        self.squares = self.squares + norm.square()

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        mean = self.total / self.count
        return mean, (self.squares / self.count - mean.square()) * self.count / (self.count - 1)
