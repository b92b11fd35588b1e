"""Layers that send another error back than their own weights would."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from rulealign.learning.weights import seeded

SendBack = Callable[[Tensor, torch.Size], Tensor]
"""Turns the error at a layer's output into one of the given shape, that of the layer's input."""


class SubstitutedFeedback(torch.autograd.Function):
    """Pass a layer's output on; in the backward pass, give its input another error.

    The layer has computed its output from a detached input, so that its own weights get their exact
    gradient from the error at the output, and its input gets `send_back` of that error.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, output: Tensor, send_back: SendBack) -> Tensor:
        """Return `output`; `values` is the layer's input, in place of which it was detached."""
        ctx.send_back, ctx.shape = send_back, values.shape
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, error: Tensor) -> tuple[Tensor | None, Tensor, None]:
        """Return the gradients of input and output; `error` has the shape of the output."""
        to_input = ctx.send_back(error, ctx.shape) if ctx.needs_input_grad[0] else None
        return to_input, error, None


def attach(layer: nn.Conv2d | nn.Linear, send_back: SendBack) -> None:
    """Let a layer send its error back in another way; what it computes stays the same.

    Args:
        layer: a convolution or linear layer; changed in place. A copy of it (`copy.deepcopy`) still
            computes with the original's weights: build networks anew instead.
        send_back: error at the output, shape of the input -> error at the input.
    """
    compute = type(layer).forward

    def forward(values: Tensor) -> Tensor:
        return SubstitutedFeedback.apply(values, compute(layer, values.detach()), send_back)

    layer.forward = forward


def through(layer: nn.Conv2d | nn.Linear, feedback: Callable[[], Tensor]) -> SendBack:
    """Send errors back as the layer does, but with other weights B in place of its own.

    Args:
        layer: a convolution (zero padding) or linear layer.
        feedback: gives B, of the shape of the layer's weight, at the time of the backward pass.

    Returns:
        For a linear layer, e B; for a convolution, the transposed convolution of e with B.
    """
    if isinstance(layer, nn.Linear):
        return lambda error, _: error @ feedback()
    how = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}
    return lambda error, shape: nn.grad.conv2d_input(shape, feedback(), error, **how)


def random_feedback(layers: Mapping[str, nn.Module], seed: int) -> dict[str, Tensor]:
    """Draw B for layers, as their initial weights are drawn by default.

    Args:
        layers: name -> layer; they are not changed, nor is the global random state.
        seed: as made by `provenance.derive_seed`.

    Returns:
        Layer -> B, float32, of the shape and on the device of its weight.
    """
    with seeded(seed):
        return {name: _drawn(layer) for name, layer in layers.items()}


def _drawn(layer: nn.Module) -> Tensor:
    # on the CPU, so that the draw is the same for every device
    twin = copy.deepcopy(layer).cpu()
    twin.reset_parameters()
    return twin.weight.detach().to(layer.weight.device)
