"""What brain data are: a section that can be checked before anything is read, and what it needs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from rulealign.schema import Closed


class Brain(Closed):
    """The section of brain data.

    A kind is one file in `brains/`: a subclass of `GivenRdms` or of `Responses` with a literal
    `kind` of its own, and one line in the registry. It has `subjects` (how many), `rois` (ROI ->
    what is computed of it), `pairs` (of stimuli, that are compared: `all` or `cross_run`),
    `acquisition` (scanner, task and averaging in words) and `repeated` (what is averaged for one
    stimulus, for the report).
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

    kind: str = Field(description="the kind's name in the registry")

    @property
    def has_repeats(self) -> bool:
        """Say whether RDMs come with repeats that tell how reliable they are."""
        return self.subjects == 1

    @property
    def no_cross_run(self) -> str:
        """Say why pairs of stimuli in different runs cannot be compared; "" where they can be."""
        return "has no runs"

    @property
    def stimulus_list(self) -> list[str]:
        """Name the user's own list of stimuli: one path, or none."""
        return []
