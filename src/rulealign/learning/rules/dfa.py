"""Direct feedback alignment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.feedback_rule import FeedbackRule
from rulealign.learning.gradient import GradientSettings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.feedback import SendBack


class DirectFeedbackAlignmentSettings(GradientSettings):
    """The settings of `dfa`."""

    kind: Literal["dfa"] = Field(
        description="the output's error goes to every layer, through fixed random weights"
    )


class DirectFeedbackAlignment(FeedbackRule):
    """Send the error of the output straight to every layer, through fixed random weights.

    With e = dL/dlogits, shape (batch, classes): what backpropagation sends to the output x_l of a
    layer below, dL/dx_l, is replaced by e B_l, with B_l of shape (classes, units of x_l), and goes
    on through that layer's pooling, ReLU and BatchNorm exactly. B_l is drawn once per label and
    seed, normal with standard deviation 1 / sqrt(units), so that |e B_l| is about |e|, and never
    changes. Source: Nokland 2016 (NeurIPS), equation 6. B_l belongs to maps of one size: images of
    another size cannot be trained on with it.
    """

    Settings = DirectFeedbackAlignmentSettings
    errors_of_one_size = True  # B fits maps of the training images

    def send_back(self, layers: Mapping[str, nn.Module]) -> dict[str, SendBack]:
        """Send the output's error to the input of every layer.

        Args:
            layers: name -> layer, all that propagate an error, the output's last.

        Returns:
            Name -> way.
        """
        self.output_layer = list(layers)[-1]
        return {name: self._direct(name) for name in layers}

    def _direct(self, name: str) -> SendBack:
        def send_back(error: Tensor, shape: torch.Size) -> Tensor:
            if name == self.output_layer:  # the first that the backward pass comes to
                self.output_error = error
            drawn = self.feedback.get(name)
            if drawn is None:
                drawn = self._draw(name, self.output_error.shape[1], shape[1:].numel())
            if self.network.training:  # a network that is only read changes nothing
                self.feedback[name] = drawn
            return (self.output_error @ drawn).reshape(shape)

        return send_back

    def _draw(self, name: str, classes: int, units: int) -> Tensor:
        # on the CPU, so that the draw is the same for every device
        generator = torch.Generator().manual_seed(self.seed_of(name))
        drawn = torch.randn(classes, units, generator=generator) / units**0.5
        return drawn.to(self.course.device)
