"""Rules whose conv stack learns locally, under a readout that is supervised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.gradient import schedule_share
from rulealign.learning.rule import Course, LearningRule, Probe, RuleSettings
from rulealign.schema import NonNegativeFloat, PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn


class ReadoutSettings(RuleSettings):
    """The settings of the supervised readout, fc1 and fc2."""

    readout_learning_rate: PositiveFloat = Field(description="Adam's step size at epoch 0")
    readout_weight_decay: NonNegativeFloat = Field(
        description="this times the readout's weights is added to their gradient (L2)"
    )
    schedule: Literal["cosine", "constant"] = Field(
        description="all rates over training.schedule_epochs: down to 0, or the same"
    )


class ReadoutRule(LearningRule):
    """Teach fc1 and fc2 by the gradient of the cross-entropy, on features that learn otherwise.

    Adam (Kingma & Ba 2015) on fc1 and fc2 alone. The features are cut off from the gradient: none
    reaches the conv stack. Subclasses say in `learn_features` how the conv stack learns.
    """

    Settings = ReadoutSettings

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        self.supervised = self.supervised_parameters()
        self.optimizer = torch.optim.Adam(
            self.supervised,
            settings.readout_learning_rate,
            weight_decay=settings.readout_weight_decay,
        )

    def supervised_parameters(self) -> list[nn.Parameter]:
        """List what the optimiser changes: the weights and biases of fc1 and fc2."""
        return [*self.network.fc1.parameters(), *self.network.fc2.parameters()]

    def start_epoch(self, epoch: int) -> None:
        """Set the learning rate of an epoch.

        Args:
            epoch: 0 for the first one.
        """
        super().start_epoch(epoch)
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.readout_learning_rate * self.learning_rate_share(epoch)

    def learning_rate_share(self, epoch: int) -> float:
        """Give the share of all initial rates that is in force in an epoch, counted from 0."""
        return schedule_share(self.settings.schedule, epoch, self.course.schedule_epochs)

    def learn_features(self, images: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Let the conv stack learn from one batch; here it does not.

        BatchNorm's statistics are updated once, by the forward pass in training mode.

        Args:
            images: float32, shape (batch, 3, px, px).

        Returns:
            The map of conv3 that the readout learns from, shape (batch, channels, height, width),
            without a graph; what to log.
        """
        with torch.no_grad():
            return self.network.maps(images)["conv3"], {}

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Let the conv stack learn, then the readout on its features.

        Args:
            images: float32, shape (batch, 3, px, px); augmented and normalised.
            labels: int64, shape (batch,); only the readout sees them.

        Returns:
            `loss` (cross-entropy, nats, before the readout's step), `learning_rate` (of the
            readout), and what `learn_features` logs.

        Raises:
            GuardError: training diverged.
        """
        features, logged = self.learn_features(images)
        loss = self.readout_gradient(features, labels)
        self.optimizer.step()
        return {
            "loss": loss,
            "learning_rate": self.optimizer.param_groups[0]["lr"],
            **logged,
        }

    def readout_gradient(self, features: Tensor, labels: Tensor) -> float:
        """Give fc1 and fc2, and nothing else, their gradients.

        Args:
            features: map of conv3, shape (batch, channels, height, width).
            labels: int64, shape (batch,).

        Returns:
            The loss, nats.

        Raises:
            GuardError: the loss is not finite; names the first layer with such weights.
        """
        self.optimizer.zero_grad()
        logits = self.network.decide(self.network.read_out(features.detach()))
        loss = functional.cross_entropy(logits, labels)
        if not torch.isfinite(loss):
            rate = self.settings.readout_learning_rate
            self.diverged(
                self.first_layer_not_finite(),
                f"loss is {loss.item()}",
                f"lower the rates of the conv layers, or readout_learning_rate ({rate})",
            )
        loss.backward()
        return loss.item()

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Give what the conv weights would change by, and the readout's negative gradient.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The proposed change of every parameter; no errors.
        """
        before = {name: value.detach().clone() for name, value in self.network.named_parameters()}
        features, _ = self.learn_features(images)
        self.readout_gradient(features, labels)
        after = dict(self.network.named_parameters())
        update = {name: (after[name] - before[name]).detach() for name in before}
        for name in ("fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"):
            update[name] = -after[name].grad
        return Probe(update, {})

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state."""
        return {"optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the optimiser's state.

        Args:
            state: as returned by `state_dict`.
        """
        self.optimizer.load_state_dict(state["optimizer"])
