"""Brain data that come as RDMs: what a study says of them, and how they are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from rulealign.data.brain import Brain
from rulealign.schema import IdPattern, whole

if TYPE_CHECKING:
    import numpy as np


class GivenRdms(Brain):
    """The section of brain data that come as RDMs.

    A kind adds `rois` (ROI -> a section with its `source`) and `read`.
    """

    single_trials = False
    pairs: ClassVar[str] = "all"
    """Of given RDMs nobody knows in which run a stimulus was shown."""

    words = "RDMs as given by their source."
    repeated: ClassVar[str] = "trials per image"
    zscore: ClassVar[str | None] = None
    """Given RDMs are not cleaned here."""

    subjects: whole(1, 99) = Field(
        description="subjects in every file; checked against the files. One has no noise ceiling:"
        " claims rest on how well its sessions agree"
    )
    sessions: whole(1, 99) = Field(
        default=1,
        description="sessions of each subject in every file; with 2 or more, its arrays are"
        " subjects x sessions x stimuli x stimuli. RDMs are averaged over sessions, and"
        " statistics/quality.csv says how well these agree",
    )
    ids: IdPattern = Field(
        description="pattern of the stimulus ids in the order of the RDMs, such as image_{:02d},"
        " counted from 1; the stimulus sets must have the same ids"
    )
    acquisition: str = Field(description="scanner, task and averaging in words, for the report")
    distance: str = Field(description="the dissimilarity that the RDMs hold, for the report")

    @property
    def has_repeats(self) -> bool:
        """Say whether RDMs come with repeats that tell how reliable they are: their sessions."""
        return self.subjects == 1 or self.sessions > 1

    def of_roi(self, roi: str) -> Self:
        """Give the section of one ROI alone."""
        return self.model_copy(update={"rois": {roi: self.rois[roi]}})

    @classmethod
    def read(cls, brain: Self, roi: str, source: Path) -> np.ndarray:
        """Read the RDMs of one ROI, and check that they are RDMs.

        Args:
            brain: the section.
            roi: the ROI's name.
            source: what the ROI's `source` names, on this machine.

        Returns:
            float64, shape (subjects, stimuli, stimuli), or (subjects, sessions, stimuli, stimuli)
            where there are several sessions; as `rdm_files.checked_rdms` gives them.

        Raises:
            DataError: the source is not what it should be; names file, subject and place.
        """
        raise NotImplementedError(f"{cls.__name__} has no reader")
