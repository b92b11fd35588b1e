"""The typed, closed configuration of a study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from rulealign.config.brain import Brain, ThingsFiles
from rulealign.config.checks import check_claims, check_universes
from rulealign.config.claims import Claim, Universes
from rulealign.config.evaluation import Controls, Evaluation, LayerArea, Report, Statistics
from rulealign.config.networks import Network
from rulealign.config.stimuli import CalibrationSet, Stimuli
from rulealign.config.training import Training, TrainingSet
from rulealign.errors import ConfigurationError
from rulealign.learning.rule import TRAINING, RuleSettings
from rulealign.learning.rules import rule_class
from rulealign.schema import Closed, Label, Seed

LAYERS = {"cnn3": ("conv1", "conv2", "conv3", "fc1")}
"""The readable layers of each network, in order."""

VECTORS = {"cnn3": ("fc1",)}
"""Those of them that have no positions, and so no descriptor to choose."""

Reason = Annotated[str, Field(pattern=r"\w+\W+\w+")]
"""A reason in words: two at least."""


class Study(Closed):
    """A complete study."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = Field(
        description="name; results go to results/<study>/"
    )
    title: str = Field(description="the study in one line, for the report")
    question: str = Field(description="what the study asks, for the report")
    seed: Seed = Field(description="all randomness derives from it")
    device: Literal["cpu", "cuda"] = Field(description="where networks run; never replaced")
    data_mirrors: list[str] = Field(
        description="folders or URLs asked for downloads before the public ones;"
        " RULEALIGN_DATA_MIRRORS (separated by the system's path separator) is asked before these"
    )
    network: Network
    training_set: TrainingSet
    training: Training
    rules: Annotated[dict[Label, Any], Field(min_length=1)] = Field(
        description="label -> settings of one learning rule; `kind` names the rule"
    )
    stimuli: Annotated[dict[Label, Stimuli], Field(min_length=1)] = Field(
        description="label -> one stimulus set; all sets have the same ids"
    )
    calibration: dict[Label, CalibrationSet] = Field(
        description="label -> images, none of which is compared, for rules that calibrate BatchNorm"
        " on them; {} where no rule does"
    )
    brain: Brain
    copies: dict[str, Reason] = Field(
        default={},
        description="what is there twice on purpose -> why, in words. Copies are found by what they"
        " hold: an RDM (sub-02_roi-V1), a stimulus set (stim-white), an image of a set (its id), or"
        " held-out images among the training images of a folder (held-out). Without a reason, or"
        " with one for what is no copy, the study stops",
    )
    things: ThingsFiles | None = Field(
        default=None,
        description="where THINGS-fMRI is taken from: a section, with brain.kind 'things' only",
    )
    evaluation: Evaluation
    controls: Controls = Field(
        description="features of the images alone, scored and drawn beside layers: pixels,"
        " silhouette, mean-luminance, contrast, mean-rgb, colour-histogram, gabor-pooled,"
        " gabor-grid; [] for none. One that stimuli do not have (a silhouette needs a uniform"
        " background) is missing for them, with the reason"
    )
    layer_map: Annotated[list[LayerArea], Field(min_length=1)] = Field(
        description="the comparisons named in advance: which layer is held against which area"
    )
    statistics: Statistics
    universes: Universes
    claims: dict[Label, Claim] = Field(
        description="label -> what is claimed before the run; {} for none"
    )
    report: Report

    @field_validator("rules", mode="before")
    @classmethod
    def _typed_rules(cls, rules: Any) -> dict[str, RuleSettings]:
        if not isinstance(rules, Mapping):
            raise ValueError("must map labels to the settings of a rule")
        return {label: _rule_settings(label, settings) for label, settings in rules.items()}

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        self._check_layers_and_areas()
        self._check_descriptors()
        self._check_things()
        self._check_images()
        self._check_rules()
        self._check_calibration()
        self._check_report()
        self._check_claims()
        return self

    def _check_layers_and_areas(self) -> None:
        for layer in self.evaluation.layers:
            layers = LAYERS[self.network.kind]
            _require(layer, layers, "evaluation.layers", "the network has the layers")
        for pair in self.layer_map:
            _require(pair.layer, self.evaluation.layers, "layer_map", "evaluation.layers lists")
            _require(pair.roi, list(self.brain.rois), "layer_map", "brain.rois lists")
        for label, stimuli in self.stimuli.items():
            self._check_brain_has_images("stimuli", label, stimuli.kind)

    def _check_descriptors(self) -> None:
        # a grid may be finer than a small map, which then stays as it is; but not than all maps
        layers, size = self._maps(), max(self.evaluation.sizes)
        finest = max((map_side(place, size) for place in layers.values()), default=0)
        for descriptor in self.evaluation.descriptors if layers else ():
            if descriptor.startswith("grid-") and int(descriptor[5:]) > finest:
                raise ValueError(
                    f"evaluation.descriptors: '{descriptor}' is finer than every map that is read,"
                    f" and averages nothing; the largest, at {size} px, has {finest} positions per"
                    f" side. Use grid-{finest} or less"
                )

    def _maps(self) -> dict[str, int]:
        """Give the layers that are read and have positions, with their places in the network."""
        kind = self.network.kind
        return {
            layer: place
            for place, layer in enumerate(LAYERS[kind])
            if layer in self.evaluation.layers and layer not in VECTORS[kind]
        }

    def _check_things(self) -> None:
        if self.brain.kind == "things" and self.things is None:
            raise ValueError("things: missing; brain.kind 'things' needs it, see docs/data.md")
        if self.brain.kind != "things" and self.things is not None:
            raise ValueError(f"things: brain.kind '{self.brain.kind}' takes nothing from there")

    def _check_brain_has_images(self, section: str, label: str, kind: str) -> None:
        if kind in ("brain", "brain-others") and self.brain.kind == "rdm-archive":
            raise ValueError(
                f"{section}.{label}.kind: '{kind}' needs brain data that come with images, and"
                " brain.kind 'rdm-archive' has none; use 'folder' or 'mat'"
            )

    def _check_images(self) -> None:
        images, size = self.training_set, self.training_set.image_size
        if size not in self.evaluation.sizes:
            raise ValueError(
                f"evaluation.sizes: {self.evaluation.sizes} lacks the training size {size}; the"
                " size drives effects, so it must be there"
            )
        if self.training.batch_size > images.train_images:
            raise ValueError(
                f"training.batch_size: {self.training.batch_size} is more than"
                f" training_set.train_images {images.train_images}, so no batch is ever full"
            )

    def _check_rules(self) -> None:
        taken = {"control", *self.controls} & set(self.rules)
        if taken:
            raise ValueError(f"rules.{min(taken)}: is the name of controls; choose another label")
        for label in self.training.fewer_seeds:
            _require(label, list(self.rules), "training.fewer_seeds", "rules lists")
        size = self.training_set.image_size
        for label, settings in self.rules.items():
            rule = rule_class(settings.kind)
            multiple, smallest = rule.image_side_multiple, rule.smallest_image_side
            if size % multiple or size < smallest:
                wanted = f"a multiple of {multiple}" if size % multiple else f"at least {smallest}"
                raise ValueError(
                    f"rules.{label}: '{settings.kind}' needs training_set.image_size to be {wanted}"
                    f" px, and it is {size}; change it or remove the rule"
                )

    def _check_calibration(self) -> None:
        for label, images in self.calibration.items():
            self._check_brain_has_images("calibration", label, images.kind)
            if label == TRAINING or label in self.stimuli:
                taken = "the word for training images" if label == TRAINING else "in stimuli, too"
                raise ValueError(f"calibration.{label}: the label is {taken}; choose another one")
        for rule, settings in self.rules.items():
            wanted, key = settings.calibration, f"rules.{rule}"
            _require(wanted.images, [TRAINING, *self.calibration], f"{key}.images", "there are")
            if wanted.size is not None:
                sizes = self.evaluation.sizes
                _require(wanted.size, sizes, f"{key}.size", "evaluation.sizes lists")
            there = self._images_to_calibrate_on(wanted.images)
            if None not in (wanted.count, there) and wanted.count > there:
                raise ValueError(f"{key}.count: {wanted.count} images of {there}; write `all`")
        used = {settings.calibration.images for settings in self.rules.values()}
        for label in self.calibration:
            if label not in used:
                raise ValueError(
                    f"calibration.{label}: no rule uses these images; remove them, or name them in"
                    " a rule's `images`"
                )

    def _images_to_calibrate_on(self, images: str) -> int | None:
        """Give the number of images, or None where only their source knows it."""
        if images == TRAINING:
            return self.training_set.train_images
        return getattr(self.calibration[images], "count", None)

    def _check_report(self) -> None:
        view, measured = self.report, self.evaluation
        _require(view.stimuli, list(self.stimuli), "report.stimuli", "stimuli lists")
        _require(view.size, measured.sizes, "report.size", "evaluation.sizes lists")
        _require(view.descriptor, measured.descriptors, "report.descriptor", "evaluation lists")
        _require(view.centring, measured.centring, "report.centring", "evaluation lists")

    def _check_claims(self) -> None:
        trains = {label: rule_class(rule.kind).trains for label, rule in self.rules.items()}
        check_universes(self, trains)
        kept = {rule: self.training.checkpoints if trains[rule] else [0] for rule in self.rules}
        check_claims(self, LAYERS[self.network.kind], kept)


