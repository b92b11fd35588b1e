"""What the jobs that compare RDMs are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.settings import Settings

if TYPE_CHECKING:
    from rulealign.arm import Arm
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class NullSettings(Settings):
    """What a null from shuffled stimuli uses.

    Attributes:
        study_seed: of the study.
        null_draws: permutations of the stimuli.
        interval: coverage of the null's central interval, 0-1.
    """

    study_seed: int
    null_draws: int
    interval: float

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            study_seed=study.seed,
            null_draws=study.statistics.null_draws,
            interval=study.statistics.interval,
        )


@dataclass(frozen=True, kw_only=True)
class CeilingSettings(NullSettings):
    """What noise ceilings and their null use.

    Attributes:
        pairs: the pairs of stimuli that scores rest on: `all` or `cross_run`.
    """

    pairs: str

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(**NullSettings.of(study).plain(), pairs=study.brain.pairs)


@dataclass(frozen=True, kw_only=True)
class ModelRdmSettings(Settings):
    """What the RDMs of networks use.

    Attributes:
        centring: keys of `rsa.rdm.CENTRING`.
    """

    centring: list[str]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(centring=study.evaluation.centring)


@dataclass(frozen=True, kw_only=True)
class SignalRdmSettings(ModelRdmSettings):
    """What the RDMs of gradients or teaching signals use.

    Attributes:
        dataset: as files of signals name them, such as `gradient-entropy`.
    """

    dataset: str

    @classmethod
    def of(cls, study: Study, features: str) -> Self:
        """Take the settings from a study with encoding, of one value of the axis `features`."""
        dataset = study.encoding.dataset(features)
        return cls(centring=study.evaluation.centring, dataset=dataset)


@dataclass(frozen=True, kw_only=True)
class ControlRdmSettings(ModelRdmSettings):
    """What the RDMs of controls use.

    Attributes:
        controls: names of controls.
    """

    controls: list[str]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(centring=study.evaluation.centring, controls=study.controls)


@dataclass(frozen=True, kw_only=True)
class DrawSettings(Settings):
    """What resamples of the stimuli use.

    Attributes:
        study_seed: of the study.
        bootstrap_draws: resamples of the stimuli.
        interval: coverage of the intervals, 0-1.
    """

    study_seed: int
    bootstrap_draws: int
    interval: float

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            study_seed=study.seed,
            bootstrap_draws=study.statistics.bootstrap_draws,
            interval=study.statistics.interval,
        )


@dataclass(frozen=True, kw_only=True)
class ScoreSettings(DrawSettings):
    """What scores with bootstrap draws use; all scores of one table share it.

    Attributes:
        pairs: the pairs of stimuli that scores rest on: `all` or `cross_run`.
    """

    pairs: str

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(**DrawSettings.of(study).plain(), pairs=study.brain.pairs)


@dataclass(frozen=True, kw_only=True)
class LayerChoiceSettings(Settings):
    """What the choice of a layer uses, on other stimuli than it is scored on.

    Attributes:
        study_seed: of the study.
        pairs: the pairs of stimuli that scores rest on: `all` or `cross_run`.
        layer_folds: parts that a split of the stimuli makes.
        layer_splits: how many times the stimuli are split anew.
    """

    study_seed: int
    pairs: str
    layer_folds: int
    layer_splits: int


@dataclass(frozen=True, kw_only=True)
class AlignmentSettings(ScoreSettings, LayerChoiceSettings):
    """What the comparison of the networks of one arm with one ROI uses.

    Attributes:
        sampled_layers: layers whose scores get what a primary interval needs besides draws: those
            that the layer map names for the ROI, where the rule has a baseline or is one.
        generalise_to: what these intervals generalise to: `stimuli`, `subjects` or `both`; "" where
            there are none.
    """

    sampled_layers: list[str]
    generalise_to: str

    @classmethod
    def of(cls, study: Study, arm: Arm, roi: str) -> Self:
        """Take the settings from a study, for one of its arms and ROIs."""
        compared = arm.rule in study.compared_rules()
        layers = study.mapped_layers(arm.network, roi) if compared else []
        return cls(
            **ScoreSettings.of(study).plain(),
            layer_folds=study.statistics.layer_folds,
            layer_splits=study.statistics.layer_splits,
            sampled_layers=layers,
            generalise_to=study.statistics.generalise_to if layers else "",
        )


@dataclass(frozen=True, kw_only=True)
class OverTimeSettings(ScoreSettings):
    """What the comparison of the networks of one arm with RDMs over time uses.

    Attributes:
        depths: network -> layer -> share of its layers with weights up to there, 0-1.
    """

    depths: dict[str, dict[str, float]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(**ScoreSettings.of(study).plain(), depths=study.depths())
