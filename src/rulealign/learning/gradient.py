"""What rules with a supervised gradient share: settings, learning rate, and one step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from rulealign.errors import GuardError
from rulealign.lazy import functional, torch
from rulealign.learning.rule import Course, LearningRule, RuleSettings
from rulealign.schema import Fraction, NonNegativeFloat, PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn


class GradientSettings(RuleSettings):
    """The settings of a rule that descends a gradient."""

    optimizer: Literal["adam", "sgd"] = Field(description="how a gradient becomes a step")
    learning_rate: PositiveFloat = Field(description="step size at epoch 0")
    momentum: Fraction = Field(description="of sgd; must be 0 for adam, which has its own")
    weight_decay: NonNegativeFloat = Field(
        description="this times the weights is added to the gradient (L2, not decoupled)"
    )
    schedule: Literal["cosine", "constant"] = Field(
        description="learning rate over training.schedule_epochs: down to 0, or the same"
    )
    clip_norm: PositiveFloat = Field(
        description="gradients of a larger norm, over all weights, are scaled down to this norm"
    )

    @model_validator(mode="after")
    def _momentum_of_sgd_only(self) -> GradientSettings:
        if self.optimizer == "adam" and self.momentum != 0:
            raise ValueError(f"momentum {self.momentum} has no meaning for adam; put 0, or use sgd")
        return self


def cosine(epoch: int, epochs: int) -> float:
    """Give the share of the initial learning rate that is in force in an epoch.

    0.5 (1 + cos(pi epoch / epochs)): Loshchilov & Hutter 2017 (SGDR), equation 5, one cycle.

    Args:
        epoch: counted from 0.
        epochs: length of the schedule, epochs.

    Returns:
        1 at epoch 0, falling to 0 at epoch `epochs`.
    """
    return 0.5 * (1 + math.cos(math.pi * epoch / epochs))


class GradientRule(LearningRule):
    """Descends the gradient that autograd computes for the cross-entropy, in mean over a batch.

    Subclasses say which gradient that is, by changing how the network's layers send errors back.
    """

    Settings = GradientSettings

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        self.epoch = 0
        self.optimizer = make_optimizer(network, settings)

    def start_epoch(self, epoch: int) -> None:
        """Set the learning rate of an epoch.

        Args:
            epoch: 0 for the first one.
        """
        self.epoch = epoch
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(epoch)

    def learning_rate(self, epoch: int) -> float:
        """Give the learning rate of an epoch, counted from 0."""
        if self.settings.schedule == "constant":
            return self.settings.learning_rate
        return self.settings.learning_rate * cosine(epoch, self.course.schedule_epochs)

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change the weights once: loss, backward pass, clipping, step.

        Args:
            images: float32, shape (batch, 3, px, px); augmented and normalised.
            labels: int64, shape (batch,).

        Returns:
            `loss` (cross-entropy, nats, before the step), `gradient_norm` (before clipping),
            `learning_rate`.

        Raises:
            GuardError: loss or gradient is not finite.
        """
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.network(images), labels)
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        self._require_finite(loss=loss.item(), gradient_norm=norm.item())
        self.optimizer.step()
        return {
            "loss": loss.item(),
            "gradient_norm": norm.item(),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }

    def _require_finite(self, **values: float) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise GuardError(
                    f"rule '{self.course.label}', seed {self.course.seed}, epoch {self.epoch + 1}:"
                    f" {name} is {value}, training diverged. The last checkpoint is kept; lower"
                    f" the rule's learning_rate ({self.settings.learning_rate}) or clip_norm."
                )

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state."""
        return {"optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the optimiser's state.

        Args:
            state: as returned by `state_dict`.
        """
        self.optimizer.load_state_dict(state["optimizer"])


def make_optimizer(network: nn.Module, settings: GradientSettings) -> torch.optim.Optimizer:
    """Make the optimiser of all weights of a network.

    Args:
        network: the network.
        settings: optimizer, learning_rate, momentum, weight_decay.

    Returns:
        Adam (Kingma & Ba 2015; PyTorch's betas .9 and .999) or SGD with momentum.
    """
    shared = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), **shared)
    return torch.optim.SGD(network.parameters(), momentum=settings.momentum, **shared)
