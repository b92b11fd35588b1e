"""Muon: steps along orthogonalised gradients, which spread over all directions alike."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
"""As in the public reference code, like the numbers below."""
STEPS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of X, (X X') X and (X X')^2 X in a step of `orthogonalised`."""


def orthogonalised(matrix: Tensor) -> Tensor:
    """Bring the singular values of a matrix near 1, and leave its singular vectors.

    Newton-Schulz steps X <- a X + (b A + c A^2) X with A = X X', from X of Frobenius norm 1, each
    of which maps every singular value s to a s + b s^3 + c s^5. Five of them bring what is above
    about a thousandth of the norm to .7-1.2; they do not converge to 1, and smaller singular values
    stay smaller. An SVD gives 1 exactly and costs more.

    Args:
        matrix: float, shape (rows, columns).

    Returns:
        The same shape and dtype; of a matrix of zeros, zeros.

    Source: Jordan et al. 2024, "Muon: an optimizer for hidden layers in neural networks".
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix  # A is of the short side
    x = x / (x.norm() + 1e-7)
    a, b, c = QUINTIC
    for _ in range(STEPS):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x


class Muon(torch.optim.AdamW):
    """Changes kernels by orthogonalised momentum, and all other weights by AdamW.

    A kernel, flattened to (out, in k k), with gradient G: M <- .95 M + .05 G; W <- (1 - rate decay)
    W - rate sqrt(max(1, out / (in k k))) orthogonalised(.95 M + .05 G), Nesterov's form. The rate
    of an orthogonalised step has nothing to do with that of the others.

    Args:
        kernels: weights of two or more dimensions.
        others: the other weights.
        rate: of the kernels, at epoch 0.
        lr: of the others, at epoch 0.
        weight_decay: of both, decoupled.

    Do not use it for the first convolution, the layer of the logits, biases or norms, whose
    gradients have no directions to even out.

    Source: as of `orthogonalised`; AdamW: Loshchilov & Hutter 2019.
    """

    def __init__(
        self,
        kernels: Iterable[Tensor],
        others: Iterable[Tensor],
        *,
        rate: float,
        lr: float,
        weight_decay: float,
    ) -> None:
        groups = [
            {"params": list(others), "initial_lr": lr},
            {"params": list(kernels), "lr": rate, "initial_lr": rate, "orthogonalise": True},
        ]
        super().__init__([one for one in groups if one["params"]], lr=lr, weight_decay=weight_decay)

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        """Take one step along the gradients that the weights hold."""
        kernels = [one for one in self.param_groups if one.get("orthogonalise")]
        gradients = {p: p.grad for group in kernels for p in group["params"]}
        for group in kernels:
            for kernel in group["params"]:
                self._step_kernel(kernel, group)
                kernel.grad = None  # hidden from AdamW, which passes over weights without one
        super().step(closure)
        for kernel, gradient in gradients.items():
            kernel.grad = gradient

    def _step_kernel(self, kernel: Tensor, group: dict[str, Any]) -> None:
        if kernel.grad is None:
            return
        state = self.state[kernel]
        if not state:  # AdamW wants a step of every state that it takes up
            state |= {"step": torch.zeros(()), "momentum": torch.zeros_like(kernel)}
        mean = state["momentum"].lerp_(kernel.grad, 1 - MOMENTUM)
        update = orthogonalised(kernel.grad.lerp(mean, MOMENTUM).flatten(1))
        scale = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
        kernel.mul_(1 - group["lr"] * group["weight_decay"])
        kernel.add_(update.view_as(kernel), alpha=-group["lr"] * scale)


def muon(network: nn.Module, layers: str, **rates: float) -> Muon:
    """Make the optimiser of all weights of a network.

    Args:
        network: the network.
        layers: whose kernels are orthogonalised: `conv` (all convolutions but the first) or `all`
            (these, and all linear layers but the last, of the logits).
        rates: as in `Muon`.

    Returns:
        The optimiser.
    """
    modules = list(network.modules())
    convs = [one.weight for one in modules if isinstance(one, nn.Conv2d)][1:]
    linears = [one.weight for one in modules if isinstance(one, nn.Linear)][:-1]
    kernels = convs + (linears if layers == "all" else [])
    chosen = set(kernels)
    others = [one for one in network.parameters() if one not in chosen]
    return Muon(kernels, others, **rates)
