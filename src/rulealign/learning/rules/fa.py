"""Feedback alignment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.feedback_rule import FeedbackRule
from rulealign.learning.gradient import GradientSettings

if TYPE_CHECKING:
    from torch import nn

    from rulealign.learning.feedback import SendBack


class FeedbackAlignmentSettings(GradientSettings):
    """The settings of `fa`."""

    kind: Literal["fa"] = Field(description="errors go back through fixed random weights")
    layers: Literal["all", "conv"] = Field(
        default="all",
        description="layers that send errors back through random weights: all that propagate one,"
        " or convolutions only, as published in 2026 (linear layers then send them back exactly)",
    )


class FeedbackAlignment(FeedbackRule):
    """Send errors back through fixed random weights.

    For a layer y = W x with the error e, shape (batch, out): dW = e^T x as in backpropagation, but
    e B instead of e W goes to the layer below, in every layer that propagates an error (nothing
    lies below the first). B has the shape of W, is drawn once per
    label and seed from the distribution of PyTorch's initial weights, and never changes. Source:
    Lillicrap, Cownden, Tweed & Akerman 2016, Nature Communications 7:13276, equation 3. As
    published in 2026: SGD 5e-4 with momentum .9. Not for asking what a biological circuit could do
    with its errors: they still need a backward path of their own, layer by layer.
    """

    Settings = FeedbackAlignmentSettings

    def send_back(self, layers: Mapping[str, nn.Module]) -> dict[str, SendBack]:
        """Draw B of every layer, and send errors back through it.

        Args:
            layers: name -> layer, all that propagate an error.

        Returns:
            Name -> way, of the layers that the setting `layers` names.
        """
        from rulealign.learning.feedback import random_feedback, through

        if self.settings.layers == "conv":
            conv = torch.nn.Conv2d
            layers = {name: layer for name, layer in layers.items() if isinstance(layer, conv)}
        self.feedback = random_feedback(layers, self.seed_of())
        return {
            name: through(layer, lambda name=name: self.feedback[name])
            for name, layer in layers.items()
        }
