"""Prediction errors between an image and its label: they, not the states, descend the energy."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from rulealign.lazy import functional, torch
from rulealign.learning.hierarchy import HALVINGS, ROUNDING

if TYPE_CHECKING:
    from torch import Tensor

    from rulealign.learning.chain import Chain

    Block = Callable[[Tensor], Tensor]


class ErrorHierarchy:
    """Errors e_1 to e_L of a batch, which make its states: x_l = f_l(x_{l-1}) + e_l.

    F = 1/2 sum_l |e_l|^2 + top(x_L), summed over the batch. The errors start at 0, where x is the
    feed-forward sweep. No error is ever the difference of two states, so that errors of 1e-6 of a
    state keep all their digits in float32.

    Args:
        blocks: f_1 to f_L.
        top: x_L -> energy of the output, one number.
        clamped: x_0, float, shape (batch, ...).

    Attributes:
        errors: e_1 to e_L, without a graph.
        reached: share of the way to its end that an error has gone if nothing above it curves F:
            1 - prod(1 - rate) over the steps.
    """

    def __init__(self, blocks: Sequence[Block], top: Block, clamped: Tensor) -> None:
        self.blocks, self.top = blocks, top
        self.errors: list[Tensor] = []
        self.reached = 0.0
        self.states, self.predictions = [clamped], []
        for block in blocks:
            self._predict(block, None)
        self.output = top(self.states[-1])

    def _predict(self, block: Block, error: Tensor | None) -> None:
        # each prediction has a graph of its own, so that weights may learn from e_l alone
        self.predictions.append(block(self.states[-1]))
        value = self.predictions[-1].detach()
        self.errors.append(torch.zeros_like(value) if error is None else error)
        self.states.append((value + self.errors[-1]).requires_grad_())

    def settle(self, steps: int, rate: float, tolerance: float = 0) -> list[float]:
        """Let the errors descend F, all at once: de_l = -rate dF/de_l, by reverse mode.

        Args:
            steps: how often, at most.
            rate: of a step, up to 1; halved, up to `HALVINGS` times, where F would rise.
            tolerance: stop when a step lowers F by less than this share of its whole fall so far.

        Returns:
            F before the first and after every step.
        """
        course = [self.energy()]
        for _ in range(steps):
            course.append(self._step(rate, course[-1]))
            if course[-2] - course[-1] < tolerance * (course[0] - course[-1]):
                break
        return course

    def _step(self, rate: float, before: float) -> float:
        errors, slopes = self.errors, self.slopes()
        for halvings in range(HALVINGS + 1):
            part = rate / 2**halvings
            self._move([e - part * slope for e, slope in zip(errors, slopes, strict=True)])
            after = self.energy()
            if after <= before + ROUNDING * abs(before):
                break
        self.reached += part * (1 - self.reached)
        return after

    def _move(self, errors: list[Tensor]) -> None:
        self.errors, self.states, self.predictions = [], self.states[:1], []
        for block, error in zip(self.blocks, errors, strict=True):
            self._predict(block, error)
        self.output = self.top(self.states[-1])

    def slopes(self) -> list[Tensor]:
        """Give dF/de_1 to dF/de_L: e_l plus the derivative of `top` by x_l, through all above."""
        slope = torch.ones_like(self.output)
        slopes, heads = [], [*self.predictions, self.output]
        for (_, head), state in zip(
            reversed(list(pairwise(heads))), reversed(self.states), strict=False
        ):
            (slope,) = torch.autograd.grad(head, state, slope, retain_graph=True)
            slopes.append(slope)
        return [e + slope for e, slope in zip(self.errors, reversed(slopes), strict=True)]

    def energy(self) -> float:
        """Give F, added up in float64."""
        with torch.no_grad():
            squares = [e.square().sum(dtype=torch.float64).item() for e in self.errors]
        return math.fsum(squares) / 2 + self.output.item()

    def fill_gradients(self, weights: list[Tensor], scale: float) -> None:
        """Add dF/dw / scale, the states held, to the gradients; of e_l also / `reached`.

        Args:
            weights: parameters of blocks and top.
            scale: what to divide by.
        """
        own = 1 / (scale * (self.reached or 1))
        slopes = [*(-own * e for e in self.errors), torch.ones_like(self.output) / scale]
        torch.autograd.backward([*self.predictions, self.output], slopes, inputs=weights)


def error_hierarchy(
    network: Chain, images: Tensor, labels: Tensor, weight: float
) -> ErrorHierarchy:
    """Build the errors of a network's conv blocks and hidden layer, all 0.

    Args:
        network: in training mode; BatchNorm's running statistics are updated once.
        images: float32, shape (batch, 3, size, size), normalised.
        labels: int64, shape (batch,).
        weight: of the cross-entropy, which is summed over the batch, in F; one dropout mask holds.

    Returns:
        The errors, at the feed-forward sweep.
    """
    *hidden, logits = network.linear().values()
    mask = network.dropout(images.new_ones(len(images), logits.in_features))

    def top(state: Tensor) -> Tensor:
        read = state if hidden else network.read_out(state)
        return weight * functional.cross_entropy(logits(read * mask), labels, reduction="sum")

    blocks = [partial(network.map_of, block) for block in network.blocks()]
    return ErrorHierarchy([*blocks, network.read_out] if hidden else blocks, top, images)
