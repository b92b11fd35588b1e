"""Layers' states between an image and its label: they descend an energy of prediction errors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rulealign.lazy import torch

if TYPE_CHECKING:
    from torch import Tensor

    Block = Callable[[Tensor], Tensor]

ROUNDING = 1e-5
"""Share of F by which a step may raise it and still count as a descent."""

HALVINGS = 6
"""How often a step that raises F is taken again at half the rate before training has diverged."""


class Hierarchy:
    """States x_1 to x_L over an input x_0 that stays, each predicted from the one below.

    F = 1/2 sum_l |e_l|^2 + top(x_L) with e_l = x_l - f_l(x_{l-1}), summed over the batch. The
    states start at the feed-forward sweep, where only `top` is not zero.

    Args:
        blocks: f_1 to f_L; the first one is called once.
        top: x_L -> energy of the output, one number.
        clamped: x_0, float, shape (batch, ...).
        fixed_prediction: hold f_l, top and their derivatives at the feed-forward sweep.

    Attributes:
        states: x_0 to x_L, without a graph.
        predictions: f_1(x_0) to f_L(x_{L-1}), each with a graph of its own.
    """

    def __init__(
        self, blocks: Sequence[Block], top: Block, clamped: Tensor, *, fixed_prediction: bool
    ) -> None:
        self.blocks, self.top, self.fixed_prediction = blocks, top, fixed_prediction
        self.states, self.sources, self.predictions = [clamped], [clamped], []
        for block in blocks:
            self.predictions.append(block(self.sources[-1]))
            self.states.append(self.predictions[-1].detach())
            self.sources.append(self.states[-1].detach().requires_grad_())
        self.output = top(self.sources[-1])

    def settle(self, steps: int, rate: float) -> list[list[float]]:
        """Let the states descend F.

        Args:
            steps: how often all states move.
            rate: share of dF/dx_l that x_l goes down; halved, up to `HALVINGS` times, for a step
                that would raise F.

        Returns:
            Before the first and after every step, the terms of F: of x_1 to x_L, and `top`. With
            `fixed_prediction` F does not fall: errors arise where there were none.
        """
        course = [self.energies()]
        for _ in range(steps):
            course.append(self._step(rate, sum(course[-1])))
        return course

    def _step(self, rate: float, before: float) -> list[float]:
        if self.fixed_prediction:
            self._move(rate)
            return self.energies()
        held = self.states[:], self.sources[:], self.predictions[:], self.output
        for halvings in range(HALVINGS + 1):
            self.states, self.sources, self.predictions = (list(kept) for kept in held[:3])
            self.output = held[3]
            self._move(rate / 2**halvings)
            self._predict()
            after = self.energies()
            if sum(after) <= before * (1 + ROUNDING):
                break
        return after

    def _move(self, rate: float) -> None:
        # from the top down, each with the error above that has just changed: one step carries the
        # label's error to every layer, where moving all states at once would take L steps
        # graphs are kept for another step, or for the same one again at a lower rate
        (slope,) = torch.autograd.grad(self.output, self.sources[-1], retain_graph=True)
        for level in range(len(self.blocks), 0, -1):
            prediction = self.predictions[level - 1]
            with torch.no_grad():
                error = self.states[level] - prediction
                self.states[level] = self.states[level] - rate * (error + slope)
                to_prediction = prediction - self.states[level]
            if level > 1:
                below = self.sources[level - 1]
                (slope,) = torch.autograd.grad(prediction, below, to_prediction, retain_graph=True)

    def _predict(self) -> None:
        self.sources[1:] = [state.detach().requires_grad_() for state in self.states[1:]]
        pairs = zip(self.blocks[1:], self.sources[1:-1], strict=True)
        self.predictions[1:] = [block(source) for block, source in pairs]
        self.output = self.top(self.sources[-1])

    def energies(self) -> list[float]:
        """Give the terms of F: of x_1 to x_L, and `top`."""
        with torch.no_grad():
            terms = [error.square().sum().item() / 2 for error in self.errors()]
        return [*terms, self.output.item()]

    def errors(self) -> list[Tensor]:
        """Give e_1 to e_L, without a graph."""
        pairs = zip(self.states[1:], self.predictions, strict=True)
        return [state - prediction.detach() for state, prediction in pairs]

    def derivatives(self, by: list[Tensor], scale: float) -> tuple[Tensor, ...]:
        """Derive F / scale by tensors in the graphs of the predictions, the states held.

        Args:
            by: weights, or outputs of layers.
            scale: what to divide by.

        Returns:
            One derivative per tensor, of its shape; the graphs are kept.
        """
        heads = [*self.predictions, self.output]
        slopes = [-error / scale for error in self.errors()]
        slopes.append(torch.ones_like(self.output) / scale)
        return torch.autograd.grad(heads, by, slopes, retain_graph=True)
