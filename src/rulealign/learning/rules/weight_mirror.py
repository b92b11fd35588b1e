"""Feedback weights that mirror the forward weights, learned from noise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.feedback_rule import FeedbackWeightsRule, FeedbackWeightsSettings
from rulealign.schema import Number, whole

if TYPE_CHECKING:
    from torch import Tensor


class WeightMirrorSettings(FeedbackWeightsSettings):
    """The settings of `weight_mirror`."""

    kind: Literal["weight_mirror"] = Field(
        description="errors go back through weights that learn from noise in phases of their own"
    )
    mirror_rate: Annotated[float, Field(gt=0, le=1), Number] = Field(
        default=0.05, description="share of the way to one step's estimate that B goes"
    )
    mirror_samples: whole(1, 100_000) = Field(
        default=128, description="noise vectors per layer and step"
    )


class WeightMirror(FeedbackWeightsRule):
    """Send errors back through weights that mirror the forward weights, learned from noise.

    As `fa`, with B in place of W on the way back, but after every step of W comes a second phase,
    without images or labels, in which each layer's inputs fire at random: x ~ N(0, 1), independent,
    and y = W x. Their product is W on average, so that

        dB = r (mean(y x^T) - B), with r = mirror_rate, over `mirror_samples` vectors,

    follows W, up to noise of about N r / (2 samples) of |W|^2 for N inputs. B starts as `fa` draws
    it. A convolution is mirrored at one position. Source: Akrout, Wilson, Humphreys, Lillicrap &
    Tweed 2019 (NeurIPS), with equal learning rate and decay of B. The noise goes into each layer
    alone, without bias, BatchNorm and activation; how a circuit would silence these is left open.
    `feedback_angle` in the log: mean angle between B and W over the layers, degrees. Not for asking
    what a network without separate phases could learn: use `kolen_pollack`.
    """

    Settings = WeightMirrorSettings

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change W once by the errors that came through B, then B by noise.

        Args:
            images: as in `GradientRule.step`.
            labels: as in `GradientRule.step`.

        Returns:
            As `GradientRule.step`, and `feedback_angle`.
        """
        logged = super().step(images, labels)
        self.mirror()
        return logged | {"feedback_angle": self.feedback_angle()}

    def mirror(self) -> None:
        """Let B of every layer learn from one draw of noise."""
        asked = self.settings
        for name, feedback in self.feedback.items():
            weight = self._weight(name)
            rows = weight.flatten(1)
            # on the CPU, so that the draw is the same for every device
            noise = torch.randn(asked.mirror_samples, rows.shape[1]).to(rows)
            seen = (noise @ rows.T).T @ noise / asked.mirror_samples
            feedback += asked.mirror_rate * (seen.view_as(weight) - feedback)
