"""Burst-dependent plasticity, in its rate form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.learning.feedback_rule import FeedbackWeightsRule, FeedbackWeightsSettings
from rulealign.schema import PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.feedback import SendBack


class BurstSettings(FeedbackWeightsSettings):
    """The settings of `burst`."""

    kind: Literal["burst"] = Field(
        description="errors go back as burst probabilities, through weights of their own"
    )
    gain: PositiveFloat = Field(
        default=10,
        description="slope of the apical potential by an image's error; burst probabilities"
        " saturate where errors exceed about 2 / gain",
    )
    feedback: Literal["random", "symmetric"] = Field(
        default="random",
        description="feedback weights: drawn once and fixed, as of `fa`, or the forward weights",
    )


class Burst(FeedbackWeightsRule):
    """Send errors back as deviations of burst probabilities from their resting value.

    Units have event rates x (their activity) and, at their apical dendrite, a potential u from the
    layer above, which sets the probability that an event is a burst. With the error d of one image
    at the output of the layer above, shape (out,), and feedback weights B of the shape of W:

        u = gain d B        p = 1 / (1 + exp(-u)), at rest 1/2
        error sent on = 4 (p - 1/2) / gain = 2 tanh(u / 2) / gain

    then gated by the unit's own slope (silent units have no bursts), and dW = (error) x^T: what
    burst rates, less their resting share of event rates, teach. For a small gain the error is d B,
    that of `fa`, and of `bp` with `feedback: symmetric`; for a large one only its sign is left. The
    error of the logits comes exact, as a teaching current. Source: Payeur, Guerguiev, Zenke,
    Richards & Naud 2021 (Nature Neuroscience 24:1010); as rates in deep networks Greedy, Zhu,
    Pemberton, Mellor & Costa 2022 (NeurIPS). No spikes, no time, no short-term plasticity: do not
    use it to ask how events and bursts share an axon.
    """

    Settings = BurstSettings
    sends_errors = False  # bursts saturate by the mean over a batch, and depend on its size

    def send_back(self, layers: Mapping[str, nn.Module]) -> dict[str, SendBack]:
        """Send errors through B, or W, and then through the burst probability.

        Args:
            layers: name -> layer, all that propagate an error.

        Returns:
            Name -> way, of the layers that the setting `layers` names.
        """
        from rulealign.learning.feedback import through

        ways = super().send_back(layers)
        if self.settings.feedback == "symmetric":
            self.feedback = {}
            own = {name: layers[name].weight for name in ways}
            ways = {
                name: through(layers[name], lambda name=name: own[name].detach()) for name in ways
            }
        return {name: self._as_bursts(way) for name, way in ways.items()}

    def _as_bursts(self, way: SendBack) -> SendBack:
        def send_back(error: Tensor, shape: tuple[int, ...]) -> Tensor:
            # the loss is a mean over the batch, an error is one image's
            gain = self.settings.gain * len(error)
            return (gain / 2 * way(error, shape)).tanh() * (2 / gain)

        return send_back
