"""Brain data that come as RDMs: what a study says of them, and how they are read."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import Field

from rulealign.choices import chosen_by
from rulealign.data.brain import Brain, CountOrNames, names_of
from rulealign.schema import Closed, FilePlace, IdPattern

if TYPE_CHECKING:
    import numpy as np

IMAGES = "images"
"""The word for ids that are the names of the images."""


class Descriptor(Closed):
    """Texts in the files of RDMs that name the stimuli."""

    descriptor: str = Field(
        min_length=1,
        description="their name in the file, such as stim (of rsatoolbox), labels (of a .csv), or a"
        " variable of a .npz or .mat",
    )


def _told_by(ids: Any) -> str:
    if isinstance(ids, Descriptor | Mapping):
        return "descriptor"
    told = str(ids)
    return "images" if told == IMAGES else "list" if "/" in told and "{" not in told else "pattern"


Ids = chosen_by(
    _told_by, pattern=IdPattern, list=FilePlace, images=Literal["images"], descriptor=Descriptor
)


_PATTERN_DISTANCES = {"1 - Pearson": "correlation", "squared Euclidean": "squared-euclidean"}
"""What a study may call a distance -> its name in `encoding.gram`."""


class GivenRdms(Brain):
    """The section of brain data that come as RDMs.

    A kind adds `rois` (ROI -> a section with its `source`), `sources` and `read`.
    """

    single_trials = False
    list_key = "ids"
    words = "RDMs as given by their source."
    repeated: ClassVar[str] = "trials per image"
    zscore: ClassVar[str | None] = None
    """Given RDMs are not cleaned here."""

    subjects: CountOrNames = Field(
        description="how many subjects every ROI has (01, 02 and so on), or a list of their names,"
        " in the order of the files; checked against the files. One has no noise ceiling: claims"
        " rest on how well its sessions agree"
    )
    sessions: CountOrNames = Field(
        default=1,
        description="how many sessions each subject has, or a list of their names. RDMs are"
        " averaged over sessions, and statistics/quality.csv says how well these agree",
    )
    pairs: Literal["all", "present"] = Field(
        default="all",
        description="pairs of stimuli that are compared: all, so that an RDM which lacks some (NaN)"
        " is refused; or present, those that no RDM of any ROI, subject and session lacks",
    )
    ids: Ids = Field(
        description="what names the stimuli in the order of the RDMs: a pattern, such as"
        " image_{:02d}, counted from 1; the path (with a '/') of a text file, one id a line;"
        " images: the names of the images without ending, in natural order (2 before 10); or"
        " {descriptor: stim}, texts in the files. Stimulus sets have the same ids; RDMs whose ids"
        " come from a list or a descriptor are brought into the order of the images"
    )
    acquisition: str = Field(description="scanner, task and averaging in words, for the report")
    distance: str = Field(
        description="the dissimilarity that the RDMs hold, for the report; encoding needs"
        " '1 - Pearson' or 'squared Euclidean'"
    )

    @property
    def has_repeats(self) -> bool:
        """Say whether RDMs come with repeats that tell how reliable they are: their sessions."""
        several = any(len(self.sessions_of(roi)) > 1 for roi in self.rois)
        return several or len(self.subject_names) == 1

    def sessions_of(self, _roi: str) -> list[str]:
        """Name the sessions of each subject that has an ROI: by default those of every ROI."""
        return names_of(self.sessions)

    @property
    def pattern_distance(self) -> str:
        """Name the distance, if RDMs tell a Gram matrix; see `Brain.pattern_distance`."""
        return _PATTERN_DISTANCES.get(self.distance, "")

    @property
    def ids_told_by(self) -> str:
        """Say what names the stimuli: a `pattern`, a `list`, the `images` or a `descriptor`."""
        return _told_by(self.ids)

    @property
    def stimulus_list(self) -> list[str]:
        """Name the user's own list of stimuli: one path, or none."""
        named = self.ids_told_by == "list"
        return [os.path.normpath(Path(self.ids).expanduser())] if named else []

    def of_roi(self, roi: str) -> Self:
        """Give the section of one ROI alone."""
        return self.model_copy(update={"rois": {roi: self.rois[roi]}})

    @classmethod
    def read(
        cls, brain: Self, roi: str, sources: Sequence[Path], images: Sequence[str]
    ) -> ReadRdms:
        """Read the RDMs of one ROI, and check that they are RDMs.

        Args:
            brain: the section.
            roi: the ROI's name.
            sources: what `brain.sources(roi)` names, on this machine.
            images: ids of the images, in order; [] where a pattern names the stimuli.

        Returns:
            The RDMs and the ids of their stimuli.

        Raises:
            DataError: a source is not what it should be; names file, subject and place.
        """
        raise NotImplementedError(f"{cls.__name__} has no reader")


@dataclass(frozen=True)
class ReadRdms:
    """The RDMs of one ROI.

    Attributes:
        rdms: float64, shape (subjects, sessions, stimuli, stimuli); symmetric, the diagonal zero.
        ids: the stimuli's, in the order of the RDMs.
        over_time: float64, shape (subjects, times, stimuli, stimuli), means over sessions; None
            where RDMs have no time. `rdms` are their means over time.
        times: float64, shape (times,), in ms.
    """

    rdms: np.ndarray
    ids: list[str]
    over_time: np.ndarray | None = None
    times: np.ndarray | None = None
