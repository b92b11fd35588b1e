"""Supervised predictive coding: states settle between image and label, then weights learn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import isnan
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.gradient import GradientRule, GradientSettings
from rulealign.learning.rule import Probe
from rulealign.schema import PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    Block = Callable[[Tensor], Tensor]

ROUNDING = 1e-5
"""Share of F by which rounding of float32 may raise it."""

HALVINGS = 6
"""How often a step that raises F is taken again at half the rate before training has diverged."""


class SupervisedPredictiveCodingSettings(GradientSettings):
    """The settings of `pc_supervised`."""

    kind: Literal["pc_supervised"] = Field(
        description="predictive coding between the image and its label"
    )
    inference_steps: whole(1, 10_000) = Field(
        description="sweeps over all states, from the top, before the weights learn"
    )
    inference_rate: PositiveFloat = Field(
        description="share of the gradient of F that a state follows in a sweep"
    )
    output_precision: PositiveFloat = Field(
        description="weight of the label's term in F; the smaller, the nearer to bp, but the more"
        " do float32's rounding errors count: with 3 steps of 0.2, at 0.1 they are 3-7% of conv1's"
        " and conv2's update, at 0.01 20-50%"
    )
    fixed_prediction: bool = Field(
        description="hold predictions and their derivatives at the feed-forward sweep, which makes"
        " the settled errors those of bp; false: predict from the states as they move"
    )


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


class ConvBlock:
    """Convolution, BatchNorm by the statistics of the batch, max-pooling and ReLU, for one step.

    The first call, the feed-forward sweep, updates BatchNorm's running statistics; later ones, of
    states that have moved, do not.
    """

    def __init__(self, conv: nn.Conv2d, norm: nn.BatchNorm2d) -> None:
        self.conv, self.norm = conv, norm
        self.called = False

    def __call__(self, values: Tensor) -> Tensor:
        """Map values (batch, in, height, width) to (batch, out, height / 2, width / 2)."""
        normalise = self._again if self.called else self.norm
        self.called = True
        return functional.relu(functional.max_pool2d(normalise(self.conv(values)), 2))

    def _again(self, mapped: Tensor) -> Tensor:
        weight, bias, eps = self.norm.weight, self.norm.bias, self.norm.eps
        return functional.batch_norm(mapped, None, None, weight, bias, training=True, eps=eps)


class SupervisedPredictiveCoding(GradientRule):
    """Settle the layers' states between an image and its label, then learn from local errors.

    States x_1..x_4 stand for conv1, conv2, conv3 (after pooling and ReLU) and fc1 (after ReLU);
    x_0 is the image, and f_l is the network's layer l. With the errors e_l = x_l - f_l(x_{l-1}),
    per image,

        F = 1/2 sum_l |e_l|^2 + output_precision * cross-entropy(fc2(dropout(x_4)), label).

    Inference: from the feed-forward sweep, `inference_steps` times from the top down, dx_l =
    -inference_rate dF/dx_l; as the weights grow in training, so does F's curvature, and a step that
    would raise F is taken again at half the rate. Learning: every weight of layer l follows -dF/dw
    = e_l df_l(x_{l-1})/dw with the states fixed, so it needs e_l and x_{l-1} only; in mean over the
    batch and divided by output_precision, which makes it comparable with the gradient of the
    cross-entropy, it goes through the same clipping and optimiser. One dropout mask holds for the
    step. f_l contains BatchNorm as bp has it: its batch statistics are functions of x_{l-1} and
    have derivatives (held constant, they cost 10 points after the first epoch on CIFAR-10, under
    bp's gradient too). What is read and what classifies is the feed-forward pass.

    Source: Whittington & Bogacz 2017, Neural Computation 29:1229, equations 2.13 to 2.19 (there
    with a Gaussian output; the categorical one as in Pinchetti et al. 2022, NeurIPS). The order of
    the states' moves is ours. `fixed_prediction`: Millidge, Tschantz & Buckley 2022, Neural
    Computation 34:1329; then one step of rate 1 gives bp exactly. Not for learning without labels.
    """

    Settings = SupervisedPredictiveCodingSettings

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change the weights once: inference, local gradients, clipping, step.

        Args:
            images: float32, shape (batch, 3, px, px); augmented and normalised.
            labels: int64, shape (batch,).

        Returns:
            `loss` (cross-entropy of the feed-forward sweep, nats), `energy_0` to `energy_N` (F per
            image after so many inference steps), `gradient_norm` (before clipping),
            `learning_rate`.

        Raises:
            GuardError: loss or gradient is not finite, or an inference step raised F.
        """
        hierarchy = self.hierarchy(images, labels)
        energies = hierarchy.settle(self.settings.inference_steps, self.settings.inference_rate)
        scale = self.settings.output_precision * len(images)
        loss = self.finite(torch.tensor(energies[0][-1] / scale))
        self._require_descent(energies)
        weights = list(self.network.parameters())
        for weight, gradient in zip(weights, hierarchy.derivatives(weights, scale), strict=True):
            weight.grad = gradient
        course = {f"energy_{step}": sum(terms) / len(images) for step, terms in enumerate(energies)}
        return {"loss": loss} | course | self.descend()

    def hierarchy(self, images: Tensor, labels: Tensor) -> Hierarchy:
        """Build the states of a batch; BatchNorm's running statistics are updated once.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The states, at the feed-forward sweep.
        """
        net, settings = self.network, self.settings
        mask = net.dropout(images.new_ones(len(images), net.fc1.out_features))

        def top(hidden: Tensor) -> Tensor:
            loss = functional.cross_entropy(net.fc2(hidden * mask), labels, reduction="sum")
            return settings.output_precision * loss

        blocks = [*(ConvBlock(conv, norm) for _, conv, norm in net.blocks()), net.read_out]
        return Hierarchy(blocks, top, images, fixed_prediction=settings.fixed_prediction)

    def _require_descent(self, energies: list[list[float]]) -> None:
        if self.settings.fixed_prediction:
            return  # F rises from its errors' 0; what diverges is seen in the gradient
        names = [*(name for name, *_ in self.network.blocks()), "fc1", "fc2"]
        for step, (before, after) in enumerate(pairwise(energies), 1):
            if sum(after) <= sum(before) * (1 + ROUNDING):
                continue
            grown = [new - old for old, new in zip(before, after, strict=True)]
            worst = max(range(len(names)), key=lambda layer: (isnan(grown[layer]), grown[layer]))
            self.diverged(
                f"layer '{names[worst]}'",
                f"inference step {step} raised F from {sum(before):.6g} to {sum(after):.6g}",
                f"lower inference_rate ({self.settings.inference_rate}) or learning_rate"
                f" ({self.settings.learning_rate})",
            )

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Give the local updates of one batch, and the derivative of F by every layer's output.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            `update` and `errors` (of every convolution and linear layer), both divided by
            output_precision, in mean over the batch, as bp has them.
        """
        outputs: dict[str, Tensor] = {}  # of every layer's latest call
        for name, layer in self.network.named_modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
                layer.register_forward_hook(lambda _, __, out, of=name: outputs.update({of: out}))
        hierarchy = self.hierarchy(images, labels)
        hierarchy.settle(self.settings.inference_steps, self.settings.inference_rate)
        weights = dict(self.network.named_parameters())
        slopes = hierarchy.derivatives(
            [*weights.values(), *outputs.values()], self.settings.output_precision * len(images)
        )
        by = dict(zip([*weights, *outputs], slopes, strict=True))
        return Probe(
            {name: -by[name] for name in weights}, {name: by[name].flatten(1) for name in outputs}
        )
