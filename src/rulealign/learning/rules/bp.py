"""Backpropagation."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rulealign.learning.gradient import GradientRule, GradientSettings


class BackpropagationSettings(GradientSettings):
    """The settings of `bp`."""

    kind: Literal["bp"] = Field(description="exact gradient of the cross-entropy")


class Backpropagation(GradientRule):
    """Descend the exact gradient of the cross-entropy.

    For a layer y = W x with the error e = dL/dy: dW = e x^T, and the error W^T e goes to the
    layer below (Rumelhart, Hinton & Williams 1986). As published: Adam, learning rate 1e-3.
    """

    Settings = BackpropagationSettings
    sends_errors = True
