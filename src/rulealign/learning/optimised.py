"""What rules with an optimiser share: rates by epoch, a loss that must be finite, and the state."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from rulealign.learning.rule import LearningRule

if TYPE_CHECKING:
    import torch
    from torch import Tensor


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


def schedule_share(schedule: str, epoch: int, epochs: int) -> float:
    """Give the share of the initial rate that is in force in an epoch under a schedule.

    Args:
        schedule: "cosine" or "constant".
        epoch: counted from 0.
        epochs: length of the schedule, epochs.

    Returns:
        0-1.
    """
    return cosine(epoch, epochs) if schedule == "cosine" else 1.0


class OptimisedRule(LearningRule):
    """A rule of which some weights are changed by an optimiser.

    Subclasses make `optimizer` in `__init__`, and name the setting of its learning rate.
    """

    rate_setting: ClassVar[str] = "learning_rate"
    optimizer: torch.optim.Optimizer

    def start_epoch(self, epoch: int) -> None:
        """Set the optimiser's learning rate of an epoch.

        Args:
            epoch: 0 for the first one.
        """
        super().start_epoch(epoch)
        rate = getattr(self.settings, self.rate_setting)
        for group in self.optimizer.param_groups:
            # some weights may have a rate of their own
            group["lr"] = group.get("initial_lr", rate) * self.learning_rate_share(epoch)

    def learning_rate_share(self, epoch: int) -> float:
        """Give the share of the initial rates that is in force in an epoch, counted from 0."""
        return schedule_share(self.settings.schedule, epoch, self.course.schedule_epochs)

    def remedy(self) -> str:
        """Say which settings to change when training diverges."""
        return f"lower {self.rate_setting} ({getattr(self.settings, self.rate_setting)})"

    def finite(self, loss: Tensor) -> float:
        """Give the value of a loss, and refuse one that is not finite.

        Args:
            loss: a single number, nats.

        Returns:
            The same number.

        Raises:
            GuardError: it is NaN or infinite; names the first layer with such weights.
        """
        value = loss.item()
        if not math.isfinite(value):
            self.diverged(self.first_layer_not_finite(), f"loss is {value}", self.remedy())
        return value

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state."""
        return {"optimizer": self.optimizer.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the optimiser's state.

        Args:
            state: as returned by `state_dict`.
        """
        self.optimizer.load_state_dict(state["optimizer"])
