"""The images that subjects saw and that are not compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from rulealign.data.stimulus_sets.brain import BrainStimuli


class OtherBrainImages(BrainStimuli):
    """The images that come with the brain data and are not compared: not in its stimulus set."""

    used_as = ("calibration",)

    kind: Literal["brain-others"] = Field(description="the brain dataset's other images")

    @classmethod
    def groups(cls, trials: Path | None, stimulus_set: str | None) -> Mapping[str, Sequence[str]]:
        """List the images that no stimulus shows; see `StimulusSet.groups`."""
        from rulealign.data.images.stimulus_sets import other_stimulus_ids

        return {name: [name] for name in other_stimulus_ids(trials, stimulus_set)}
