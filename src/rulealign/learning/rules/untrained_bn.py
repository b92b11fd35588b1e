"""No learning, but BatchNorm statistics of real images: the control of every trained network."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.rule import LearningRule, RuleSettings
from rulealign.schema import PositiveInt

if TYPE_CHECKING:
    from torch import Tensor, nn


class UntrainedBatchNormSettings(RuleSettings):
    """The settings of `untrained_bn`."""

    kind: Literal["untrained_bn"] = Field(
        description="initial weights, BatchNorm statistics of images"
    )
    images: Literal["training"] = Field(
        description="images that the statistics are of: all training images of the seed, not"
        " augmented, at their own size"
    )
    batch_size: PositiveInt = Field(description="images per pass; does not change the statistics")


class UntrainedBatchNorm(LearningRule):
    """Keep the initial weights and give every norm layer the statistics of its input.

    Layer by layer, from the first: mean and (unbiased) variance of each channel over all images
    and positions, with the layers below already calibrated and in evaluation mode. So the result
    is exact: it depends neither on the batch size nor on a last, smaller batch, as a running
    average of batch statistics would. No weight changes.
    """

    Settings = UntrainedBatchNormSettings
    trains: ClassVar[bool] = False

    def prepare(self, images: Tensor) -> None:
        """Calibrate the norm layers.

        Args:
            images: float32, shape (n, 3, px, px); all training images of this seed, normalised.
        """
        was_training = self.network.training
        self.network.eval()
        with torch.no_grad():
            for layer in self.network.modules():
                if isinstance(layer, torch.nn.BatchNorm2d):
                    self._calibrate(layer, images)
        self.network.train(was_training)

    def _calibrate(self, layer: nn.BatchNorm2d, images: Tensor) -> None:
        sums = _Sums()
        handle = layer.register_forward_pre_hook(lambda _, inputs: sums.add(inputs[0]))
        for batch in images.split(self.settings.batch_size):
            self.network(batch)
        handle.remove()
        mean, variance = sums.mean_and_variance()
        layer.running_mean.copy_(mean)
        layer.running_var.copy_(variance)


class _Sums:
    """Sums over images and positions, in float64, of maps of shape (batch, channels, h, w)."""

    def __init__(self) -> None:
        self.count, self.total, self.squares = 0, 0.0, 0.0

    def add(self, maps: Tensor) -> None:
        values = maps.double()
        self.count += values.numel() // values.shape[1]
        self.total = self.total + values.sum(dim=(0, 2, 3))
        self.squares = self.squares + values.square().sum(dim=(0, 2, 3))

    def mean_and_variance(self) -> tuple[Tensor, Tensor]:
        mean = self.total / self.count
        return mean, (self.squares / self.count - mean.square()) * self.count / (self.count - 1)
