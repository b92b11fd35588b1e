"""Supervised predictive coding: states settle between image and label, then weights learn."""

from __future__ import annotations

import copy
from itertools import pairwise
from math import isnan
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.gradient import GradientRule, GradientSettings
from rulealign.learning.hierarchy import ROUNDING, Hierarchy
from rulealign.learning.rule import Probe
from rulealign.schema import PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network


class SupervisedPredictiveCodingSettings(GradientSettings):
    """The settings of `pc_supervised`."""

    kind: Literal["pc_supervised"] = Field(
        description="predictive coding between the image and its label"
    )
    inference_steps: whole(1, 10_000) = Field(
        default=3, description="sweeps over all states, from the top, before the weights learn"
    )
    inference_rate: PositiveFloat = Field(
        default=0.2, description="share of the gradient of F that a state follows in a sweep"
    )
    output_precision: PositiveFloat = Field(
        default=0.3,
        description="weight of the label's term in F; the smaller, the nearer to bp. Errors get as"
        " small against the states that inference runs in float64, whatever the network has",
    )
    fixed_prediction: bool = Field(
        default=False,
        description="hold predictions and their derivatives at the feed-forward sweep, which makes"
        " the settled errors those of bp; false: predict from the states as they move",
    )


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
        normalise = self._again if self.called and self.norm.training else self.norm
        self.called = True
        return functional.relu(functional.max_pool2d(normalise(self.conv(values)), 2))

    def _again(self, mapped: Tensor) -> Tensor:
        weight, bias, eps = self.norm.weight, self.norm.bias, self.norm.eps
        return functional.batch_norm(mapped, None, None, weight, bias, training=True, eps=eps)


