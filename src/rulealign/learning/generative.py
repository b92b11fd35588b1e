"""A hierarchy of states that predict each other downwards: its energy, inference and learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional


class Block(NamedTuple):
    """One conv block in one forward pass, with what its synapses need to learn.

    Attributes:
        below: input of the convolution, shape (batch, in, height, width).
        normed: output of BatchNorm, shape (batch, out, height, width); a leaf of the local graph.
        output: after pooling and ReLU, shape (batch, out, height / 2, width / 2).
        scale: what BatchNorm multiplied each channel with, shape (out,).
    """

    below: Tensor
    normed: Tensor
    output: Tensor
    scale: Tensor

    def change(self, error: Tensor, kernel: torch.Size) -> Tensor:
        """Give the Hebbian change of the conv weights: postsynaptic error times presynaptic input.

        The error counts where ReLU is open, at the position that won its pooling window, times the
        scale of BatchNorm, whose statistics are held constant.

        Args:
            error: shape of `output`.
            kernel: shape of the conv weights, (out, in, 3, 3).

        Returns:
            Sum over batch and positions, of the shape of the conv weights.
        """
        # the graph spans pooling and ReLU of this block and nothing else
        (at_norm,) = torch.autograd.grad(self.output, self.normed, error, retain_graph=True)
        at_conv = at_norm * self.scale[:, None, None]
        return nn.grad.conv2d_weight(self.below, kernel, at_conv, padding=1)


def run_block(conv: nn.Conv2d, norm: nn.BatchNorm2d, below: Tensor) -> Block:
    """Compute a conv block as the network does in training mode, statistics included.

    Args:
        conv: 3x3, padding 1, no bias.
        norm: its norm layer; the running statistics are updated once.
        below: the input, shape (batch, in, height, width).

    Returns:
        The block; no gradient reaches the weights or the input.
    """
    with torch.no_grad():
        normed, _, scale = torch.native_batch_norm(
            conv(below), norm.weight, norm.bias, norm.running_mean, norm.running_var, True,
            norm.momentum, norm.eps,
        )  # fmt: skip
        norm.num_batches_tracked += 1
        scale = scale * norm.weight
    with torch.enable_grad():
        normed.requires_grad_()
        output = functional.relu(functional.max_pool2d(normed, 2))
    return Block(below, normed, output, scale)


class Settled(NamedTuple):
    """What inference ends with.

    Attributes:
        states: r_0 (the images) to r_L; shape (batch, channels, height, width) each.
        errors: e_0 to e_{L-1} of these states.
        energies: F before the first step and after each step, mean per image; float64.
    """

    states: list[Tensor]
    errors: list[Tensor]
    energies: list[float]


class Hierarchy:
    """Levels 0 (the images) to L of states; each predicts the one below through learned weights.

    With r_l the state of level l, a_l its feed-forward value, V_l and b_l the weights and bias of
    the prediction of level l - 1::

        e_{l-1} = r_{l-1} - (V_l^T * r_l + b_l)                                    l = 1 ... L
        F = 1/2 sum_l precision_l |e_l|^2  (l = 0 ... L-1)  +  prior/2 sum_l |r_l - a_l|^2

    in sum over units and mean over images. `V_l^T *` is the transposed convolution of 2x2 kernels
    with stride 2: a position of level l predicts the 2x2 positions that its pooling window saw.
    F is quadratic and convex in the states (Rao & Ballard 1999, equation 4, with linear
    predictions and a Gaussian prior around the feed-forward value).

    Args:
        weights: V_1 ... V_L, shape (channels_l, channels_{l-1}, 2, 2).
        biases: b_1 ... b_L, shape (channels_{l-1},).
        precision: inverse variance of e_0 ... e_{L-1}.
        prior: inverse variance of the states around their feed-forward values.
    """

    def __init__(
        self,
        weights: Sequence[Tensor],
        biases: Sequence[Tensor],
        precision: Sequence[float],
        prior: float,
    ) -> None:
        self.weights, self.biases = list(weights), list(biases)
        self.precision, self.prior = list(precision), prior

    def errors(self, states: Sequence[Tensor]) -> list[Tensor]:
        """Compute e_0 ... e_{L-1} of states r_0 ... r_L."""
        return [
            below - functional.conv_transpose2d(state, weight, bias, stride=2)
            for below, state, weight, bias in zip(
                states[:-1], states[1:], self.weights, self.biases, strict=True
            )
        ]

    def energy(
        self, states: Sequence[Tensor], errors: Sequence[Tensor], forward: Sequence[Tensor]
    ) -> Tensor:
        """Compute F.

        Args:
            states: r_0 ... r_L.
            errors: e_0 ... e_{L-1} of these states.
            forward: a_1 ... a_L.

        Returns:
            F, mean per image, a float64 scalar.
        """
        unexpected = sum(
            precision * _sum_of_squares(error)
            for precision, error in zip(self.precision, errors, strict=True)
        )
        moved = sum(
            _sum_of_squares(state - value) for state, value in zip(states[1:], forward, strict=True)
        )
        return 0.5 * (unexpected + self.prior * moved) / len(states[0])

    def state_gradients(
        self, states: Sequence[Tensor], errors: Sequence[Tensor], forward: Sequence[Tensor]
    ) -> list[Tensor]:
        """Compute dF/dr_1 ... dF/dr_L per image: each needs only the errors below and above.

        dF/dr_l = prior (r_l - a_l) - precision_{l-1} V_l * e_{l-1} + precision_l e_l; the last term
        is missing at level L.

        Args:
            states: r_0 ... r_L.
            errors: e_0 ... e_{L-1}.
            forward: a_1 ... a_L.

        Returns:
            Of the shapes of the states.
        """
        gradients = []
        for level, (state, value) in enumerate(zip(states[1:], forward, strict=True)):
            fed_up = functional.conv2d(errors[level], self.weights[level], stride=2)
            gradient = self.prior * (state - value) - self.precision[level] * fed_up
            if level + 1 < len(errors):
                gradient += self.precision[level + 1] * errors[level + 1]
            gradients.append(gradient)
        return gradients

    def curvatures(self) -> list[float]:
        """Bound the curvature of F for levels 1 ... L, so that steps of 1/curvature lower F.

        The sum of the norms of a level's blocks of the Hessian: with these on the diagonal, D - H
        is positive semidefinite (block diagonal dominance), so that any rate below 2, times 1/D,
        lowers F.

        Returns:
            One bound per level, > 0.
        """
        # kernels do not overlap: the norm of the map is that of the matrix of one position
        norms = [_spectral_norm(weight.flatten(1)) for weight in self.weights]
        bounds = []
        for level, norm in enumerate(norms):
            bound = self.prior + self.precision[level] * norm**2
            if level > 0:
                bound += self.precision[level] * norm
            if level + 1 < len(norms):
                bound += self.precision[level + 1] * (1 + norms[level + 1])
            bounds.append(bound)
        return bounds

    def settle(self, images: Tensor, forward: Sequence[Tensor], steps: int, rate: float) -> Settled:
        """Descend F over the states, all levels at once, from the feed-forward values.

        r_l <- r_l - rate / curvature_l dF/dr_l.

        Args:
            images: r_0, clamped.
            forward: a_1 ... a_L, without gradients.
            steps: number of steps.
            rate: below 2, F falls at every step.

        Returns:
            The states that were reached, their errors, and F on the way.
        """
        sizes = [rate / curvature for curvature in self.curvatures()]
        states = [images, *forward]
        errors = self.errors(states)
        energies = [self.energy(states, errors, forward).item()]
        for _ in range(steps):
            gradients = self.state_gradients(states, errors, forward)
            moved = zip(states[1:], gradients, sizes, strict=True)
            states = [images, *(state - size * gradient for state, gradient, size in moved)]
            errors = self.errors(states)
            energies.append(self.energy(states, errors, forward).item())
        return Settled(states, errors, energies)

    def changes(self, settled: Settled) -> tuple[list[Tensor], list[Tensor]]:
        """Give the Hebbian changes of V and b: the error below times the state above.

        They equal -dF/dV_l = precision_{l-1} e_{l-1} r_l^T and -dF/db_l, at these states.

        Args:
            settled: states and errors.

        Returns:
            Of V_1 ... V_L and of b_1 ... b_L, mean over images.
        """
        batch = len(settled.states[0])
        weights, biases = [], []
        for level, error in enumerate(settled.errors):
            weighted = error * (self.precision[level] / batch)
            shape, state = self.weights[level].shape, settled.states[level + 1]
            weights.append(nn.grad.conv2d_weight(weighted, shape, state, stride=2))
            biases.append(weighted.sum(dim=(0, 2, 3)))
        return weights, biases


def _spectral_norm(matrix: Tensor) -> float:
    if not torch.isfinite(matrix).all():
        return torch.nan  # then F is not finite either, which is for the caller to see
    return torch.linalg.matrix_norm(matrix, 2).item()


def _sum_of_squares(values: Tensor) -> Tensor:
    # summed per image first: float32 keeps enough digits there, and float64 adds the images up
    return values.square().sum(dim=(1, 2, 3)).double().sum()
