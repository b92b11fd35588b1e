"""What the jobs that prepare stimuli, or draw those of a simulated data set, are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.config.stimuli import ImageSet
from rulealign.settings import Sectioned, Settings

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class StimuliSettings(Sectioned):
    """What one set of images uses, whatever the size that it is shown at.

    Attributes:
        images: the section that says where its pictures are from, described as they are shown.
        level: the grey that objects are cut out and put on, 0 to 255; None where none are.
        stimulus_set: of brain data that come with images, as in `choose_trials`; else None.
        seed: of the study, where it draws the images; else None.
    """

    images: ImageSet
    level: int | None
    stimulus_set: str | None
    seed: int | None

    @classmethod
    def of(cls, study: Study, label: str) -> Self:
        """Take the settings of one stimulus set or calibration set from a study."""
        images = study.pictured(label)
        return cls(
            images=images,
            level=study.image_set(label).cut_to,
            stimulus_set=study.brain.stimulus_set if images.of_brain else None,
            seed=study.seed if images.drawn else None,
        )


@dataclass(frozen=True, kw_only=True)
class SimulatedImagesSettings(Settings):
    """What the images of a simulated data set use.

    Attributes:
        study_seed: of the study.
        concepts: object concepts; classes of objects take turns over them.
        exemplars: images per concept, each shown once.
        repeated_images: further images, shown once in every session.
        image_size: pixels per side.
    """

    study_seed: int
    concepts: int
    exemplars: int
    repeated_images: int
    image_size: int

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            study_seed=study.seed,
            concepts=study.brain.concepts,
            exemplars=study.brain.exemplars,
            repeated_images=study.brain.repeated_images,
            image_size=study.brain.image_size,
        )


@dataclass(frozen=True, kw_only=True)
class SimulatedSubjectSettings(SimulatedImagesSettings):
    """What one simulated subject uses: all but what is later read from the data.

    Attributes:
        sessions: of the subject.
        runs: per session.
        voxels_per_roi: voxels of each ROI column.
        noise: standard deviation of the trial noise, in units of the signal's.
        drift: standard deviation of run-wise offsets, likewise.
    """

    sessions: int
    runs: int
    voxels_per_roi: int
    noise: float
    drift: float

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            **SimulatedImagesSettings.of(study).plain(),
            sessions=study.brain.sessions,
            runs=study.brain.runs,
            voxels_per_roi=study.brain.voxels_per_roi,
            noise=study.brain.noise,
            drift=study.brain.drift,
        )
