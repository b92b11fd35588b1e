"""What brain data are: a section that can be checked before anything is read, and what it needs."""

from __future__ import annotations

import re
from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field

from rulealign.choices import chosen_by
from rulealign.schema import Closed, Distinct, whole
from rulealign.wrong_values import shown


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{1,30}", value) or re.fullmatch(r"\d", value):
        raise ValueError(
            f"{shown(value)} becomes part of file names such as sub-01: use 1 to 30 letters and"
            " digits, and no single digit"
        )
    return value


Names = Annotated[
    list[Annotated[str, AfterValidator(_name)]], Field(min_length=1, max_length=99), Distinct
]
CountOrNames = chosen_by(
    lambda value: "names" if isinstance(value, list) else "count", count=whole(1, 99), names=Names
)
"""How many subjects or sessions there are, or what they are called."""


def names_of(counted: int | list[str]) -> list[str]:
    """Name subjects or sessions: as the study does, or 01, 02 and so on."""
    if isinstance(counted, int):
        return [f"{number:02d}" for number in range(1, counted + 1)]
    return list(counted)


class Brain(Closed):
    """The section of brain data.

    A kind is one file in `brains/`: a subclass of `GivenRdms` or of `Responses` with a literal
    `kind` of its own, and one line in the registry. It has `subjects`, `rois` (ROI ->
    what is computed of it), `distance` (of the RDMs), `pairs` (of stimuli, that are compared: `all`
    or `cross_run`), `acquisition` (scanner, task and averaging in words) and `repeated` (what is
    averaged for one stimulus, for the report).
    """

    words: ClassVar[str]
    """What the data are, for the report."""

    cited: ClassVar[str] = ""
    """Whose the data are, for the report; empty where sources are named."""

    single_trials: ClassVar[bool]
    """Whether responses of single trials are read, of which the pipeline makes RDMs."""

    own_images: ClassVar[bool] = False
    """Whether the images that subjects saw come with the data."""

    generated: ClassVar[bool] = False
    """Whether the pipeline generates images and responses itself."""

    told_by_things: ClassVar[bool] = False
    """Whether the study's section `things` says where the files are."""

    planned_stimuli: ClassVar[int] = 100
    """For how many stimuli jobs ask memory where the study does not tell how many there are."""

    list_key: ClassVar[str] = "stimulus_set"
    """The key that may hold the path of a list of stimuli."""

    kind: str = Field(description="the kind's name in the registry")

    @property
    def subject_names(self) -> list[str]:
        """Name the subjects, as in names of files."""
        return names_of(self.subjects)

    def subjects_of(self, _roi: str) -> list[str]:
        """Name the subjects that have an ROI, in the order of all: by default every one."""
        return self.subject_names

    def sources(self, _roi: str) -> list[str]:
        """List what the RDMs of an ROI are read from; [] where they are made of responses."""
        return []

    @property
    def timed_rois(self) -> list[str]:
        """List the ROIs whose RDMs change over time: by default none."""
        return []

    @property
    def labelled(self) -> dict[str, str | None]:
        """Name files whose rows may have labels of their own, with their keys: by default none."""
        return {}

    @property
    def has_repeats(self) -> bool:
        """Say whether RDMs come with repeats that tell how reliable they are."""
        return any(len(self.subjects_of(roi)) == 1 for roi in self.rois)

    @property
    def pattern_distance(self) -> str:
        """Name the distance of RDMs that tell the Gram matrix of the patterns; "" of others."""
        return ""

    @property
    def named_by_concept(self) -> bool:
        """Say whether ids of stimuli name a concept, as dog_12s.jpg does."""
        return False

    @property
    def no_repeats(self) -> str:
        """Say why no image was shown twice; "" where some may have been."""
        return ""

    @property
    def most_apart(self) -> int | None:
        """Give how many stimuli may be held out apart, at the most; None where files tell."""
        return None

    @property
    def no_cross_run(self) -> str:
        """Say why pairs of stimuli in different runs cannot be compared; "" where they can be."""
        return "has no runs"

    @property
    def stimulus_list(self) -> list[str]:
        """Name the user's own list of stimuli: one path, or none."""
        return []
