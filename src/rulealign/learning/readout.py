"""Rules whose conv stack learns locally, under a readout that is supervised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.optimised import OptimisedRule
from rulealign.learning.rule import Course, Probe
from rulealign.learning.rule_settings import RuleSettings
from rulealign.schema import NonNegativeFloat, PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network


class ReadoutSettings(RuleSettings):
    """The settings of the supervised readout, the linear layers above the conv stack."""

    readout_learning_rate: PositiveFloat = Field(
        default=0.001, description="Adam's step size at epoch 0"
    )
    readout_weight_decay: NonNegativeFloat = Field(
        default=0.0001,
        description="this times the readout's weights is added to their gradient (L2)",
    )
    schedule: Literal["cosine", "constant"] = Field(
        default="cosine",
        description="the readout's rate over training.schedule_epochs: down to 0, or the same; the"
        " conv layers' rates go along, unless the rule has a setting for how long they learn",
    )

    def fewer_dead_units(self) -> str:
        """Say what leaves fewer dead units in linear layers."""
        return "lower readout_learning_rate"


class PublishedReadoutSettings(ReadoutSettings):
    """The settings of the readout that was published in 2026: no weight decay, a constant rate."""

    readout_weight_decay: NonNegativeFloat = Field(
        default=0, description=ReadoutSettings.model_fields["readout_weight_decay"].description
    )
    schedule: Literal["cosine", "constant"] = Field(
        default="constant", description=ReadoutSettings.model_fields["schedule"].description
    )


class ReadoutRule(OptimisedRule):
    """Teach the readout by the gradient of the cross-entropy, on features that learn otherwise.

    Adam (Kingma & Ba 2015) on the linear layers alone. The features are cut off from the gradient:
    none reaches the conv stack. Subclasses say in `learn_features` how the conv stack learns.
    """

    Settings = ReadoutSettings
    rate_setting: ClassVar[str] = "readout_learning_rate"
    control: ClassVar[str] = "readout"  # which has learned as long, on the same features as drawn

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot teach a network; "" where it can."""
        return network.no_chain()

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        self.supervised = self.supervised_parameters()
        self.optimizer = torch.optim.Adam(
            self.supervised,
            settings.readout_learning_rate,
            weight_decay=settings.readout_weight_decay,
        )

    def supervised_parameters(self) -> list[nn.Parameter]:
        """List what the optimiser changes: the weights and biases of the linear layers."""
        return [one for layer in self.network.linear().values() for one in layer.parameters()]

    def remedy(self) -> str:
        """Say which settings to change when training diverges."""
        return f"lower the rates of the conv layers, or {super().remedy().removeprefix('lower ')}"

    def learn_features(self, images: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Let the conv stack learn from one batch; here it does not.

        BatchNorm's statistics are updated once, by the forward pass in training mode.

        Args:
            images: float32, shape (batch, 3, size, size).

        Returns:
            The last map, which the readout learns from, shape (batch, channels, height, width),
            without a graph; what to log.
        """
        with torch.no_grad():
            return self.network.last(self.network.maps(images)), {}

    def learn(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Let the conv stack learn from one batch; here as `learn_features`, without labels.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            As `learn_features`.
        """
        return self.learn_features(images)

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Let the conv stack learn, then the readout on its features.

        Args:
            images: float32, shape (batch, 3, size, size); augmented and normalised.
            labels: int64, shape (batch,); the conv stack sees them if `learn` shows them to it.

        Returns:
            `loss` (cross-entropy, nats, before the readout's step), `learning_rate` (of the
            readout), and what `learn_features` logs.

        Raises:
            GuardError: training diverged.
        """
        features, logged = self.learn(images, labels)
        loss = self.readout_gradient(features, labels)
        self.optimizer.step()
        return {
            "loss": loss,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            **logged,
        }

    def readout_gradient(self, features: Tensor, labels: Tensor) -> float:
        """Give the linear layers, and nothing else, their gradients.

        Args:
            features: the last map, shape (batch, channels, height, width).
            labels: int64, shape (batch,).

        Returns:
            The loss, nats.

        Raises:
            GuardError: the loss is not finite; names the first layer with such weights.
        """
        self.optimizer.zero_grad()
        logits = self.network.decide(self.network.read_out(features.detach()))
        loss = functional.cross_entropy(logits, labels)
        value = self.finite(loss)
        loss.backward()
        return value

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Give what the conv weights would change by, and the readout's negative gradient.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The proposed change of every parameter; no errors.
        """
        before = {name: value.detach().clone() for name, value in self.network.named_parameters()}
        features, _ = self.learn(images, labels)
        self.readout_gradient(features, labels)
        after = dict(self.network.named_parameters())
        update = {name: (after[name] - before[name]).detach() for name in before}
        return Probe(update | self.readout_update(), {})

    def readout_update(self) -> dict[str, Tensor]:
        """Give minus the gradient of every weight and bias of the linear layers, by name."""
        return {
            f"{layer}.{name}": -value.grad
            for layer, module in self.network.linear().items()
            for name, value in module.named_parameters()
        }
