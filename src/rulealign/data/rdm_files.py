"""Files of RDMs, of subjects and perhaps sessions, checked before use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.brains import brain_class
from rulealign.data.copies import same_rdms
from rulealign.data.ids import pattern_ids
from rulealign.data.mat import load_mat, mat_texts
from rulealign.data.npz import UNREADABLE, member_array, whole_array
from rulealign.data.rdm_names import names_in_npz, refuse_other_order
from rulealign.errors import DataError
from rulealign.store import write_h5

if TYPE_CHECKING:
    from rulealign.plan.settings.brain import GivenRdmsSettings

TOLERANCE = 1e-6
"""How far an RDM may be from symmetric, and its diagonal from zero, relative to its largest
dissimilarity: enough for single precision, too little for a mistake."""


def read_rdms(
    path: Path, key: str | None, subjects: int, *, sessions: int = 1, ids: str | None = None
) -> np.ndarray:
    """Read the RDMs of one ROI and check that they are RDMs.

    Args:
        path: a .npz, .npy or .mat file; nothing pickled is ever loaded.
        key: name of the array in a .npz or .mat; None for a .npy.
        subjects: how many subjects the file must hold.
        sessions: how many sessions of each.
        ids: pattern of the stimulus ids, to name places in messages; None for plain numbers.

    Returns:
        float64, shape (subjects, stimuli, stimuli), or (subjects, sessions, stimuli, stimuli) where
        there are several sessions, in the unit of the file. Negative values are kept:
        cross-validated distances have them.

    Raises:
        DataError: the file or the key is missing (lists the keys), the array has another shape
            or type, or an RDM is not finite, not symmetric, has a diagonal other than zero or is
            constant (names file, subject and place), two sessions of a subject are the same, or the
            file also lists the ids in another order.
    """
    rdms = load_rdms(path, key, ids)
    return checked_rdms(rdms, path, subjects, sessions=sessions, ids=ids)


def checked_rdms(
    rdms: np.ndarray, path: Path, subjects: int, *, sessions: int = 1, ids: str | None = None
) -> np.ndarray:
    """Check that arrays are the RDMs of so many subjects and sessions.

    Args:
        rdms: as in a file.
        path: the file or folder that they are from, for messages.
        subjects: as in `read_rdms`, like the rest.
        sessions: see there.
        ids: see there.

    Returns:
        As `read_rdms`.

    Raises:
        DataError: as in `read_rdms`.
    """
    _check_shape(rdms, subjects, sessions, path)
    rdms = rdms.astype(np.float64)
    names = pattern_ids(ids or "stimulus {}", rdms.shape[-1])
    for subject, own in enumerate(rdms, start=1):
        where = f"{path}: subject {subject}"
        for session, rdm in enumerate(own.reshape(-1, *own.shape[-2:]), start=1):
            _check_rdm(rdm, names, where + (f", session {session}" if sessions > 1 else ""))
        if sessions > 1:
            _refuse_same_sessions(own, where)
    return rdms


def write_subject_rdms(
    path: Path, settings: GivenRdmsSettings, roi: str, outputs: Sequence[Path]
) -> None:
    """Write the RDMs of one ROI, one file per subject, condensed.

    Args:
        path: what the ROI's source is, on this machine.
        settings: the brain data.
        roi: the ROI's name.
        outputs: one HDF5 file per subject, in the order of the file: `rdm` float64
            (stimuli * (stimuli - 1) / 2,), the upper triangle row by row, with the ids
            `stimulus` and the attributes subject (counted from 1), roi, distance, acquisition
            and repetitions (0: as given). Where there are several sessions, `rdm` is their mean,
            `repeats`, float64 (sessions, the same), holds each, and the attribute repeats_are says
            how many.

    Raises:
        DataError: as in `read_rdms`.
        StoreError: the disk is full.
    """
    # the registry is asked, not the section: so the code of the kind is in the job's fingerprint
    brain = settings.brain
    rdms = brain_class(brain.kind).read(brain, roi, path)
    stimuli = pattern_ids(brain.ids, rdms.shape[-1])
    rdms = rdms[(..., *np.triu_indices(len(stimuli), 1))]
    described = {"distance": brain.distance, "acquisition": brain.acquisition}
    for subject, (rdm, output) in enumerate(zip(rdms, outputs, strict=True), start=1):
        arrays, about = {"rdm": rdm}, {"subject": subject, "roi": roi, "repetitions": 0}
        if rdm.ndim > 1:
            arrays = {"rdm": rdm.mean(axis=0), "repeats": rdm}
            about["repeats_are"] = f"{len(rdm)} sessions"
        ids = {"stimulus": stimuli}
        write_h5(output, arrays, ids=ids, settings=settings.plain(), attributes=about | described)


def load_rdms(path: Path, key: str | None, ids: str | None = None) -> np.ndarray:
    """Read one array of plain numbers; nothing pickled is ever loaded.

    Args:
        path: a .npz, .npy or .mat file.
        key: as in `read_rdms`.
        ids: as in `read_rdms`.

    Returns:
        The array as it is stored.

    Raises:
        DataError: the file or the key is missing (lists the keys), or it cannot be read as plain
            arrays.
    """
    kind = path.suffix.lower()
    if kind not in (".npz", ".npy", ".mat"):
        raise DataError(f"{path}: RDMs are read from .npz, .npy and .mat files only.")
    if kind == ".mat":
        rdms = load_mat(path, key)
        if names := _expected(ids, rdms):
            refuse_other_order(mat_texts(path), path, names)
        return rdms
    try:
        with path.open("rb") as handle:  # numpy would leave a truncated .npz open
            if handle.read(2) != b"PK":
                return whole_array(path, key)
            handle.seek(0)
            content = np.load(handle, allow_pickle=False)
            rdms = member_array(content, key, path)
            if names := _expected(ids, rdms):
                refuse_other_order(names_in_npz(content, len(names)), path, names)
            return rdms
    except UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as plain arrays ({error}). Get it again from its source; an"
            " array of Python objects is not loaded, because it may hold code."
        ) from error


def _expected(ids: str | None, rdms: np.ndarray) -> list[str]:
    return pattern_ids(ids, rdms.shape[-1]) if ids and rdms.ndim in (3, 4) else []


def _check_shape(rdms: np.ndarray, subjects: int, sessions: int, path: Path) -> None:
    if rdms.dtype.kind not in "fiu":
        raise DataError(f"{path}: holds {rdms.dtype}, not real numbers.")
    several = sessions > 1
    if rdms.ndim != 3 + several or rdms.shape[-2] != rdms.shape[-1] or rdms.shape[-1] < 3:
        axes = "subjects x sessions" if several else "subjects"
        hint = "" if several or rdms.ndim != 4 else "; for several sessions state `sessions`"
        raise DataError(
            f"{path}: shape {rdms.shape}; it must be {axes} x stimuli x stimuli, with square RDMs"
            f" of at least 3 stimuli{hint}."
        )
    if several and rdms.shape[1] != sessions:
        raise DataError(
            f"{path}: holds {rdms.shape[1]} sessions of each subject, the study says {sessions};"
            " correct `sessions`, or get the right file."
        )
    if rdms.shape[0] != subjects:
        raise DataError(
            f"{path}: holds {rdms.shape[0]} subjects, the study says {subjects}; correct"
            " `subjects`, or get the right file."
        )


def _refuse_same_sessions(sessions: np.ndarray, where: str) -> None:
    upper = np.triu_indices(sessions.shape[-1], 1)
    named = {f"session {n}": rdm[upper] for n, rdm in enumerate(sessions, start=1)}
    for copy, first in same_rdms(named).items():
        raise DataError(
            f"{where}: {copy} has the RDM of {first}, so that sessions would seem to agree"
            " perfectly. Bring the right file; or give their mean alone, and sessions 1."
        )


def _check_rdm(rdm: np.ndarray, names: Sequence[str], where: str) -> None:
    _refuse(~np.isfinite(rdm), rdm, names, where, "is not a finite number")
    scale = np.abs(rdm).max()
    _refuse(np.diag(np.diag(np.abs(rdm)) > TOLERANCE * scale), rdm, names, where, "should be 0")
    asymmetric = np.abs(rdm - rdm.T) > TOLERANCE * scale
    _refuse(asymmetric, rdm, names, where, "is not symmetric")
    if np.ptp(rdm[np.triu_indices(len(rdm), 1)]) == 0:
        raise DataError(f"{where}: all dissimilarities are {rdm[0, 1]:g}; they order nothing.")


def _refuse(
    wrong: np.ndarray, rdm: np.ndarray, names: Sequence[str], where: str, complaint: str
) -> None:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{where}, {names[row]} with {names[column]}: the dissimilarity {rdm[row, column]:g}"
            f" {complaint} ({int(wrong.sum())} such places in this RDM)."
        )
