"""Given RDMs of all subjects of an ROI in one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from rulealign.data.given_rdms import GivenRdms
from rulealign.schema import Closed, Label, Source, each

if TYPE_CHECKING:
    import numpy as np


class RdmFile(Closed):
    """Given RDMs of one ROI: subjects x stimuli x stimuli."""

    source: Source = Field(
        description="a dataset of the registry, or a path (with a '/') to a file"
    )
    key: str | None = Field(
        default=None, description="name of the array in a .npz or .mat; null for a .npy"
    )

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

    @classmethod
    def read(cls, brain: Self, roi: str, source: Path) -> np.ndarray:
        """Read the array of one ROI from a .npz, .npy or .mat; see `GivenRdms.read`."""
        from rulealign.data.rdm_files import read_rdms

        key = brain.rois[roi].key
        return read_rdms(source, key, brain.subjects, sessions=brain.sessions, ids=brain.ids)
