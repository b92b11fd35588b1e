"""The subjects' RDMs of one ROI, read back with every check that they belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rulealign.errors import GuardError, StoreError
from rulealign.rsa.compare import masked
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
        rdms: float64, shape (n_subjects, n_pairs); NaN where a pair is missing in given RDMs.
        distance: the dissimilarity, in words.
        acquisition: scanner, task and averaging, in words.
        repetitions: trials per stimulus; their mean, where stimuli or subjects have different
            numbers; 0 where RDMs were given.
        missing: how many pairs each RDM lacks.
        trials_each: trials per stimulus of each subject; none where nobody says.
    """

    roi: str
    subjects: list[str]
    ids: list[str]
    rdms: np.ndarray
    distance: str
    acquisition: str
    repetitions: float
    missing: tuple[int, ...] = ()
    trials_each: tuple[float, ...] = ()

    @property
    def present(self) -> np.ndarray | None:
        """Say which pairs no subject lacks, bool, shape (n_pairs,); None for all."""
        return ~np.isnan(self.rdms).any(axis=0) if any(self.missing) else None

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
            repetitions (unless trials were kept apart: how many there are biases no distance then).
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
    trials_each = tuple(attributes["repetitions"] for attributes, _, _ in read)
    found = BrainRdms(
        roi=str(first["roi"]),
        subjects=subjects,
        ids=read[0][1],
        rdms=np.stack([rdm for _, _, rdm in read]),
        distance=str(first["distance"]),
        acquisition=str(first["acquisition"]),
        repetitions=_plain_mean(trials_each),
        trials_each=trials_each,
        missing=tuple(attributes["missing_pairs"] for attributes, _, _ in read),
    )
    require_rankable(masked(found.rdms, found.present), names)
    return found


def _plain_mean(numbers: Sequence[float]) -> float:
    # tables have 3 rather than 3.0
    mean = float(np.mean(numbers))
    return int(mean) if mean.is_integer() else mean


def _read_brain(path: Path) -> tuple[dict[str, Any], list[str], np.ndarray]:
    with open_h5(path) as file:
        attributes = read_attributes(file, ("subject", *_BRAIN_KEYS))
        attributes["missing_pairs"] = int(file.attrs.get("missing_pairs", 0))
        attributes["kept_apart"] = bool(file.attrs.get("kept_apart", False))
        ids = read_ids(file, "stimulus")
        if "rdm" not in file:
            raise StoreError(f"{path}: has no dataset 'rdm'; it was not made by this pipeline.")
        rdm = file["rdm"][()].astype(np.float64)
    require_size(rdm, ids, f"{path}: rdm")
    return attributes, ids, rdm


def _require_same_attributes(
    one: dict[str, Any], other: dict[str, Any], what: str, than: str
) -> None:
    apart = one["kept_apart"] and other["kept_apart"]
    for key in _BRAIN_KEYS[:-1] if apart else _BRAIN_KEYS:
        if one[key] != other[key]:
            raise GuardError(
                f"{what} and {than} must not be mixed: {key} is {one[key]!r} and {other[key]!r}."
            )
