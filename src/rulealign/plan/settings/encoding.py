"""What the jobs of encoding are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rulealign.plan.settings.activations import ActivationSettings
from rulealign.plan.settings.scores import DrawSettings
from rulealign.settings import Settings

if TYPE_CHECKING:
    from rulealign.arm import Arm
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class FoldSettings(Settings):
    """What the folds over stimuli use.

    Attributes:
        study_seed: of the study.
        folds: parts of the stimuli, each predicted from all others.
        inner_folds: parts of the stimuli of a fit.
    """

    study_seed: int
    folds: int
    inner_folds: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study that has encoding."""
        return cls(
            study_seed=study.seed,
            folds=study.encoding.folds,
            inner_folds=study.encoding.inner_folds,
        )


@dataclass(frozen=True, kw_only=True)
class GramSettings(FoldSettings):
    """What the Gram matrices of an ROI, and the folds over stimuli, use.

    Attributes:
        distance: of the brain RDMs, `correlation` or `squared-euclidean`.
        by_concept: whether ids of stimuli name concepts, whose images share a fold.
        stimulus_set: as in `stimulus_sets.choose_trials`; "" where RDMs are given.
    """

    distance: str
    by_concept: bool
    stimulus_set: str = field(default_factory=str)

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study that has encoding."""
        return cls(
            **FoldSettings.of(study).plain(),
            distance=study.brain.pattern_distance,
            by_concept=study.brain.named_by_concept,
            stimulus_set=study.brain.stimulus_set if study.brain.single_trials else "",
        )


@dataclass(frozen=True, kw_only=True)
class VoxelSettings(FoldSettings):
    """What the voxels of an ROI, and the folds over stimuli, use.

    Attributes:
        stimulus_set: as in `stimulus_sets.choose_trials`.
        zscore: as in `patterns.zscore`.
        ceiling: whether noise ceilings are estimated, from images that were shown again.
    """

    stimulus_set: str
    zscore: str
    ceiling: bool

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study that has encoding by voxel."""
        return cls(
            **FoldSettings.of(study).plain(),
            stimulus_set=study.brain.stimulus_set,
            zscore=study.brain.zscore,
            ceiling=study.encoding.voxels.ceiling,
        )


@dataclass(frozen=True, kw_only=True)
class SignalSettings(ActivationSettings):
    """What the gradients and teaching signals of the frozen networks of one arm use.

    Attributes:
        losses: keys of `learning.signals.LOSSES`, or random-label; [] for no gradients.
        teaching: sizes at which the rule's own errors are kept; [] for none.
        labels: stimulus id -> class of the training set, for gradients of the cross-entropy to
            them; {} for none.
    """

    losses: list[str]
    teaching: list[int]
    labels: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study, arm: Arm) -> Self:
        """Take the settings for the networks of one arm from a study that has encoding."""
        asked = study.encoding
        gradients = "gradient" in asked.features
        return cls(
            **ActivationSettings.of(study, arm).plain(),
            losses=asked.unlabelled if gradients else [],
            teaching=study.teaching_sizes(arm.rule),
            labels=asked.given_labels,
        )


@dataclass(frozen=True, kw_only=True)
class EncodingSettings(DrawSettings):
    """What the encoding of one ROI by one rule's networks uses, besides Gram matrices and folds.

    Attributes:
        inner_folds: parts of the stimuli of a fit, by which penalties are chosen.
        penalties: to choose from.
        generalise_to: what intervals generalise to: `stimuli`, `subjects` or `both`.
        least_ceiling: of the voxels whose scores are divided by their noise ceiling, 0-1.
        block: voxels that are computed at a time.
        device: where voxels are fitted; told where it is not the CPU.
    """

    inner_folds: int
    penalties: list[float]
    generalise_to: str
    least_ceiling: float | None
    block: int | None
    device: str = field(default_factory=lambda: "cpu")

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study that has encoding."""
        voxels = study.encoding.voxels
        return cls(
            **DrawSettings.of(study).plain(),
            least_ceiling=voxels.least_ceiling if voxels else None,
            block=voxels.block if voxels else None,
            device=study.device if voxels else "cpu",
            inner_folds=study.encoding.inner_folds,
            penalties=study.encoding.penalties,
            generalise_to=study.statistics.generalise_to,
        )


@dataclass(frozen=True, kw_only=True)
class EncodingTableSettings(EncodingSettings):
    """What the table of encoding over all rules and ROIs uses.

    Attributes:
        seeds: network -> rule -> the seeds that its means are over.
    """

    seeds: dict[str, dict[str, list[int]]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study that has encoding."""
        return cls(**EncodingSettings.of(study).plain(), seeds=study.seeds_of_arms())


@dataclass(frozen=True, kw_only=True)
class OrderSettings(Settings):
    """What the order of layers over a hierarchy of ROIs uses.

    Attributes:
        study_seed: of the study.
        interval: coverage of the intervals, 0-1.
        hierarchy: ROIs, from early to late.
        depths: network -> layer -> share of its layers with weights up to there, 0-1.
    """

    study_seed: int
    interval: float
    hierarchy: list[str]
    depths: dict[str, dict[str, float]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study that has encoding."""
        return cls(
            study_seed=study.seed,
            interval=study.statistics.interval,
            hierarchy=study.encoding.hierarchy,
            depths=study.depths(),
        )
