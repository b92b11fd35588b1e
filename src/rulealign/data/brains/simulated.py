"""A generated data set with a known truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.data.responses.section import Responses
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import GENERATED, NonNegativeFloat, Pixels, whole
from rulealign.wrong_values import no_such

if TYPE_CHECKING:
    from rulealign.config.brain import Roi, ThingsFiles
    from rulealign.data.responses.files import ResponseFiles

SIMULATED_COLUMNS = ("V1", "V2", "lLOC", "rLOC", "IT")
"""The ROI columns of a simulated voxel table."""


class Simulated(Responses):
    """A generated data set in the table form of THINGS-fMRI, from a known truth."""

    generated = True
    acquisition: ClassVar[str] = "generated responses, no scanner"
    words: ClassVar[str] = (
        "Simulated from a known truth. Nobody was measured: nothing here is a finding about brains."
    )
    cited: ClassVar[str] = GENERATED

    kind: Literal["simulated"] = Field(description="generated, no download")
    subjects: whole(1, 99) = Field(
        description="subjects: 01, 02 and so on. One has no noise ceiling: claims rest on how well"
        " halves of its trials agree"
    )
    concepts: whole(10, 100_000) = Field(
        default=30, description="object concepts; classes of objects take turns over them"
    )
    exemplars: whole(1, 1000) = Field(
        default=2, description="images per concept, each shown once (`train`)"
    )
    repeated_images: whole(4, 100_000) = Field(
        default=60, description="further images, shown once in every session (`test`)"
    )
    sessions: whole(2, 1000) = Field(default=6, description="sessions per subject")
    runs: whole(1, 1000) = Field(default=4, description="runs per session")
    image_size: Pixels = Field(default=96, description="pixels per side of the generated images")
    voxels_per_roi: whole(8, 100_000) = Field(default=120, description="voxels of each ROI column")
    noise: NonNegativeFloat = Field(
        default=2.0, description="standard deviation of the trial noise, in units of the signal's"
    )
    drift: NonNegativeFloat = Field(
        default=0.5, description="standard deviation of run-wise offsets, in units of the signal's"
    )

    def checks(self) -> Checks:
        """Check also that the simulated data have the columns of the ROIs."""
        yield from super().checks()
        for label, roi in self.rois.items():
            yield self._known_columns(label, roi)

    def _known_columns(self, label: str, roi: Roi) -> Iterator[Mistake]:
        for column in roi.columns:
            if column not in SIMULATED_COLUMNS:
                where = "the simulated data have the columns"
                yield Mistake(f"rois.{label}", no_such(column, SIMULATED_COLUMNS, where))

    @property
    def named_by_concept(self) -> bool:
        """Say whether ids of stimuli name a concept; see `Brain.named_by_concept`."""
        return self.stimulus_set != "concept-mean"

    @property
    def planned_stimuli(self) -> int:
        """Give how many stimuli there are; see `Brain.planned_stimuli`."""
        shown = {"first-exemplar": self.concepts, "concept-mean": self.concepts}
        return shown.get(self.stimulus_set, self.repeated_images)

    @property
    def most_apart(self) -> int:
        """Give how many stimuli have a concept of their own; see `Brain.most_apart`."""
        repeated = self.stimulus_set == "test-repeats"
        return min(self.concepts, self.repeated_images) if repeated else self.concepts

    def files(self, _things: ThingsFiles | None, _resources: Path, results: Path) -> ResponseFiles:
        """Say where the pipeline writes them; see `Responses.files`."""
        from rulealign.data.simulated.files import SimulatedFiles

        return SimulatedFiles(results)
