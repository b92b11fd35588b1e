"""Feedback alignment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rulealign.learning.feedback_rule import FeedbackWeightsRule, FeedbackWeightsSettings


class FeedbackAlignmentSettings(FeedbackWeightsSettings):
    """The settings of `fa`."""

    kind: Literal["fa"] = Field(description="errors go back through fixed random weights")


class FeedbackAlignment(FeedbackWeightsRule):
    """Send errors back through fixed random weights.

    For a layer y = W x with the error e, shape (batch, out): dW = e^T x as in backpropagation, but
    e B instead of e W goes to the layer below, in every layer that propagates an error (nothing
    lies below the first). B has the shape of W, is drawn once per label and seed from the
    distribution of PyTorch's initial weights, and never changes. Source: Lillicrap, Cownden, Tweed
    & Akerman 2016, Nature Communications 7:13276, equation 3. As published in 2026: SGD 5e-4 with
    momentum .9. Not for asking what a biological circuit could do with its errors: they still need
    a backward path of their own, layer by layer.
    """

    Settings = FeedbackAlignmentSettings
