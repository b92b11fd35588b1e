"""What the jobs that make brain RDMs, and check them, are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rulealign.config.betas import BetaFiles
from rulealign.config.brain import Brain, Distance, Roi
from rulealign.plan.settings.scores import NullSettings
from rulealign.settings import Sectioned, Settings

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class FormSettings(Sectioned):
    """In which form responses are read; nothing that a result depends on, but of own betas.

    Attributes:
        form: the name of a form: `tables`, `volumes` or `remote-rows`.
        address: of remote-rows: the server's place, such as s3://openneuro.org/ds004192; else "".
        as_stored: whether responses are believed to be in order where nothing that can be read
            tells which trials they are of.
        own: of betas: where files are, and what they hold; else None.
    """

    form: str
    address: str
    as_stored: bool
    own: BetaFiles | None = None


@dataclass(frozen=True, kw_only=True)
class GivenRdmsSettings(Sectioned):
    """What the given RDMs of one ROI are read with.

    Attributes:
        brain: the section of the brain data, with that ROI alone.
    """

    brain: Brain

    @classmethod
    def of(cls, study: Study, roi: str) -> Self:
        """Take the settings of one ROI from a study."""
        return cls(brain=study.brain.of_roi(roi))


@dataclass(frozen=True, kw_only=True)
class ResponsesSettings(Sectioned):
    """What the responses of one ROI are read with.

    Attributes:
        voxels: the section that says which voxels are in the ROI.
        released: whether these are the published data, whose ROIs have known numbers of voxels.
        faulty_voxels: what is done with them: `stop` or `drop`.
        duplicated_trials: what is done with them: `stop`, `drop` or `keep`.
    """

    voxels: Roi
    released: bool
    faulty_voxels: str
    duplicated_trials: str

    @classmethod
    def of(cls, study: Study, roi: str) -> Self:
        """Take the settings of one ROI from a study."""
        return cls(
            voxels=study.brain.rois[roi],
            released=study.brain.released,
            faulty_voxels=study.brain.faulty_voxels,
            duplicated_trials=study.brain.duplicated_trials,
        )


@dataclass(frozen=True, kw_only=True)
class DistanceSettings(Sectioned):
    """What a distance between the patterns of two stimuli rests on.

    Attributes:
        stimulus_set: as in `stimulus_sets.choose_trials`.
        zscore: as in `patterns.zscore`.
        distance: the section.
    """

    stimulus_set: str
    zscore: str
    distance: Distance


@dataclass(frozen=True, kw_only=True)
class BrainRdmSettings(DistanceSettings):
    """What RDMs are made from responses with.

    Attributes:
        acquisition: where the responses come from, in words.
        halves: whether RDMs of two halves of the trials are made, too.
    """

    acquisition: str
    halves: bool

    @classmethod
    def of(cls, study: Study, roi: str) -> Self:
        """Take the settings of one ROI from a study."""
        return cls(
            stimulus_set=study.brain.stimulus_set,
            zscore=study.brain.zscore,
            distance=study.brain.distance,
            acquisition=study.brain.acquisition,
            # of one subject alone they are needed: several have a noise ceiling
            halves=len(study.brain.subjects_of(roi)) == 1,
        )


@dataclass(frozen=True, kw_only=True)
class QualitySettings(Settings):
    """How far the checks of single trials look.

    Attributes:
        lags: the longest lag between neighbours, in trials.
        shifts: the longest shift of the labels, in trials.
    """

    lags: int
    shifts: int

    @classmethod
    def of(cls, _study: Study) -> Self:
        """Give the settings of any study: it has no say in them."""
        return cls(lags=10, shifts=5)


@dataclass(frozen=True, kw_only=True)
class QualityTableSettings(Sectioned):
    """What the table of quality checks over subjects and ROIs uses.

    Attributes:
        quality: how far the checks of single trials look.
        study_seed: of the study.
        zscore: as in `patterns.zscore`; None where RDMs are given.
        null: of the reliability of RDMs; None where no RDM has repeats.
    """

    quality: QualitySettings
    study_seed: int
    zscore: str | None
    null: NullSettings | None

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            quality=QualitySettings.of(study),
            study_seed=study.seed,
            zscore=study.brain.zscore,
            null=NullSettings.of(study) if study.brain.has_repeats else None,
        )


@dataclass(frozen=True, kw_only=True)
class InputsSettings(Settings):
    """What the check that images and brain data belong together uses.

    Attributes:
        copies: what appears twice on purpose -> why; `sub-<s>_roi-<r>`, `stim-<label>` or an id.
        study_seed: of the study.
        bootstrap_draws: resamples of the stimuli.
        pairs: every kind of pairs that is compared: `all`, `cross_run`.
        labels: stimulus id -> class of the training set; {} where no loss needs any.
        labelled: the user's file of given RDMs whose rows may have labels -> its key; {} where
            there is one ROI, or files have ids of their own.
    """

    copies: dict[str, str]
    study_seed: int
    bootstrap_draws: int
    pairs: list[str]
    labels: dict[str, str]
    labelled: dict[str, str | None] = field(default_factory=dict)

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            copies=study.copied_stimuli_and_rdms,
            study_seed=study.seed,
            bootstrap_draws=study.statistics.bootstrap_draws,
            pairs=study.compared_pairs,
            labels=study.encoding.given_labels if study.encoding else {},
            labelled=study.brain.labelled,
        )