class SupervisedPredictiveCoding(GradientRule):
    """Settle the layers' states between an image and its label, then learn from local errors.

    States x_1..x_L stand for the conv blocks (after pooling and ReLU) and the hidden layer (after
    ReLU); x_0 is the image, and f_l is the network's layer l. With the errors
    e_l = x_l - f_l(x_{l-1}), per image,

        F = 1/2 sum_l |e_l|^2 + output_precision * cross-entropy(logits(dropout(x_L)), label).

    Inference: from the feed-forward sweep, `inference_steps` times from the top down, dx_l =
    -inference_rate dF/dx_l; as the weights grow in training, so does F's curvature, and a step that
    would raise F is taken again at half the rate. Learning: every weight of layer l follows -dF/dw
    = e_l df_l(x_{l-1})/dw with the states fixed, so it needs e_l and x_{l-1} only; in mean over the
    batch and divided by output_precision, which makes it comparable with the gradient of the
    cross-entropy, it goes through the same clipping and optimiser. One dropout mask holds for the
    step. f_l contains BatchNorm as bp has it: its batch statistics are functions of x_{l-1} and
    have derivatives (held constant, they cost 10 points after the first epoch on CIFAR-10, under
    bp's gradient too). States and errors are float64, and only the resulting update is rounded: in
    float32 that of a second block was off by a quarter, that of its BatchNorm by twice its size.
    What is read and what classifies is the feed-forward pass.

    Source: Whittington & Bogacz 2017, Neural Computation 29:1229, equations 2.13 to 2.19 (there
    with a Gaussian output; the categorical one as in Pinchetti et al. 2022, NeurIPS). The order of
    the states' moves is ours. `fixed_prediction`: Millidge, Tschantz & Buckley 2022, Neural
    Computation 34:1329; then one step of rate 1 gives bp exactly. Not for learning without labels.

    Known failure: as the weights grow, errors absorb ever more of F before any weight learns
    (docs/results/cichy92.md), and accuracy falls after about 10 epochs. It stays for those
    results; for new studies use `pc_error`, which has the same F and fixed points, runs in float32
    and holds the absorbed share where it is useful.
    """

    Settings = SupervisedPredictiveCodingSettings
    sends_errors = True

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot teach a network; "" where it can."""
        return network.no_chain()

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change the weights once: inference, local gradients, clipping, step.

        Args:
            images: float32, shape (batch, 3, size, size); augmented and normalised.
            labels: int64, shape (batch,).

        Returns:
            `loss` (cross-entropy of the feed-forward sweep, nats), `energy_0` to `energy_N` (F per
            image after so many inference steps), `gradient_norm` (before clipping),
            `learning_rate`.

        Raises:
            GuardError: loss or gradient is not finite, or an inference step raised F.
        """
        network = self.exact_network()
        hierarchy = self.hierarchy(images, labels, network)
        energies = hierarchy.settle(self.settings.inference_steps, self.settings.inference_rate)
        scale = self.settings.output_precision * len(images)
        loss = self.finite(torch.tensor(energies[0][-1] / scale))
        self._require_descent(energies)
        gradients = hierarchy.derivatives(list(network.parameters()), scale)
        for weight, gradient in zip(self.network.parameters(), gradients, strict=True):
            weight.grad = gradient.to(weight.dtype)
        for kept, statistic in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(statistic)
        course = {f"energy_{step}": sum(terms) / len(images) for step, terms in enumerate(energies)}
        return {"loss": loss} | course | self.descend()

    def exact_network(self) -> nn.Module:
        """Give the network in float64, as a copy unless it is so already.

        Errors are small differences of large states, and the update of BatchNorm's weights in
        a block a sum of them that nearly cancels: in float32 it was rounding for the most part.
        """
        if next(self.network.parameters()).dtype == torch.float64:
            return self.network
        return copy.deepcopy(self.network).double()

    def hierarchy(self, images: Tensor, labels: Tensor, network: nn.Module) -> Hierarchy:
        """Build the states of a batch; BatchNorm's running statistics are updated once.

        Args:
            images: as in `step`.
            labels: as in `step`.
            network: that the states are of, float64, as `exact_network` gives it.

        Returns:
            The states, at the feed-forward sweep.
        """
        net, settings = network, self.settings
        *hidden, logits = net.linear().values()
        mask = net.dropout(images.new_ones(len(images), logits.in_features)).double()

        def top(state: Tensor) -> Tensor:
            read = state if hidden else net.read_out(state)
            loss = functional.cross_entropy(logits(read * mask), labels, reduction="sum")
            return settings.output_precision * loss

        blocks = [ConvBlock(conv, norm) for _, conv, norm in net.blocks()]
        blocks += [net.read_out] if hidden else []
        return Hierarchy(blocks, top, images.double(), fixed_prediction=settings.fixed_prediction)

    def _require_descent(self, energies: list[list[float]]) -> None:
        if self.settings.fixed_prediction:
            return  # F rises from its errors' 0; what diverges is seen in the gradient
        names = [*(name for name, *_ in self.network.blocks()), *self.network.linear()]
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

    def own_errors(self, images: Tensor) -> dict[str, Tensor]:
        """Settle each image with the network's decision as label; see `LearningRule.own_errors`.

        Returns:
            Block and hidden layer -> -e_l / output_precision, which `fixed_prediction` makes the
            gradient.
        """
        from rulealign.learning.signals import one_by_one

        network = self.exact_network()
        names = [*(name for name, *_ in network.blocks()), *network.linear()][:-1]

        def settled(image: Tensor) -> dict[str, Tensor]:
            decision = network(image.double()).argmax(1)
            hierarchy = self.hierarchy(image, decision, network)
            asked = self.settings
            energies = hierarchy.settle(asked.inference_steps, asked.inference_rate)
            self._require_descent(energies)
            errors = [-e.to(image.dtype) / asked.output_precision for e in hierarchy.errors()]
            return dict(zip(names, errors, strict=True))

        return one_by_one(images, settled)

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
        network, dtype = self.exact_network(), images.dtype
        for name, layer in network.named_modules():
            if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
                layer.register_forward_hook(lambda _, __, out, of=name: outputs.update({of: out}))
        hierarchy = self.hierarchy(images, labels, network)
        hierarchy.settle(self.settings.inference_steps, self.settings.inference_rate)
        weights = dict(network.named_parameters())
        slopes = hierarchy.derivatives(
            [*weights.values(), *outputs.values()], self.settings.output_precision * len(images)
        )
        by = dict(zip([*weights, *outputs], slopes, strict=True))
        return Probe(
            {name: -by[name].to(dtype) for name in weights},
            {name: by[name].flatten(1).to(dtype) for name in outputs},
        )
