"""Given RDMs in files of any common format."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field

from rulealign.config.times import Timed, Times
from rulealign.data.brain import CountOrNames, Names, names_of
from rulealign.data.given_rdms import GivenRdms, ReadRdms
from rulealign.data.rdm_axes import TIMES, unfit_axes
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import Label, Source, each
from rulealign.wrong_values import no_such


def _axes(names: list[str]) -> list[str]:
    if reason := unfit_axes(names):
        raise ValueError(reason)
    return names


class RdmFile(Timed):
    """Given RDMs of one ROI."""

    later: ClassVar[frozenset[str]] = Timed.later | {"sessions", "acquisition"}

    source: Source = Field(
        description="a dataset of the registry, or a path (with a '/') to a file (.npy, .npz, .mat,"
        " .csv, .tsv, rsatoolbox's .hdf5), with {subject} or {session} in it where each has a file"
    )
    key: str | None = Field(
        default=None,
        description="name of the array in a .npz, .mat or .hdf5; null for .npy, tables and"
        " rsatoolbox's .hdf5, whose arrays need none",
    )
    axes: (
        Annotated[
            list[Literal["subjects", "sessions", "times", "stimuli", "pairs"]],
            AfterValidator(_axes),
        ]
        | None
    ) = Field(
        default=None,
        description="what each axis of the array is, such as [stimuli, stimuli, subjects] or"
        " [subjects, pairs] (upper triangles row by row); null where it fits in one way only. RDMs"
        " that change over time have the axis times",
    )
    times: Times | None = Field(
        default=None,
        description="of RDMs with the axis times: a list in ms, {start, step} in ms, or {key, unit}"
        " of an array in the file; null where RDMs have no time",
    )
    subjects: Names | None = Field(
        default=None,
        description="the subjects that have the ROI, in the order of its file; null for all of"
        " brain.subjects, in that order",
    )
    sessions: CountOrNames | None = Field(
        default=None, description="the sessions of these subjects; null for brain.sessions"
    )
    acquisition: str | None = Field(
        default=None, description="how this ROI was measured; null for brain.acquisition"
    )

    def checks(self) -> Checks:
        """Check that times are given where the array has an axis of them, and only there."""
        yield self._timed()

    def _timed(self) -> Iterator[Mistake]:
        named = TIMES in (self.axes or ())
        if named and self.times is None:
            why = "missing; `axes` names an axis of times, so give a list in ms, or {start, step}"
            yield Mistake(TIMES, why)
        if self.times is not None and not named:
            why = "has no axis of times, which is never guessed; name each axis of the array"
            yield Mistake("axes", f"{why}, such as [subjects, times, stimuli, stimuli]")

    @classmethod
    def unfit(cls, path: Path) -> str:
        """Say what is needed where a path is no file; "" where it is one."""
        return "" if path.is_file() else "a file of RDMs"


class RdmArchive(GivenRdms):
    """Brain data that come as RDMs."""

    kind: Literal["rdm-archive"] = Field(description="given RDMs per subject and ROI")
    rois: Annotated[each(dict[Label, RdmFile]), Field(min_length=1)] = Field(
        description="ROI -> file of its RDMs"
    )

    def checks(self) -> Checks:
        """Check that the subjects of every ROI are subjects of the study."""
        yield self._known_subjects()

    def _known_subjects(self) -> Iterator[Mistake]:
        for roi, section in self.rois.items():
            for name in section.subjects or ():
                if name not in self.subject_names:
                    told = no_such(name, self.subject_names, "brain.subjects are")
                    yield Mistake(f"rois.{roi}.subjects", told)

    @property
    def timed_rois(self) -> list[str]:
        """List the ROIs whose RDMs change over time; see `Brain.timed_rois`."""
        return [roi for roi, section in self.rois.items() if section.times is not None]

    @property
    def labelled(self) -> dict[str, str | None]:
        """Name the user's files of several ROIs that may label their rows, which are then in one
        order: not where each file has ids of its own.
        """
        if len(self.rois) == 1 or self.ids_told_by == "descriptor":
            return {}
        named = {file: one.key for roi, one in self.rois.items() for file in self.sources(roi)}
        return {
            file: key for file, key in named.items() if "/" in file and not file.endswith(".npy")
        }

    def subjects_of(self, roi: str) -> list[str]:
        """Name the subjects that have an ROI, in the order of its file."""
        return self.rois[roi].subjects or self.subject_names

    def sessions_of(self, roi: str) -> list[str]:
        """Name the sessions of each subject that has an ROI."""
        own = self.rois[roi].sessions
        return names_of(self.sessions if own is None else own)

    def of_roi(self, roi: str) -> Self:
        """Give the section of one ROI alone, measured as the ROI says."""
        told = self.rois[roi].acquisition or self.acquisition
        return super().of_roi(roi).model_copy(update={"acquisition": told})

    def sources(self, roi: str) -> list[str]:
        """List the files of an ROI: one, or one of each subject, of each of its sessions."""
        named, file = product(self.subjects_of(roi), self.sessions_of(roi)), self.rois[roi].source
        files = [file.replace("{subject}", one).replace("{session}", of) for one, of in named]
        return list(dict.fromkeys(files))

    @classmethod
    def read(
        cls, brain: Self, roi: str, sources: Sequence[Path], images: Sequence[str]
    ) -> ReadRdms:
        """Read the files of one ROI; see `GivenRdms.read`."""
        from rulealign.data.rdm_files import read_rdms

        return read_rdms(brain, roi, sources, images)
