"""No learning, but BatchNorm statistics of real images: the control of every trained network."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.rule import Calibration, LearningRule, RuleSettings, ShownImages
from rulealign.schema import Label, Pixels, PositiveInt

if TYPE_CHECKING:
    from torch import Tensor, nn


class UntrainedBatchNormSettings(RuleSettings):
    """The settings of `untrained_bn`."""

    kind: Literal["untrained_bn"] = Field(
        description="initial weights, BatchNorm statistics of images"
    )
    images: Label = Field(
        description="images that the statistics are of: `training` (the training images of the"
        " seed, not augmented), or a label of `calibration`"
    )
    size: Pixels = Field(
        description="pixels per side at which they are shown; one of evaluation.sizes. Training"
        " images of another size are resized as stimuli are (bilinear, antialiased)"
    )
    count: Literal["all"] | PositiveInt = Field(
        description="how many of them, drawn by the seed; statistics are over images and positions,"
        " so that some hundred images suffice at large sizes"
    )
    batch_size: PositiveInt = Field(
        description="images per pass; does not change the statistics. Memory: a pass of 16 images"
        " at 224 px takes 0.5 GB"
    )

    @property
    def calibration(self) -> Calibration:
        """Which images `prepare` is shown."""
        return Calibration(self.images, self.size, None if self.count == "all" else self.count)


class UntrainedBatchNorm(LearningRule):
    """Keep the initial weights and give every norm layer the statistics of its input.

    Layer by layer, from the first: mean and (unbiased) variance of each channel over all images
    and positions, with the layers below already calibrated and in evaluation mode. So the result
    is exact: it depends neither on the batch size nor on a last, smaller batch, as a running
    average of batch statistics would. No weight changes.

    Which images, and at which size, is part of the control: statistics of training images at their
    own size are those that a trained network carries; statistics at the evaluation size, or of
    other stimuli, tell how much of a score is the mismatch between the two. Statistics of the very
    stimuli that are compared are refused (guard 12): they would use what they are tested on.
    """

    Settings = UntrainedBatchNormSettings
    trains: ClassVar[bool] = False

    def prepare(self, images: ShownImages) -> None:
        """Calibrate the norm layers.

        Args:
            images: those that the settings name, at the size that they name.
        """
        was_training = self.network.training
        self.network.eval()
        with torch.no_grad():
            for layer in self.network.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    self._calibrate(layer, images)
        self.network.train(was_training)

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
