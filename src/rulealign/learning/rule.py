"""What a learning rule is: settings that can be checked without torch, and one step."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, NoReturn, Protocol

from pydantic import Field

from rulealign.errors import GuardError
from rulealign.schema import Closed, Label

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network

TRAINING = "training"
"""What `images` is where a rule is prepared with the training images of its seed."""


class Calibration(NamedTuple):
    """Which images a rule's `prepare` is shown.

    Attributes:
        images: `TRAINING`, or a label of the study's section `calibration`.
        size: pixels per side, one of evaluation.sizes; None: as the training images are stored.
        count: how many, drawn by the seed; None: all.
        augment: whether they come as training deals them: in batches, flipped and cropped.
        padding: settings of training that hold for these batches instead: `crop_padding`,
            `padding_mode`.
    """

    images: str = TRAINING
    size: int | None = None
    count: int | None = None
    augment: bool = False
    padding: Mapping[str, int | str] = MappingProxyType({})


class RuleSettings(Closed):
    """The settings that every rule has."""

    per_block: ClassVar[tuple[str, ...]] = ()
    """Settings that are lists of one value for each conv block of the network."""

    kind: str = Field(description="the rule's name in the registry")
    init: Literal["default", "kaiming-normal"] = Field(
        default="default",
        description="initial conv weights: PyTorch's default (uniform, standard deviation"
        " 1/sqrt(3 inputs)), the same for every rule of a seed; or normal, standard deviation"
        " sqrt(2/inputs), 2.4 times as large, as some rules were published with",
    )

    baseline: Label | None = Field(
        default=None,
        description="what a trained rule is compared with first, at the same epoch: a label of"
        " `rules` with the same `init`, which may train, too; one that does not has epoch 0 alone."
        " Changes no training",
    )

    @property
    def calibration(self) -> Calibration:
        """Which images `prepare` is shown; a rule that has settings for it overrides this."""
        return Calibration()

    def fewer_dead_units(self) -> str:
        """Say what leaves fewer dead units in linear layers; "" where nothing is known to."""
        return ""


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

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        self.network = network
        self.settings = settings
        self.course = course
        self.epoch = 0

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot change a network, such as "teaches ..."; "" where it can."""
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
            GuardError: always; names rule, seed, epoch, layer and remedy.
        """
        raise GuardError(
            f"rule '{self.course.label}', seed {self.course.seed}, epoch {self.epoch + 1}: {place}:"
            f" {what}; training diverged. The last checkpoint is kept; {remedy}."
        )

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the rule carries from batch to batch besides the network."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned.

        Args:
            state: as returned by `state_dict`.
        """
