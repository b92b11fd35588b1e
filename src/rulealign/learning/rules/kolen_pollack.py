"""Kolen & Pollack's learned feedback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.learning.feedback_rule import FeedbackWeightsRule, FeedbackWeightsSettings
from rulealign.learning.gradient import GradientSettings
from rulealign.schema import PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.rule import Course


class KolenPollackSettings(FeedbackWeightsSettings):
    """The settings of `kolen_pollack`."""

    kind: Literal["kolen_pollack"] = Field(
        description="errors go back through weights that learn as the forward weights do"
    )
    optimizer: Literal["adam", "sgd"] = Field(
        default="adam",
        description="of forward and feedback weights alike; with sgd their difference shrinks by"
        " weight_decay alone, exactly; not muon, whose steps are of forward weights",
    )
    weight_decay: PositiveFloat = Field(
        default=0.0001, description=GradientSettings.model_fields["weight_decay"].description
    )


class KolenPollack(FeedbackWeightsRule):
    """Send errors back through weights that follow the same updates as the forward weights.

    As `fa`, with B in place of W on the way back, but B learns: for a layer y = W x with the error
    e, both get the product of what meets at the synapse, and both decay (rate r, decay d),

        dW = -r (e^T x + d W)        dB = -r (e^T x + d B),

    so that W - B shrinks by (1 - r d) in every step whatever e and x are, and what both have
    learned outgrows what they began with. Momentum and Adam are applied to both alike. B starts as
    `fa` draws it, of the shape of W. Source: Kolen & Pollack 1994 (ICNN 3:1375); in deep networks
    Akrout et al. 2019 (NeurIPS). `feedback_angle` in the log: mean angle between B and W over the
    layers, degrees (90 at the start). Not for asking whether feedback can do without what the
    forward synapse knows: use `fa`, `dfa`, or `weight_mirror`.
    """

    Settings = KolenPollackSettings

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        self.optimizer.add_param_group({"params": list(self.feedback.values())})

    def fill_gradients(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Give every parameter its gradient, and B that of W, clipping included.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            `loss` and `feedback_angle`.
        """
        logged = super().fill_gradients(images, labels)
        for name, feedback in self.feedback.items():
            # the same tensor: clipping, which scales it in place, holds for both
            feedback.grad = self.network.get_submodule(name).weight.grad
        return logged | {"feedback_angle": self.feedback_angle()}
