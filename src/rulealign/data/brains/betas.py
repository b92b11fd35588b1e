"""Own single-trial responses (betas) in files of any names."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rulealign.config.betas import BetaFiles, fields_of
from rulealign.data.brain import Names
from rulealign.data.responses.section import Responses
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import Label
from rulealign.wrong_values import no_such, shown

if TYPE_CHECKING:
    from rulealign.config.brain import ThingsFiles
    from rulealign.data.betas.source import BetaSource


def _all_or_list(value: str) -> str:
    if value != "all" and "/" not in value:
        raise ValueError(f"{shown(value)}: use all, or the path (with a '/') of a list of images")
    return value


class Betas(BetaFiles, Responses):
    """Single-trial responses of one's own."""

    own_images = False
    words: ClassVar[str] = "Single-trial responses, as given by their source."
    cited: ClassVar[str] = ""

    kind: Literal["betas"] = Field(description="single-trial responses in files of your own")
    acquisition: str = Field(description="scanner, task and model in words, for the report")
    stimulus_set: Annotated[str, AfterValidator(_all_or_list)] = Field(
        default="all",
        description="all: every image, its trials averaged; or a path (with a '/') to a text file,"
        " one image name a line",
    )
    lacking: dict[Label, Names] = Field(
        default={}, description="ROI -> subjects that lack it, such as {LO: [ben]}"
    )

    def checks(self) -> Checks:
        """Check also that those who lack an ROI are subjects, and that patterns name subjects."""
        yield from BetaFiles.checks(self)
        yield from Responses.checks(self)
        yield self._known()
        yield self._own_files()
        yield self._whole_if_timed()

    def _known(self) -> Iterator[Mistake]:
        for roi, names in self.lacking.items():
            if roi not in self.rois:
                yield Mistake(f"lacking.{roi}", no_such(roi, self.rois, "brain.rois lists"))
            for name in names:
                if name not in self.subject_names:
                    told = no_such(name, self.subject_names, "brain.subjects are")
                    yield Mistake(f"lacking.{roi}", told)

    def _own_files(self) -> Iterator[Mistake]:
        if len(self.subject_names) > 1 and "subject" not in fields_of(self.betas):
            yield Mistake("betas", f"{shown(self.betas)} needs {{subject}}: each has own files")

    def _whole_if_timed(self) -> Iterator[Mistake]:
        for roi, section in self.rois.items() if self.times else ():
            if section.voxels != "all" or section.hemisphere != "both":
                yield Mistake(
                    f"rois.{roi}",
                    "chooses among voxels, and with brain.times each of them is a sensor at a time;"
                    " take all, and choose sensors when you write the array",
                )

    @property
    def timed_rois(self) -> list[str]:
        """List the ROIs whose responses change over time; see `Brain.timed_rois`."""
        return list(self.rois) if self.times else []

    def subjects_of(self, roi: str) -> list[str]:
        """Name the subjects that have an ROI; see `Brain.subjects_of`."""
        return [name for name in self.subject_names if name not in self.lacking.get(roi, ())]

    @property
    def no_repeats(self) -> str:
        """Say why no image has two responses; see `Brain.no_repeats`."""
        told = set(fields_of(self.betas))
        once = "stimulus" in told and told <= {"subject", "stimulus"}
        return f"betas {shown(self.betas)} are one response of each image" if once else ""

    @property
    def beta_files(self) -> BetaFiles:
        """Give what says where files are, and nothing else of the section."""
        return BetaFiles(**{name: getattr(self, name) for name in BetaFiles.model_fields})

    def files(self, _things: ThingsFiles | None, _resources: Path, _results: Path) -> BetaSource:
        """Find the files; see `Responses.files`."""
        from rulealign.data.betas.source import BetaSource

        return BetaSource(self)
