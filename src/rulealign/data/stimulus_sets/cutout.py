"""The objects of another stimulus set on another background."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from rulealign.data.stimulus_set import StimulusSet
from rulealign.schema import Label, whole


class CutoutStimuli(StimulusSet):
    """The objects of another stimulus set, cut out of its uniform background and put on a grey."""

    used_as = ("stimuli",)
    origin = "objects of {cutout_of}, on grey {level}"

    kind: Literal["cutout"] = Field(description="made from another stimulus set")
    cutout_of: Label = Field(description="label of that set; its background must be uniform")
    level: whole(0, 255) = Field(
        description="grey of the new background, 0 (black) to 255 (white), as it is stored"
    )

    @property
    def cut_from(self) -> str:
        """Name the set that objects are cut out of."""
        return self.cutout_of

    @property
    def cut_to(self) -> int:
        """Give the grey that objects are put on, 0 to 255."""
        return self.level
