"""What rules share whose errors go back in another way than through the layers' own weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.gradient import GradientRule, GradientSettings
from rulealign.learning.rule import Course
from rulealign.provenance import derive_seed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.feedback import SendBack


class FeedbackRule(GradientRule):
    """Descends a gradient whose errors go back in another way in some layers.

    Subclasses say in `send_back` which layers those are, and how. What they draw for it is kept in
    `feedback`, layer -> tensor, and in the checkpoints. Convolution, linear layers and their biases
    get exact gradients from the errors that reach them; pooling, ReLU, BatchNorm and dropout send
    errors back exactly.
    """

    sends_errors = True

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        from rulealign.learning.feedback import attach

        super().__init__(network, settings, course)
        self.feedback: dict[str, Tensor] = {}
        layers = network.error_path()
        for name, send_back in self.send_back(layers).items():
            attach(layers[name], send_back)

    def send_back(self, layers: Mapping[str, nn.Module]) -> dict[str, SendBack]:
        """Say which layers send errors back in another way, and how.

        Args:
            layers: name -> layer, all that propagate an error, in the order of computation.

        Returns:
            Name -> way.

        Raises:
            NotImplementedError: the subclass does not say.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how errors go back")

    def seed_of(self, *purpose: str) -> int:
        """Derive the seed of what is drawn for this network's feedback.

        Args:
            purpose: words that tell draws apart.

        Returns:
            A seed that depends on study seed, label and seed.
        """
        course = self.course
        return derive_seed(course.study_seed, course.label, course.seed, "feedback", *purpose)

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state and the drawn feedback of every layer."""
        return super().state_dict() | {"feedback": self.feedback}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the optimiser's state and the feedback of every layer.

        Args:
            state: as returned by `state_dict`.
        """
        super().load_state_dict(state)
        for name, drawn in state["feedback"].items():
            # in place: an optimiser may hold it
            self.feedback.setdefault(name, drawn.to(self.course.device)).copy_(drawn)


class FeedbackWeightsSettings(GradientSettings):
    """The settings of rules whose layers have feedback weights of their own."""

    layers: Literal["all", "conv"] = Field(
        default="all",
        description="layers that send errors back through weights of their own: all that propagate"
        " one, or convolutions only, as published in 2026 (linear layers then send them back"
        " exactly)",
    )


class FeedbackWeightsRule(FeedbackRule):
    """Send errors back through weights B of the shape of W, drawn once per label and seed.

    Their distribution is that of PyTorch's initial weights; subclasses may let them learn.
    """

    Settings = FeedbackWeightsSettings

    def send_back(self, layers: Mapping[str, nn.Module]) -> dict[str, SendBack]:
        """Draw B of every layer, and send errors back through it.

        Args:
            layers: name -> layer, all that propagate an error.

        Returns:
            Name -> way, of the layers that the setting `layers` names.
        """
        from rulealign.learning.feedback import random_feedback, through

        if self.settings.layers == "conv":
            conv = torch.nn.Conv2d
            layers = {name: layer for name, layer in layers.items() if isinstance(layer, conv)}
        self.feedback = random_feedback(layers, self.seed_of())
        return {
            name: through(layer, lambda name=name: self.feedback[name])
            for name, layer in layers.items()
        }

    def feedback_angle(self) -> float:
        """Give the mean angle between B and W over the layers, degrees."""
        cosines = [
            functional.cosine_similarity(drawn.flatten(), self._weight(name).flatten(), 0)
            for name, drawn in self.feedback.items()
        ]
        return torch.stack(cosines).clamp(-1, 1).acos().rad2deg().mean().item()

    def _weight(self, name: str) -> Tensor:
        return self.network.get_submodule(name).weight.detach()
