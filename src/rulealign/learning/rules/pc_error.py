"""Error-based predictive coding: prediction errors settle, then weights learn from them."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.error_hierarchy import error_hierarchy
from rulealign.learning.gradient import GradientRule, GradientSettings
from rulealign.learning.hierarchy import ROUNDING
from rulealign.schema import Fraction, Number, PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network
    from rulealign.learning.rule import Course

ADAPTATION = 0.1
"""Power of target / absorbed share by which the output precision changes in a step."""

LARGEST_CHANGE = 1.25
"""Factor by which the output precision changes at most in a step."""


class ErrorPredictiveCodingSettings(GradientSettings):
    """The settings of `pc_error`."""

    kind: Literal["pc_error"] = Field(
        description="predictive coding between image and label whose errors are the variables"
    )
    inference_steps: whole(1, 10_000) = Field(
        default=5,
        description="steps of the errors before the weights learn; at most, with `tolerance`",
    )
    inference_rate: Annotated[float, Field(gt=0, le=1), Number] = Field(
        default=0.001,
        description="share of the gradient of F that an error follows in a step; halved where F"
        " would rise. With 5 steps of .001, as published, the rule is nearly bp; 50 of .1 with a"
        " `tolerance` of .01 settle it",
    )
    tolerance: Fraction = Field(
        default=0,
        description="stop when a step lowers F by less than this share of its whole fall; 0 for"
        " always `inference_steps`",
    )
    output_precision: PositiveFloat = Field(
        default=1,
        description="weight of the label's term in F at epoch 0; the smaller, the less of F the"
        " errors absorb, and the nearer to bp",
    )
    target_share: Annotated[float, Field(gt=0, lt=1), Number] | None = Field(
        default=None,
        description="absorbed share (F_0 - F_T) / |F_0| at which output_precision is held, by"
        " changing it from step to step; null leaves it as it is",
    )
    nudging: Literal["positive", "centred"] = Field(
        default="positive",
        description="centred: in every second epoch the label's weight is negative, and the"
        " weights' changes are turned around",
    )


class ErrorPredictiveCoding(GradientRule):
    """Settle prediction errors between an image and its label, then learn from them locally.

    The variables are errors e_1 ... e_L, of the shape of each conv block's map (after pooling) and
    of the hidden layer (after its activation); x_0 is the image, f_l the network's layer l, and

        x_l = f_l(x_{l-1}) + e_l
        F = 1/2 sum_l |e_l|^2 + b * cross-entropy(logits(dropout(x_L)), label), per image,

    with b = output_precision. Inference: from e = 0, which is the feed-forward sweep, de_l =
    -inference_rate dF/de_l, all at once, by reverse mode through all layers above. Learning: every
    weight of layer l follows -dF/dw = e_l df_l(x_{l-1})/dw with the states held, so that it needs
    e_l and x_{l-1} only, in mean over the batch and divided by b. What errors teach is also divided
    by the share of their way that they have gone, 1 - prod(1 - rate): one step of any small rate
    then gives bp's update, and settled errors are left as they are. Adam hides this factor, but for
    weight decay and clipping; and as silent units have errors, too, it moves the weights above them
    by steps of full size. f_l contains BatchNorm as bp has it, one dropout mask holds for the step,
    and what is read and what classifies is the feed-forward pass.

    The log tells in `absorbed_share` how much predictive coding this is: (F_0 - F_T) / |F_0|, about
    .003 as published and 1 where the errors take over what the weights should learn. A linear
    network's settled F is r^T S^-1 r / 2 (S: 1 / b plus the squared sensitivity of the output to
    every e_l), so weights that only amplify errors lower it without predicting better.
    `target_share` holds it where it is useful.

    Source: Goemaere et al. 2025, error optimization (5 steps of .001; about bp's accuracy); F as in
    Whittington & Bogacz 2017, Neural Computation 29:1229; centred nudging as in Pinchetti et al.
    2024 (arXiv 2407.01163), there with a random sign. Inference is not local: errors are sent
    through all layers above; do not use it to ask how a circuit would settle (`pc_supervised`).
    """

    Settings = ErrorPredictiveCodingSettings
    sends_errors = True

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        self.precision = settings.output_precision

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot teach a network; "" where it can."""
        return network.no_blocks()

    def fill_gradients(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Settle the errors of a batch, and give every parameter its local gradient.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            `loss` (cross-entropy of the feed-forward sweep, nats), `energy_first` and `energy_last`
            (F per image before and after inference), `absorbed_share`, `inference_steps` (taken),
            `output_precision`.

        Raises:
            GuardError: the loss is not finite, or an inference step raised F.
        """
        from rulealign.learning.norms import statistics_kept

        asked, count = self.settings, len(images)
        self.optimizer.zero_grad()
        weight = self.label_weight()
        hierarchy = error_hierarchy(self.network, images, labels, weight)
        loss = self.finite(hierarchy.output / (weight * count))
        with statistics_kept(self.network):
            course = hierarchy.settle(asked.inference_steps, asked.inference_rate, asked.tolerance)
        self._require_descent(course)
        hierarchy.fill_gradients(list(self.network.parameters()), weight * count)
        share = (course[0] - course[-1]) / abs(course[0])
        logged = {
            "loss": loss,
            "energy_first": course[0] / count,
            "energy_last": course[-1] / count,
            "absorbed_share": share,
            "inference_steps": len(course) - 1,
            "output_precision": self.precision,
        }
        self._adapt(share)
        return logged

    def own_errors(self, images: Tensor) -> dict[str, Tensor]:
        """Settle each image with the network's decision as label; see `LearningRule.own_errors`.

        Returns:
            Block and hidden layer -> -e_l / output precision, over the share that e_l has reached:
            after one inference step it is the gradient.
        """
        from rulealign.learning.signals import one_by_one

        names = [*(name for name, *_ in self.network.blocks()), *self.network.linear()][:-1]
        asked = self.settings

        def settled(image: Tensor) -> dict[str, Tensor]:
            decision = self.network(image).argmax(1)
            hierarchy = error_hierarchy(self.network, image, decision, self.precision)
            course = hierarchy.settle(asked.inference_steps, asked.inference_rate, asked.tolerance)
            self._require_descent(course)
            scale = self.precision * (hierarchy.reached or 1)
            return dict(zip(names, (-e / scale for e in hierarchy.errors), strict=True))

        return one_by_one(images, settled)

    def label_weight(self) -> float:
        """Give the weight of the label's term in F in this epoch."""
        turned = self.settings.nudging == "centred" and self.epoch % 2
        return -self.precision if turned else self.precision

    def _require_descent(self, course: list[float]) -> None:
        for step, (before, after) in enumerate(pairwise(course), 1):
            if not after <= before + ROUNDING * abs(before):
                self.diverged(
                    self.first_layer_not_finite(),
                    f"inference step {step} raised F from {before:.6g} to {after:.6g}",
                    f"lower inference_rate ({self.settings.inference_rate}) or learning_rate"
                    f" ({self.settings.learning_rate})",
                )

    def _adapt(self, share: float) -> None:
        if self.settings.target_share is not None:
            # what is absorbed grows about in proportion to the precision
            factor = (self.settings.target_share / max(share, 1e-12)) ** ADAPTATION
            self.precision *= min(max(factor, 1 / LARGEST_CHANGE), LARGEST_CHANGE)

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state and the output precision."""
        return super().state_dict() | {
            "output_precision": torch.tensor(self.precision, dtype=torch.float64)
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        super().load_state_dict(state)
        self.precision = state["output_precision"].item()
