"""Learning without labels from two views of every image: VICReg's loss, and how views are made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.feature_loss import (
    HEAD_SIDE,
    FeatureLossRule,
    FeatureLossSettings,
    seen_by_head,
)
from rulealign.schema import Fraction, PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0
"""Weights of the three terms, as published."""

EPSILON = 1e-4
"""Added to a variance before its root, as published."""


class TwoViewSettings(FeatureLossSettings):
    """The settings of rules that compare two views."""

    embedding: whole(2, 16_384) = Field(
        default=256, description="units of a head's hidden layer and of its output"
    )
    smallest_crop: PositiveFloat = Field(
        default=0.3, le=1, description="least side of the second view's crop, share of the image's"
    )
    jitter: Fraction = Field(
        default=0.4,
        description="the second view's colours are scaled by 1 - jitter to 1 + jitter, channel by"
        " channel, and shifted by up to jitter, in units of the normalised image",
    )
    grey: Fraction = Field(default=0.2, description="share of second views without colour")


class TwoViewRule(FeatureLossRule):
    """Bring the two views of an image together in the maps that a subclass looks at.

    The first view is the image as training deals it, flipped and cropped; BatchNorm's running
    statistics are those of first views alone, as those of a matched control. The second view has
    also been cropped at random to a share of its side and enlarged again, flipped and recoloured.
    """

    Settings = TwoViewSettings

    def head(self, channels: int) -> nn.Module:
        """Build a head: two linear layers with BatchNorm and ReLU between, on 2 x 2 positions."""
        size = self.settings.embedding
        return torch.nn.Sequential(
            torch.nn.Linear(channels * HEAD_SIDE**2, size),
            torch.nn.BatchNorm1d(size),
            torch.nn.ReLU(),
            torch.nn.Linear(size, size),
        )

    def compare(self, name: str, first: Tensor, second: Tensor) -> Tensor:
        """Compute the loss of two views' maps, each of shape (batch, channels, height, width)."""
        head = self.heads[name]
        return vicreg_loss(head(seen_by_head(first)), head(seen_by_head(second)))

    def second_view(self, images: Tensor) -> Tensor:
        """Make the second view; draws come from the CPU's global random state.

        Args:
            images: the first view, float32, shape (batch, 3, size, size), normalised.

        Returns:
            The same shape.
        """
        asked, count = self.settings, len(images)
        draw = torch.rand(count, 12).to(images)
        side = asked.smallest_crop + (1 - asked.smallest_crop) * draw[:, 0]
        centre = (1 - side[:, None]) * (2 * draw[:, 1:3] - 1)  # the crop stays inside; -1 to 1
        mirror = torch.where(draw[:, 3] < 0.5, -side, side)
        place = torch.zeros(count, 2, 3).to(images)
        place[:, 0, 0], place[:, 1, 1], place[:, :, 2] = mirror, side, centre
        grid = functional.affine_grid(place, list(images.shape), align_corners=False)
        cut = functional.grid_sample(images, grid, padding_mode="border", align_corners=False)
        scale, shift = (asked.jitter * (2 * draw[:, k : k + 3, None, None] - 1) for k in (4, 7))
        coloured = cut * (1 + scale) + shift
        grey = coloured.mean(1, keepdim=True).expand_as(coloured)
        return torch.where(draw[:, 10, None, None, None] < asked.grey, grey, coloured)


def vicreg_loss(one: Tensor, other: Tensor) -> Tensor:
    """Compute the loss of VICReg for the embeddings of two views.

        25 mean (z - z')^2 + 25/2 [v(z) + v(z')] + c(z) + c(z')

    with v the mean over units of max(0, 1 - standard deviation over the batch), and c the sum of
    squared covariances between different units, divided by the number of units. Source: Bardes,
    Ponce & LeCun 2022 (ICLR), equations 1 to 6, with the weights of their code.

    Args:
        one: z, shape (batch, units).
        other: z', the same shape.

    Returns:
        One number.
    """
    apart = functional.mse_loss(one, other)
    spread = sum(_too_narrow(z) for z in (one, other)) / 2
    return INVARIANCE * apart + VARIANCE * spread + COVARIANCE * sum(map(_related, (one, other)))


def _too_narrow(z: Tensor) -> Tensor:
    return functional.relu(1 - (z.var(0) + EPSILON).sqrt()).mean()


def _related(z: Tensor) -> Tensor:
    centred = z - z.mean(0)
    covariance = centred.T @ centred / (len(z) - 1)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]
