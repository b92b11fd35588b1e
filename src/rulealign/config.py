"""The typed, closed configuration of a study."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from rulealign.errors import ConfigurationError
from rulealign.learning.rule import RuleSettings
from rulealign.learning.rules import rule_class
from rulealign.schema import (
    Closed,
    Descriptor,
    Distinct,
    Fraction,
    Label,
    NonNegativeFloat,
    Pixels,
    PositiveFloat,
    PositiveInt,
)

LAYERS = {"cnn3": ("conv1", "conv2", "conv3", "fc1")}
"""The readable layers of each network, in order."""

SIMULATED_COLUMNS = ("V1", "V2", "lLOC", "rLOC", "IT")
"""The ROI columns of a simulated voxel table."""


class Network(Closed):
    """The network that every rule trains."""

    kind: Literal["cnn3"] = Field(description="architecture; see docs/networks.md")
    channels: Annotated[list[PositiveInt], Field(min_length=3, max_length=3)] = Field(
        description="channels of conv1, conv2 and conv3"
    )
    hidden_units: PositiveInt = Field(description="units of fc1")
    dropout: Fraction = Field(description="dropout probability between fc1 and fc2")


class _TrainingSet(Closed):
    image_size: Pixels = Field(description="pixels per side of the stored images")
    train_images: PositiveInt = Field(
        description="images per seed, drawn from the train split by the seed"
    )
    held_out_images: PositiveInt = Field(
        description="images of the test split that accuracy is measured on (the first ones drawn"
        " by the study's seed; as many as there are in the split means all)"
    )


class Cifar10(_TrainingSet):
    """CIFAR-10 as published, through torchvision."""

    kind: Literal["cifar10"] = Field(description="the official arrays, MD5 checked")


class ImageFolder(_TrainingSet):
    """A folder, zip or tar of `split/class/image`, with the splits `train` and `test`."""

    kind: Literal["image-folder"] = Field(description="images in folders named by class")
    source: str = Field(
        description="a dataset of the registry, or a path (with a '/') to a folder, .zip or .tar*"
    )


class SyntheticObjects(_TrainingSet):
    """Generated objects: 10 classes of shape and texture on 1/f backgrounds."""

    kind: Literal["synthetic-objects"] = Field(description="generated, no download")
    pool_images: PositiveInt = Field(description="images of the train split that seeds draw from")


TrainingSet = Annotated[Cifar10 | ImageFolder | SyntheticObjects, Field(discriminator="kind")]


class Training(Closed):
    """How every rule is trained, and when it is looked at."""

    seeds: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Distinct] = Field(
        description="one network per rule and seed; a seed sets initial weights, images and order"
    )
    checkpoints: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)] = Field(
        description="epochs after which the network is kept and compared; increasing, 0 first"
    )
    schedule_epochs: PositiveInt = Field(
        description="length of the learning-rate schedule in epochs, whatever the last checkpoint"
    )
    batch_size: Annotated[int, Field(ge=2)] = Field(
        description="images per step; the last partial batch of an epoch is dropped"
    )
    crop_padding: Annotated[int, Field(ge=0)] = Field(
        description="zero pixels added around an image before a random crop of its size"
    )
    horizontal_flip: bool = Field(description="mirror half of the training images at random")
    mean: Annotated[list[float], Field(min_length=3, max_length=3)] = Field(
        description="RGB mean that is subtracted, pixel values 0-1; training and evaluation"
    )
    std: Annotated[list[PositiveFloat], Field(min_length=3, max_length=3)] = Field(
        description="RGB standard deviation that is divided by; training and evaluation"
    )

    @field_validator("checkpoints")
    @classmethod
    def _increasing_from_zero(cls, epochs: list[int]) -> list[int]:
        if epochs[0] != 0:
            raise ValueError(f"{epochs} lacks epoch 0, every rule's own baseline; put 0 first")
        if any(later <= earlier for earlier, later in pairwise(epochs)):
            raise ValueError(f"{epochs} does not increase; list each epoch once, in order")
        return epochs

    @model_validator(mode="after")
    def _within_schedule(self) -> Training:
        if self.checkpoints[-1] > self.schedule_epochs:
            raise ValueError(
                f"checkpoint {self.checkpoints[-1]} lies beyond schedule_epochs"
                f" {self.schedule_epochs}, where the learning rate is 0"
            )
        return self


class FolderStimuli(Closed):
    """Stimulus images in a folder: ids are the file names without ending, in sorted order."""

    kind: Literal["folder"] = Field(description="one image file per stimulus")
    source: str = Field(description="a dataset of the registry, or a path (with a '/') to a folder")
    background: str = Field(description="what surrounds the objects, in words; shown in the report")
    as_shown: bool = Field(description="whether these are the very images people saw")


class MatStimuli(Closed):
    """Stimulus images in a struct array of a MATLAB file, in the order of the array."""

    kind: Literal["mat"] = Field(description="a struct array with a field `image`")
    source: str = Field(description="a dataset of the registry, or a path (with a '/') to a .mat")
    key: str = Field(description="name of the struct array in the file")
    ids: str = Field(description="pattern of the ids, such as image_{:02d}, counted from 1")
    background: str = Field(description="what surrounds the objects, in words; shown in the report")
    as_shown: bool = Field(description="whether these are the very images people saw")


class BrainStimuli(Closed):
    """The images that come with the brain data, one per id of its stimulus set."""

    kind: Literal["brain"] = Field(description="the brain dataset's own images")
    background: str = Field(description="what surrounds the objects, in words; shown in the report")
    as_shown: bool = Field(description="whether these are the very images people saw")


Stimuli = Annotated[FolderStimuli | MatStimuli | BrainStimuli, Field(discriminator="kind")]


class RdmFile(Closed):
    """Given RDMs of one ROI: subjects x stimuli x stimuli."""

    source: str = Field(description="a dataset of the registry, or a path (with a '/') to a file")
    key: str | None = Field(description="name of the array in a .npz or .mat; null for a .npy")


class RdmArchive(Closed):
    """Brain data that come as RDMs."""

    kind: Literal["rdm-archive"] = Field(description="given RDMs per subject and ROI")
    subjects: PositiveInt = Field(description="people in every file; checked against the files")
    ids: str = Field(
        description="pattern of the stimulus ids in the order of the RDMs, such as image_{:02d},"
        " counted from 1; the stimulus sets must have the same ids"
    )
    acquisition: str = Field(description="scanner, task and averaging in words, for the report")
    distance: str = Field(description="the dissimilarity that the RDMs hold, for the report")
    rois: Annotated[dict[Label, RdmFile], Field(min_length=1)] = Field(
        description="ROI -> file of its RDMs"
    )


class Simulated(Closed):
    """A generated data set in the table form of THINGS-fMRI, from a known truth."""

    kind: Literal["simulated"] = Field(description="generated, no download")
    subjects: Annotated[int, Field(ge=2, le=99)] = Field(description="simulated people")
    concepts: Annotated[int, Field(ge=10)] = Field(
        description="object concepts; classes of objects take turns over them"
    )
    exemplars: PositiveInt = Field(description="images per concept, each shown once (`train`)")
    repeated_images: Annotated[int, Field(ge=4)] = Field(
        description="further images, shown once in every session (`test`)"
    )
    sessions: Annotated[int, Field(ge=2)] = Field(description="sessions per subject")
    runs: PositiveInt = Field(description="runs per session")
    image_size: Pixels = Field(description="pixels per side of the generated images")
    voxels_per_roi: Annotated[int, Field(ge=8)] = Field(description="voxels of each ROI column")
    noise: NonNegativeFloat = Field(
        description="standard deviation of the trial noise, in units of the signal's"
    )
    drift: NonNegativeFloat = Field(
        description="standard deviation of run-wise offsets, in units of the signal's"
    )
    stimulus_set: Literal["first-exemplar", "test-repeats"] = Field(
        description="first image of each concept, shown once; or the repeated images, averaged"
    )
    rois: Annotated[
        dict[Label, Annotated[list[str], Field(min_length=1), Distinct]], Field(min_length=1)
    ] = Field(description="ROI -> columns of the voxel table; their union is taken")

    @field_validator("rois")
    @classmethod
    def _known_columns(cls, rois: dict[str, list[str]]) -> dict[str, list[str]]:
        for roi, columns in rois.items():
            for column in columns:
                if column not in SIMULATED_COLUMNS:
                    raise ValueError(
                        f"{roi}: the data have no ROI '{column}'; they have"
                        f" {list(SIMULATED_COLUMNS)}"
                    )
        return rois


Brain = Annotated[RdmArchive | Simulated, Field(discriminator="kind")]


class Evaluation(Closed):
    """What is read from a network, and at which image sizes."""

    sizes: Annotated[list[Pixels], Field(min_length=1), Distinct] = Field(
        description="pixels per side at which stimuli are shown; must include the training size"
    )
    layers: Annotated[list[str], Field(min_length=1), Distinct] = Field(
        description="layers that are read"
    )
    descriptors: Annotated[list[Descriptor], Field(min_length=1), Distinct] = Field(
        description="how a conv map becomes a vector: global-average, or grid-k (k x k averages)"
    )
    centring: Annotated[list[Literal["uncentred", "centred"]], Field(min_length=1), Distinct] = (
        Field(description="whether each feature's mean over stimuli is subtracted before Pearson")
    )
    batch_size: PositiveInt = Field(description="images per forward pass; does not change scores")


class LayerArea(Closed):
    """One line of the fixed map from layers to areas."""

    layer: str = Field(description="a layer of the network")
    roi: str = Field(description="an ROI of the brain data")


class Statistics(Closed):
    """How sure a score is."""

    bootstrap_draws: Annotated[int, Field(ge=20)] = Field(
        description="resamples of the stimuli, shared by all rules, layers, areas and epochs"
    )
    null_draws: Annotated[int, Field(ge=20)] = Field(
        description="permutations for the null of the noise ceiling"
    )
    interval: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        description="coverage of the percentile intervals, such as 0.95"
    )

    @model_validator(mode="after")
    def _enough_draws(self) -> Statistics:
        # a percentile needs at least one draw beyond it on either side
        needed = round(2 / (1 - self.interval))
        if min(self.bootstrap_draws, self.null_draws) < needed:
            raise ValueError(f"an interval of {self.interval} needs at least {needed} draws")
        return self


class Report(Closed):
    """Which of the measured settings the report shows first; all others follow below it."""

    stimuli: str = Field(description="a stimulus set of `stimuli`")
    size: Pixels = Field(description="one of evaluation.sizes")
    descriptor: Descriptor = Field(description="one of evaluation.descriptors")
    centring: Literal["uncentred", "centred"] = Field(description="one of evaluation.centring")


class Study(Closed):
    """A complete study."""

    study: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")] = Field(
        description="name; results go to results/<study>/"
    )
    title: str = Field(description="the study in one line, for the report")
    question: str = Field(description="what the study asks, for the report")
    seed: Annotated[int, Field(ge=0)] = Field(description="all randomness derives from it")
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
    brain: Brain
    evaluation: Evaluation
    layer_map: Annotated[list[LayerArea], Field(min_length=1)] = Field(
        description="the comparisons named in advance: which layer is held against which area"
    )
    statistics: Statistics
    report: Report

    @field_validator("rules", mode="before")
    @classmethod
    def _typed_rules(cls, rules: Any) -> dict[str, RuleSettings]:
        if not isinstance(rules, Mapping):
            raise ValueError("must map labels to the settings of a rule")
        return {label: _rule_settings(label, settings) for label, settings in rules.items()}

    @model_validator(mode="after")
    def _consistent(self) -> Study:
        has = {
            "layer": LAYERS[self.network.kind],
            "roi": tuple(self.brain.rois),
            "evaluated layer": tuple(self.evaluation.layers),
        }
        for layer in self.evaluation.layers:
            _require(layer, has["layer"], "evaluation.layers", "the network has the layers")
        for pair in self.layer_map:
            _require(pair.layer, has["evaluated layer"], "layer_map", "evaluation.layers lists")
            _require(pair.roi, has["roi"], "layer_map", "brain.rois lists")
        if self.training_set.image_size not in self.evaluation.sizes:
            raise ValueError(
                f"evaluation.sizes: {self.evaluation.sizes} lacks the training size"
                f" {self.training_set.image_size}; the size drives effects, so it must be there"
            )
        view, measured = self.report, self.evaluation
        _require(view.stimuli, tuple(self.stimuli), "report.stimuli", "stimuli lists")
        _require(view.size, measured.sizes, "report.size", "evaluation.sizes lists")
        _require(view.descriptor, measured.descriptors, "report.descriptor", "evaluation lists")
        _require(view.centring, measured.centring, "report.centring", "evaluation lists")
        return self


def _require(value: Any, allowed: Any, key: str, phrase: str) -> None:
    if value not in allowed:
        raise ValueError(f"{key}: there is no '{value}'; {phrase} {list(allowed)}")


def _rule_settings(label: str, settings: Any) -> RuleSettings:
    if isinstance(settings, RuleSettings):
        return settings
    if not isinstance(settings, Mapping) or "kind" not in settings:
        raise ValueError(f"{label}: needs a `kind`, the name of a learning rule")
    try:
        return rule_class(settings["kind"]).Settings.model_validate(dict(settings))
    except (ValidationError, ConfigurationError) as error:
        raise ValueError(f"{label} ({settings['kind']}): {_explain(error)}") from error


def load_study(values: Mapping[str, Any]) -> Study:
    """Check a study's configuration.

    Args:
        values: the configuration as read from YAML, with the overrides of the command line.

    Returns:
        The typed study.

    Raises:
        ConfigurationError: names every key that is wrong, its value and what is allowed.
    """
    try:
        return Study.model_validate(dict(values))
    except ValidationError as error:
        raise ConfigurationError(f"the configuration has mistakes:\n{_explain(error)}") from error


def _explain(error: ValidationError | ConfigurationError) -> str:
    if isinstance(error, ConfigurationError):
        return str(error)
    return "\n".join(_explain_one(detail) for detail in error.errors())


def _explain_one(detail: Mapping[str, Any]) -> str:
    key = ".".join(str(part) for part in detail["loc"]) or "(study)"
    if detail["type"] == "extra_forbidden":
        return f"  {key}: unknown key (value {detail['input']!r}); see docs/configuration.md"
    if detail["type"] == "missing":
        return f"  {key}: missing; every value must be stated, see docs/configuration.md"
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "value_error":
        return f"  {key}: {message}"
    return f"  {key}: {message} (value {detail['input']!r})"