def map_side(place: int, px: int) -> int:
    """Give the positions per side of a layer's map, at a size of images.

    Args:
        place: the layer's place among those with positions, from 0.
        px: pixels per side of the images.
    """
    return px // 2 ** (place + 1)  # each block halves its map, and drops an odd row and column


def _require(value: Any, allowed: Any, key: str, phrase: str) -> None:
    if value not in allowed:
        raise ValueError(f"{key}: there is no '{value}'; {phrase} {list(allowed)}")


def _rule_settings(label: str, settings: Any) -> RuleSettings:
    if isinstance(settings, RuleSettings):
        return settings
    if not isinstance(settings, Mapping) or not isinstance(settings.get("kind"), str):
        raise ValueError(f"{label}: needs a `kind`, the name of a learning rule")
    try:
        return rule_class(settings["kind"]).Settings.model_validate(dict(settings))
    except (ValidationError, ConfigurationError) as error:
        raise ValueError(f"{label} ({settings['kind']}): {_explain(error)}") from error


def load_study(values: Mapping[str, Any], file: str = "the configuration") -> Study:
    """Check a study's configuration.

    Args:
        values: the configuration as read from YAML, with the overrides of the command line.
        file: which file it was read from, for errors.

    Returns:
        The typed study.

    Raises:
        ConfigurationError: names every key that is wrong, its value and what is allowed.
    """
    try:
        return Study.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigurationError(f"{file} has mistakes:\n{_explain(error)}") from error


