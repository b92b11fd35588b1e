"""Sign-symmetric feedback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.learning.feedback_rule import FeedbackRule
from rulealign.learning.gradient import GradientSettings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.feedback import SendBack


class SignSymmetrySettings(GradientSettings):
    """The settings of `sign_symmetry`."""

    kind: Literal["sign_symmetry"] = Field(
        description="errors go back through weights of which only the signs are the layer's own"
    )


class SignSymmetry(FeedbackRule):
    """Send errors back through the signs of the forward weights, all of one size.

    For a layer y = W x with the error e: dW = e^T x as in backpropagation, but e B goes to the
    layer below, with B = m sign(W), of W's shape and following W's signs as they change; m is the
    root mean square of the layer's initial weights. In every layer that propagates an error.
    Source: Liao, Leibo & Poggio 2016 (AAAI), "uniform sign-concordant feedbacks". Not for asking
    whether feedback can do without any knowledge of the forward weights: use `fa` or `dfa`.
    """

    Settings = SignSymmetrySettings

    def send_back(self, layers: Mapping[str, nn.Module]) -> dict[str, SendBack]:
        """Send errors back through the signs of the weights.

        Args:
            layers: name -> layer, all that propagate an error.

        Returns:
            Name -> way.
        """
        from rulealign.learning.feedback import through

        self.feedback = {
            name: layer.weight.detach().square().mean().sqrt() for name, layer in layers.items()
        }
        return {name: through(layer, self._signs(name, layer)) for name, layer in layers.items()}

    def _signs(self, name: str, layer: nn.Module) -> Callable[[], Tensor]:
        return lambda: self.feedback[name] * layer.weight.detach().sign()
