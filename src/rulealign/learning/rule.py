"""What a learning rule is: settings that can be checked without torch, and one step."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from typing import (
    TYPE_CHECKING,
    Any,
    ClassVar,
    Literal,
    NamedTuple,
    NoReturn,
    Protocol,
)

from rulealign.errors import GuardError
from rulealign.learning.rule_settings import RuleSettings

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network


@dataclass(frozen=True)
class Course:
    """What a rule is told of the course of training that it takes part in.

    Attributes:
        study_seed: the study's seed, for `provenance.derive_seed`.
        label: the rule's label in the study.
        seed: the seed of this network.
        schedule_epochs: length of the learning-rate schedule, epochs.
        device: where the network lies.
        network: the network's label in the study; "" where there is none.
    """

    study_seed: int
    label: str
    seed: int
    schedule_epochs: int
    device: str
    network: str = ""


class ShownImages(Protocol):
    """Images as a network is shown them; a tensor of all of them is one, too."""

    def split(self, size: int) -> Iterable[Tensor]:
        """Give them in batches: float32, shape (n or fewer, 3, height, width), normalised."""
        ...


class DealtImages(Protocol):
    """The images of a seed as training deals them: in its order, augmented, in its batches."""

    def batches(self, epoch: int) -> Iterable[tuple[Tensor, Tensor]]:
        """Give one epoch, from 0: float32 (batch, 3, size, size), normalised; labels, int64."""
        ...

    def __len__(self) -> int:
        """Give the batches of an epoch."""
        ...


class Probe(NamedTuple):
    """What a rule would do with one batch.

    Attributes:
        update: parameter -> the change that the rule asks for, of the parameter's shape, before
            optimiser, weight decay and clipping; its direction counts, not its length.
        errors: layer -> the error signal at its output, float32, shape (batch, features); empty for
            a rule without errors.
    """

    update: dict[str, Tensor]
    errors: dict[str, Tensor]


class LearningRule:
    """A way to change a network's weights, one batch at a time.

    A subclass states its equations, shapes, units and source in its docstring, its settings in
    `Settings`, and overrides `step`; a rule that does not learn sets `trains` to False, one that
    cannot learn from training images of every size overrides `smallest_image_side` or
    `image_side_multiple`. A rule may change a network's weights only in `step`, and norm statistics
    also in `prepare`.

    Args:
        network: the network to change, in place.
        settings: an instance of the class's `Settings`.
        course: what the rule may know of the run.
    """

    Settings: ClassVar[type[RuleSettings]] = RuleSettings
    trains: ClassVar[bool] = True
    made_here: ClassVar[bool] = True
    """Whether the pipeline makes its networks; else files of the user's hold them."""
    has_states: ClassVar[bool] = True
    """Whether checkpoints hold its networks; else only what these make of stimuli is known."""
    has_activations: ClassVar[bool] = True
    """Whether features of its networks are known; else only their RDMs."""
    control: ClassVar[str] = "untrained_bn"
    """The kind of rule whose random network is matched to its own; its baseline where a study has
    one under that label, else `untrained_bn`."""
    sends_errors: ClassVar[bool] = False
    """Whether it learns from an error at every readable layer: of its network's backward pass, or
    `own_errors`."""
    errors_of_one_size: ClassVar[bool] = False
    """Whether these exist for images of the training size alone."""

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        self.network = network
        self.settings = settings
        self.course = course
        self.epoch = 0
        self.kept = "The last checkpoint is kept"
        """What is left of the training should it diverge; who continues one names the file."""

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot change a network, such as "teaches ..."; "" where it can."""
        return ""

    @classmethod
    def cannot_tell_apart(cls, settings: Any, network: Network, classes: int) -> str:
        """Say why it cannot teach a network so many classes; "" where it can."""
        return ""

    @classmethod
    def smallest_image_side(cls, network: Network) -> int:
        """Give the pixels per side of the smallest images that it can train a network with."""
        return network.smallest_image_side

    @classmethod
    def image_side_multiple(cls, network: Network) -> int:
        """Give what sides of images must be multiples of, in pixels, to train a network with it."""
        return 1

    def prepare(self, images: ShownImages | DealtImages) -> None:
        """Set the network up once, before epoch 0 is kept; most rules need nothing here.

        Args:
            images: those that `settings.calibration` names, by default all training images of this
                seed, not augmented; they may be gone through more than once.
        """

    def start_epoch(self, epoch: int) -> None:
        """Be told which epoch begins; the place for learning-rate schedules.

        Args:
            epoch: 0 for the first one.
        """
        self.epoch = epoch

    def own_errors(self, images: Tensor) -> dict[str, Tensor] | None:
        """Give the errors that it would learn from if each image's label were the decision.

        Args:
            images: float32, shape (n, 3, height, width), normalised; the network is evaluated.

        Returns:
            Readable layer -> error, of the shape of its values, with the sign and scale of the
            gradient of one image's cross-entropy; by default None: those of the network's own
            backward pass. No image has a part in another one's.
        """
        return None

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change the weights once.

        Args:
            images: float32, shape (batch, 3, size, size); augmented and normalised.
            labels: int64, shape (batch,).

        Returns:
            What to log, name -> value; `loss` among it.

        Raises:
            GuardError: training diverged.
            NotImplementedError: the rule trains but has no step.
        """
        raise NotImplementedError(f"{type(self).__name__} has no step")

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Read the layers as this rule understands them: the forward pass, or settled states.

        Args:
            images: float32, shape (n, 3, size, size), normalised; the network is evaluated.

        Returns:
            As the network's `layers`. Nothing that is kept may change.
        """
        return self.network.layers(images)

    def classify(self, images: Tensor) -> Tensor:
        """Classify images as this rule understands it.

        Args:
            images: as in `layers`.

        Returns:
            Logits, float32, shape (n, classes). Nothing that is kept may change.
        """
        return self.network(images)

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Say what the rule would do with one batch; called on a copy, which it may change.

        Here: the change of every parameter in one `step`, optimiser included, and no errors. A rule
        whose optimiser turns the direction of its updates overrides this.

        Args:
            images: as in `step`; the network is in training mode.
            labels: as in `step`.

        Returns:
            The proposed change and the error signals.
        """
        before = copy.deepcopy(dict(self.network.named_parameters()))
        self.step(images, labels)
        after = dict(self.network.named_parameters())
        return Probe({name: (after[name] - before[name]).detach() for name in before}, {})

    def first_layer_not_finite(self, what: Literal["data", "grad"] = "data") -> str:
        """Find where a network has diverged, for `diverged`.

        Args:
            what: look at the weights or at their gradients.

        Returns:
            "layer '<name>'", the first one with a value that is NaN or infinite; "the output" where
            there is none.
        """
        for name, parameter in self.network.named_parameters():
            values = getattr(parameter, what)
            if values is not None and not values.isfinite().all():
                return f"layer '{name.split('.')[0]}'"
        return "the output"

    def diverged(self, place: str, what: str, remedy: str) -> NoReturn:
        """Stop a training that has diverged; the checkpoint before is kept.

        Args:
            place: the layer where it was seen: "layer '<name>'".
            what: what was seen there, such as "the weights are not finite".
            remedy: which setting to change, and how.

        Raises:
            GuardError: always; names network, rule, seed, epoch, layer, the checkpoint before and
                remedy.
        """
        told = self.course
        network = f"network '{told.network}', " if told.network else ""
        raise GuardError(
            f"{network}rule '{told.label}', seed {told.seed}, epoch {self.epoch + 1}: {place}:"
            f" {what}; training diverged. {self.kept}; {remedy}."
        )

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the rule carries from batch to batch besides the network."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned.

        Args:
            state: as returned by `state_dict`.
        """
