"""The subjects' RDMs of one ROI at each time, read back with every check that they fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rulealign.data.time_axis import require_same_times
from rulealign.errors import DataError, StoreError
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.store import open_h5


@dataclass(frozen=True)
class TimedRdms:
    """The subjects' RDMs of one ROI, over time.

    Attributes:
        brain: ROI, subjects and ids; its RDMs are means over time.
        times: float64, shape (n_times,), in ms; increasing.
        rdms: float64, shape (n_subjects, n_times, n_pairs).
    """

    brain: BrainRdms
    times: np.ndarray
    rdms: np.ndarray

    @property
    def names(self) -> list[str]:
        """What to call each RDM, subject by subject, each in the order of the times."""
        whose = self.brain.names[:-1]
        return [f"{one} at {time:g} ms" for one in whose for time in self.times]


def read_timed_rdms(files: Sequence[Path], roi: str) -> TimedRdms:
    """Read the subjects' RDMs of one ROI at each time.

    Args:
        files: one `sub-<s>_roi-<r>_rdm.h5` per subject, of RDMs that change over time.
        roi: the ROI that they must be of.

    Returns:
        The RDMs, in the order of the files.

    Raises:
        DataError: as in `read_brain_rdms`, or subjects have other times; names both files.
        GuardError: as in `read_brain_rdms`.
        StoreError: a file has no times; it was not made by this pipeline.
    """
    brain = read_brain_rdms(files, roi)
    read = [_over_time(Path(path)) for path in files]
    for path, (times, rdms) in zip(files, read, strict=True):
        require_same_times(times, read[0][0], str(path), str(files[0]))
        if rdms.shape != (len(times), brain.rdms.shape[1]):
            raise DataError(f"{path}: over_time has the shape {rdms.shape}; delete it and rerun.")
    return TimedRdms(brain, read[0][0], np.stack([rdms for _, rdms in read]))


def _over_time(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with open_h5(path) as file:
        if "over_time" not in file:
            raise StoreError(f"{path}: has no RDMs over time; delete it and rerun the command.")
        return file["times"][()], file["over_time"][()]
