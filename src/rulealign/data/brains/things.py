"""The fMRI responses of THINGS-data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.data.responses.section import Responses

if TYPE_CHECKING:
    from rulealign.config.brain import ThingsFiles
    from rulealign.data.responses.files import ResponseFiles


class ThingsFmri(Responses):
    """THINGS-fMRI (Hebart et al. 2023); the section `things` says where it is taken from."""

    acquisition: ClassVar[str] = (
        "single-trial responses of THINGS-fMRI, denoised by ICA (Hebart et al. 2023)"
    )
    released: ClassVar[bool] = True
    told_by_things = True
    words: ClassVar[str] = "THINGS-fMRI: single-trial responses to photographs."
    cited: ClassVar[str] = (
        "THINGS-fMRI. To cite: Hebart et al. (2023). THINGS-data, a multimodal collection of"
        " large-scale datasets for investigating object representations in human brain and"
        " behavior. eLife 12, e82580. Licence: stated at"
        " https://doi.org/10.25452/figshare.plus.c.6161151."
    )

    kind: Literal["things"] = Field(description="single-trial responses to photographs")

    @property
    def named_by_concept(self) -> bool:
        """Say whether ids of stimuli name a concept; see `Brain.named_by_concept`."""
        return self.stimulus_set != "concept-mean"

    def files(self, things: ThingsFiles, resources: Path, _results: Path) -> ResponseFiles:
        """Say where they are taken from, as the section `things` does; see `Responses.files`."""
        from rulealign.data.things.source import ThingsSource

        return ThingsSource(things, resources)