def _explain(error: ValidationError | ConfigurationError) -> str:
    if isinstance(error, ConfigurationError):
        return str(error)
    return "\n".join(_explain_one(detail) for detail in error.errors())


_KINDS = {
    "dict_type": "a section of keys and values; write {} for none",
    "model_type": "a section of keys and values",
    "list_type": "a list, such as [a, b]",
}
"""Kinds of mistakes that YAML makes easy, such as a key without a value -> what was wanted."""


def _explain_one(detail: Mapping[str, Any]) -> str:
    place = _without_kind(detail["loc"])
    key = ".".join(map(str, place)) or "(study)"
    if detail["type"] == "extra_forbidden":
        kind = " of this `kind`" if place != detail["loc"] else ""
        return f"  {key}: unknown key{kind} (value {detail['input']!r}); see docs/configuration.md"
    if detail["type"] == "missing":
        return f"  {key}: missing; every value must be stated, see docs/configuration.md"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return f"  {message}" if not place else f"  {key}: {message}"
    if detail["type"] in _KINDS:
        message = f"must be {_KINDS[detail['type']]}"
    return f"  {key}: {message} (value {detail['input']!r})"


def _without_kind(place: tuple) -> tuple:
    # pydantic names the chosen kind within the path: training_set.cifar10.image_size
    depths = {"training_set": 1, "brain": 1, "stimuli": 2, "calibration": 2}
    depth = depths.get(place[0] if place else "")
    if depth is not None and len(place) > depth:
        place = place[:depth] + place[depth + 1 :]
    return tuple(part for part in place if not str(part).startswith("<"))
