"""The subjects' RDMs of one ROI, read back with every check that they belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rulealign.errors import GuardError, StoreError
from rulealign.rsa.ranking import require_rankable
from rulealign.rsa.rdm_file import read_attributes, require_files, require_size
from rulealign.store import open_h5, read_ids, refuse_duplicates, require_same_ids

_BRAIN_KEYS = ("roi", "distance", "acquisition", "repetitions")


@dataclass(frozen=True)
class BrainRdms:
    """The subjects' RDMs of one ROI.

    Attributes:
        roi: name of the ROI.
        subjects: the subjects, in the order of the rows.
        ids: stimulus ids, in the order of the pairs.
        rdms: float64, shape (n_subjects, n_pairs).
        distance: the dissimilarity, in words.
        acquisition: scanner, task and averaging, in words.
        repetitions: trials per stimulus; 0 where RDMs were given.
    """

    roi: str
    subjects: list[str]
    ids: list[str]
    rdms: np.ndarray
    distance: str
    acquisition: str
    repetitions: int

    @property
    def names(self) -> list[str]:
        """What to call each RDM, and last the mean of all, as `compare.with_mean` adds it."""
        return [f"{self.roi} of {subject}" for subject in self.subjects] + [
            f"the mean over subjects of {self.roi}"
        ]


def files_by_roi(files: Sequence[Path]) -> dict[str, list[Path]]:
    """Sort subjects' RDM files by the ROI that they say they are of.

    Args:
        files: `sub-<s>_roi-<r>_rdm.h5` of any ROIs.

    Returns:
        ROI -> its files, ROIs in sorted order.

    Raises:
        DataError: there is no file, or one is listed twice.
        StoreError: a file is no RDM file of this pipeline.
    """
    require_files(files, "brain")
    found: dict[str, list[Path]] = {}
    for path in files:
        with open_h5(path) as file:
            roi = str(read_attributes(file, ["roi"])["roi"])
        found.setdefault(roi, []).append(Path(path))
    return dict(sorted(found.items()))


def read_brain_rdms(files: Sequence[Path], roi: str | None = None) -> BrainRdms:
    """Read the subjects' RDMs of one ROI.

    Args:
        files: one `sub-<s>_roi-<r>_rdm.h5` per subject.
        roi: the ROI that they must be of. By default the one that the first is of.

    Returns:
        The RDMs, in the order of the files.

    Raises:
        DataError: there is no file, a subject comes twice, stimulus ids differ (names the first
            difference), or an RDM is constant, not finite or of another size than its ids.
        GuardError: the files are of another ROI, or differ in ROI, distance, acquisition or
            repetitions.
        StoreError: a file is no RDM file of this pipeline.
    """
    require_files(files, "brain")
    read = [_read_brain(Path(path)) for path in files]
    names = [str(path) for path in files]
    for name, (attributes, ids, _) in zip(names, read, strict=True):
        require_same_ids(read[0][1], ids, names[0], name)
        _require_same_attributes(read[0][0], attributes, names[0], name)
    first = read[0][0]
    if roi is not None and first["roi"] != roi:
        raise GuardError(f"{names[0]}: is of the ROI '{first['roi']}', not '{roi}'.")
    subjects = [str(attributes["subject"]) for attributes, _, _ in read]
    refuse_duplicates(subjects, f"brain RDMs of {first['roi']}: subjects")
    rdms = np.stack([rdm for _, _, rdm in read])
    require_rankable(rdms, names)
    return BrainRdms(
        roi=str(first["roi"]),
        subjects=subjects,
        ids=read[0][1],
        rdms=rdms,
        distance=str(first["distance"]),
        acquisition=str(first["acquisition"]),
        repetitions=int(first["repetitions"]),
    )


def _read_brain(path: Path) -> tuple[dict[str, Any], list[str], np.ndarray]:
    with open_h5(path) as file:
        attributes = read_attributes(file, ("subject", *_BRAIN_KEYS))
        ids = read_ids(file, "stimulus")
        if "rdm" not in file:
            raise StoreError(f"{path}: has no dataset 'rdm'; it was not made by this pipeline.")
        rdm = file["rdm"][()].astype(np.float64)
    require_size(rdm, ids, f"{path}: rdm")
    return attributes, ids, rdm


def _require_same_attributes(
    one: dict[str, Any], other: dict[str, Any], what: str, than: str
) -> None:
    for key in _BRAIN_KEYS:
        if one[key] != other[key]:
            raise GuardError(
                f"{what} and {than} must not be mixed: {key} is {one[key]!r} and {other[key]!r}."
            )
