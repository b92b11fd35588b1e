"""Feedback alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.learning.gradient import GradientRule, GradientSettings
from rulealign.learning.rule import Course
from rulealign.provenance import derive_seed

if TYPE_CHECKING:
    from torch import nn


class FeedbackAlignmentSettings(GradientSettings):
    """The settings of `fa`."""

    kind: Literal["fa"] = Field(description="errors go back through fixed random weights")


class FeedbackAlignment(GradientRule):
    """Send errors back through fixed random weights.

    For a layer y = W x with the error e: dW = e x^T as in backpropagation, but B^T e instead of
    W^T e goes to the layer below, in every layer that propagates an error (conv2, conv3, fc1 and
    fc2 of cnn3; nothing lies below conv1). B is drawn once per label and seed, from the
    distribution of the layer's initial weights, and never changes. Source: Lillicrap, Cownden,
    Tweed & Akerman 2016, Nature Communications 7:13276, equation 3. As published: SGD 5e-4 with
    momentum .9. Pooling, ReLU, BatchNorm and dropout send errors back exactly.
    """

    Settings = FeedbackAlignmentSettings

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        from rulealign.learning.feedback import attach, layers_with_error, random_feedback

        super().__init__(network, settings, course)
        drawn_by = derive_seed(course.study_seed, course.label, course.seed, "feedback")
        self.feedback = random_feedback(network, drawn_by)
        for name, layer in layers_with_error(network).items():
            attach(layer, self.feedback[name])

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state and B of every layer."""
        return super().state_dict() | {"feedback": self.feedback}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the optimiser's state and B of every layer.

        Args:
            state: as returned by `state_dict`.
        """
        super().load_state_dict(state)
        for name, feedback in self.feedback.items():
            feedback.copy_(state["feedback"][name])
