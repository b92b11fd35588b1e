"""Layers whose backward pass sends the error through given weights instead of their own."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rulealign.learning.network import carries_weights, seeded


class FeedbackConvolution(torch.autograd.Function):
    """A convolution: forward with W; the gradient of the input with B, that of W exact.

    With e the gradient of the output: dW is that of the true convolution, and the input's gradient
    is the transposed convolution of e with B, of W's shape (out, in, height, width).
    """

    @staticmethod
    def forward(ctx: Any, images: Tensor, weight: Tensor, feedback: Tensor, how: dict) -> Tensor:
        """Convolve images (batch, in, height, width) with `weight`; `how`: stride and the like."""
        ctx.save_for_backward(images, feedback)
        ctx.how = how
        return functional.conv2d(images, weight, **how)

    @staticmethod
    def backward(ctx: Any, error: Tensor) -> tuple[Tensor | None, Tensor, None, None]:
        """Return the gradients of images and weight; `error` has the shape of the output."""
        images, feedback = ctx.saved_tensors
        to_input = None
        if ctx.needs_input_grad[0]:
            to_input = nn.grad.conv2d_input(images.shape, feedback, error, **ctx.how)
        return (
            to_input,
            nn.grad.conv2d_weight(images, feedback.shape, error, **ctx.how),
            None,
            None,
        )


class FeedbackLinear(torch.autograd.Function):
    """A linear layer: forward with W; the gradient of the input is e B, that of W is e^T x.

    W and B have the shape (out, in); B stands where W stands in backpropagation.
    """

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, feedback: Tensor) -> Tensor:
        """Multiply values (batch, in) with the transposed `weight`."""
        ctx.save_for_backward(values, feedback)
        return functional.linear(values, weight)

    @staticmethod
    def backward(ctx: Any, error: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of values and weight; `error` has shape (batch, out)."""
        values, feedback = ctx.saved_tensors
        return error @ feedback, error.T @ values, None


def attach(layer: nn.Conv2d | nn.Linear, feedback: Tensor) -> None:
    """Let a layer send its error back through given weights; what it computes stays the same.

    Args:
        layer: a convolution (zero padding) or linear layer; changed in place.
        feedback: B, of the shape of the layer's weight; not a parameter of the layer, so neither
            in its `state_dict` nor trained. Changed in place, it acts changed.
    """
    if isinstance(layer, nn.Conv2d):
        how = {name: getattr(layer, name) for name in ("stride", "padding", "dilation", "groups")}

        def forward(images: Tensor) -> Tensor:
            mapped = FeedbackConvolution.apply(images, layer.weight, feedback, how)
            return mapped if layer.bias is None else mapped + layer.bias[:, None, None]
    else:

        def forward(values: Tensor) -> Tensor:
            mapped = FeedbackLinear.apply(values, layer.weight, feedback)
            return mapped if layer.bias is None else mapped + layer.bias

    layer.forward = forward


def layers_with_error(network: nn.Module) -> dict[str, nn.Module]:
    """Find the layers that propagate an error: all convolutions and linear layers but the first.

    Args:
        network: a network whose modules are listed in the order of computation.

    Returns:
        Name -> layer.
    """
    layers = [(name, layer) for name, layer in network.named_modules() if carries_weights(layer)]
    return dict(layers[1:])


def random_feedback(network: nn.Module, seed: int) -> dict[str, Tensor]:
    """Draw B for every layer that propagates an error, as the layer's initial weights are drawn.

    Args:
        network: the network; it is not changed, nor is the global random state.
        seed: as made by `provenance.derive_seed`.

    Returns:
        Layer -> B, float32, of the shape and on the device of its weight.
    """
    with seeded(seed):
        return {name: _drawn(layer) for name, layer in layers_with_error(network).items()}


def _drawn(layer: nn.Module) -> Tensor:
    # on the CPU, so that the draw is the same for every device
    twin = copy.deepcopy(layer).cpu()
    twin.reset_parameters()
    return twin.weight.detach().to(layer.weight.device)
