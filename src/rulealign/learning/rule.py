"""What a learning rule is: settings that can be checked without torch, and one step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from rulealign.schema import Closed

if TYPE_CHECKING:
    import torch


class RuleSettings(Closed):
    """The settings that every rule has."""

    kind: str = Field(description="the rule's name in the registry")


@dataclass(frozen=True)
class Course:
    """What a rule is told of the course of training that it takes part in.

    Attributes:
        study_seed: the study's seed, for `provenance.derive_seed`.
        label: the rule's label in the study.
        seed: the seed of this network.
        schedule_epochs: length of the learning-rate schedule, epochs.
        device: where the network lies.
    """

    study_seed: int
    label: str
    seed: int
    schedule_epochs: int
    device: str


class LearningRule:
    """A way to change a network's weights, one batch at a time.

    A subclass states its equations, shapes, units and source in its docstring, its settings in
    `Settings`, and overrides `step`; a rule that does not learn leaves `trains` False.

    Args:
        network: the network to change, in place.
        settings: an instance of the class's `Settings`.
        course: what the rule may know of the run.
    """

    Settings: ClassVar[type[RuleSettings]] = RuleSettings
    trains: ClassVar[bool] = True

    def __init__(self, network: torch.nn.Module, settings: Any, course: Course) -> None:
        self.network = network
        self.settings = settings
        self.course = course

    def prepare(self, images: torch.Tensor) -> None:
        """Set the network up once, before epoch 0 is kept; most rules need nothing here.

        Args:
            images: float32, shape (n, 3, px, px); all training images of this seed, normalised,
                not augmented.
        """

    def start_epoch(self, epoch: int) -> None:
        """Be told which epoch begins; the place for learning-rate schedules.

        Args:
            epoch: 0 for the first one.
        """

    def step(self, images: torch.Tensor, labels: torch.Tensor) -> dict[str, float]:
        """Change the weights once.

        Args:
            images: float32, shape (batch, 3, px, px); augmented and normalised.
            labels: int64, shape (batch,).

        Returns:
            What to log, name -> value; `loss` among it.

        Raises:
            NotImplementedError: the rule trains but has no step.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the rule carries from batch to batch besides the network."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned.

        Args:
            state: as returned by `state_dict`.
        """
