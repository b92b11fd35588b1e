"""Where own betas, their trials and the voxels of ROIs lie: patterns of files and their columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rulealign.config.times import Timed, Times
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import Closed, Distinct, FilePlace, whole
from rulealign.wrong_values import no_such, shown

FIELDS = ("subject", "session", "run", "trial", "stimulus", "roi", "hemi")
"""What patterns of files may name in braces."""

PARTS = ("roi", "hemi")
"""Fields of files that hold some of the voxels each, of an ROI or a hemisphere."""

TIMED = (".npy", ".h5", ".hdf5")
"""Endings of files whose arrays may have an axis of times."""

_BRACED = re.compile(r"\{([^}]*)\}")


def fields_of(pattern: str) -> list[str]:
    """List what a pattern names in braces, in order.

    Args:
        pattern: such as ./sub-{subject}_run-{run}_betas.nii.gz.
    """
    return _BRACED.findall(pattern)


def _pattern(value: str) -> str:
    for field in fields_of(value):
        if field not in FIELDS:
            raise ValueError(no_such(field, FIELDS, "a pattern may name"))
    return value


Pattern = Annotated[FilePlace, AfterValidator(_pattern)]
Values = dict[str, Annotated[list[str | int], Field(min_length=1)]]


class Events(Closed):
    """Tables that say what each beta is of: a row per trial, in the order of the betas."""

    source: Pattern = Field(
        description="pattern of the tables (.tsv, .csv), with {subject}, {session} and {run} where"
        " there are several"
    )
    image: str | None = Field(
        description="column that names the image; folder and ending of the name do not count. null"
        " for a text file without columns, one name a line"
    )
    session: str | None = Field(
        default=None, description="column of the session, where a table has several; else null"
    )
    run: str | None = Field(
        default=None, description="column of the run, where a table has several; else null"
    )
    leave_out: Values = Field(
        default={},
        description="column -> values of rows that have a beta and are no trial, such as"
        " {trial_type: [target]}",
    )
    without_beta: Values = Field(
        default={},
        description="column -> values of rows that have no beta, such as {trial_type: [fixation]}",
    )


class Atlas(Closed):
    """An image of whole numbers, each of which stands for an ROI."""

    source: Pattern = Field(description="the image, with {subject} where each subject has one")
    labels: Annotated[dict[str, Annotated[list[whole(1)], Distinct]], Field(min_length=1)] = Field(
        description="name of an ROI -> its numbers, such as {V1: [1, 2]}"
    )


class BetaFiles(Timed):
    """The files of own betas."""

    betas: Pattern = Field(
        description="pattern of the files: NIfTI of many volumes, or of one where the pattern has"
        " {trial} or {stimulus}; arrays of trials x voxels (.npy, .hdf5, GIFTI, CIFTI), with {roi}"
        " or {hemi} where each ROI or hemisphere has files of its own"
    )
    key: str | None = Field(
        default=None, description="name of the array in a .hdf5; null for files with one array"
    )
    trials_are: Literal["first", "last"] = Field(
        default="first", description="which axis of an array (.npy, .hdf5) are the trials"
    )
    events: Events | None = Field(
        default=None, description="tables of the trials; null where file names tell {stimulus}"
    )
    masks: Pattern | None = Field(
        default=None,
        description="pattern of masks of 0 and 1, with {roi} in it; null for none, or where"
        " betas has {roi}",
    )
    atlas: Atlas | None = Field(default=None, description="ROIs as labels of an image, or null")
    brain_mask: Pattern | None = Field(
        default=None, description="mask of the voxels that may be in an ROI; null for all"
    )
    resample: Literal["never", "nearest"] = Field(
        default="never",
        description="masks on another grid than the betas are refused, or brought to it by their"
        " nearest voxels",
    )
    missing_runs: Literal["stop", "accept"] = Field(
        default="stop",
        description="stop where a subject lacks a session or run that others have, or take what"
        " each has",
    )

    times: Times | None = Field(
        default=None,
        description="of arrays of sensors x times, as MEG and EEG give, the last axis but the"
        " trials': a list in ms, {start, step} in ms, or {key, unit} of an array in the .hdf5. Each"
        " ROI has files of its own ({roi} in betas). null where responses have no time",
    )

    @property
    def own_arrays(self) -> bool:
        """Say whether each ROI has files of its own."""
        return "roi" in fields_of(self.betas)

    def checks(self) -> Checks:
        """Check that the patterns name what they need, and no more."""
        yield self._fields()
        yield self._told()
        yield self._timed()

    def _fields(self) -> Iterator[Mistake]:
        allowed = {
            "betas": FIELDS,
            "events.source": FIELDS[:3],
            "masks": ("subject", *PARTS),
            "atlas.source": ("subject", "hemi"),
            "brain_mask": ("subject", "hemi"),
        }
        patterns = {"betas": self.betas, "masks": self.masks, "brain_mask": self.brain_mask}
        patterns["events.source"] = self.events and self.events.source
        patterns["atlas.source"] = self.atlas and self.atlas.source
        for key, pattern in patterns.items():
            for field in fields_of(pattern or ""):
                if field not in allowed[key]:
                    yield Mistake(key, no_such(field, allowed[key], "this pattern may name"))
        if self.masks and "roi" not in fields_of(self.masks):
            yield Mistake("masks", f"{shown(self.masks)} needs {{roi}}, where an ROI is named")

    def _told(self) -> Iterator[Mistake]:
        named = "stimulus" in fields_of(self.betas)
        if named == (self.events is not None):
            why = "name the files that say which image each beta is of, or put {stimulus} in betas"
            yield Mistake("events", "betas has {stimulus} already; leave it out" if named else why)
        told = [self.masks, self.atlas, self.own_arrays or None]
        if told.count(None) == len(told):
            yield Mistake("masks", "name masks of ROIs or an atlas, or put {roi} in betas")
        if told[2] and told.count(None) < 2:
            yield Mistake("betas", "has {roi}, so that masks and atlas are null")

    def _timed(self) -> Iterator[Mistake]:
        if self.times is None:
            return
        if not self.betas.lower().endswith(TIMED) or not self.own_arrays:
            yield Mistake(
                "times",
                f"betas {shown(self.betas)} are no arrays ({', '.join(TIMED)}) with {{roi}} in"
                " their names, such as ./sub-{subject}_{roi}.npy; others have no axis of times",
            )
