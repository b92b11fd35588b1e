"""What rules share whose errors go back in another way than through the layers' own weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rulealign.learning.gradient import GradientRule
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
            self.feedback[name] = drawn.to(self.course.device)
