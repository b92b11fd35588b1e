"""The Gram matrices of an ROI's subjects, checked and kept before any network is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rulealign.data.file_names import concept_of
from rulealign.data.responses.patterns import kept_trials, read_response_trials
from rulealign.encoding.folds import (
    folds_seed,
    groups_of,
    runs_of_single_trials,
    stimulus_folds,
)
from rulealign.encoding.gram import responses_gram
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import FoldSettings, GramSettings
from rulealign.rsa.brain_rdms import read_brain_rdms
from rulealign.store import open_h5, read_ids, require_same_ids, write_h5


@dataclass(frozen=True)
class Voxels:
    """One subject's voxels of an ROI.

    Attributes:
        patterns: float64, shape (n_stimuli, n_voxels), z-scored over trials, means of stimuli.
        ceilings: float64, shape (n_voxels,); the share of their variance over stimuli that is not
            noise, as found: below 0 now and then. NaN where they were not asked for.
    """

    patterns: np.ndarray
    ceilings: np.ndarray


@dataclass(frozen=True)
class RoiGram:
    """The Gram matrices of one ROI.

    Attributes:
        roi: its label.
        subjects: in the order of the matrices.
        ids: stimulus ids.
        grams: float64, shape (n_subjects, n_stimuli, n_stimuli).
        folds: int64, shape (n_subjects, n_stimuli); the fold in which each stimulus is predicted.
        groups: int64, likewise; equal for stimuli that are never torn apart.
        voxels: of each subject; [] where the responses are known by their RDMs alone.
    """

    roi: str
    subjects: list[str]
    ids: list[str]
    grams: np.ndarray
    folds: np.ndarray
    groups: np.ndarray
    voxels: list[Voxels]


def split(groups: np.ndarray, settings: FoldSettings, what: str) -> np.ndarray:
    """Split stimuli into the folds of a study, and see that inner folds will be filled, too.

    Args:
        groups: shape (n_stimuli,); of `folds.groups_of`.
        settings: of seed and folds.
        what: whose stimuli they are, for errors: the file.

    Returns:
        int64, shape (n_stimuli,); the fold of each.

    Raises:
        DataError: there are too few groups of stimuli for the folds or the inner folds.
    """
    try:
        folds = stimulus_folds(groups, settings.folds, folds_seed(settings.study_seed, len(groups)))
    except DataError as error:
        raise DataError(f"{what}: {error}") from error
    left = [len(np.unique(groups[folds != fold])) for fold in range(settings.folds)]
    if min(left) < settings.inner_folds:
        raise DataError(
            f"{what}: {min(left)} stimuli of a fit do not fill {settings.inner_folds}"
            " inner folds; lower encoding.inner_folds, or bring more stimuli."
        )
    return folds


def write_roi_gram(
    brain_files: Sequence[Path],
    roi: str,
    settings: GramSettings,
    output: Path,
    responses: Sequence[Path] = (),
) -> None:
    """Turn the RDMs of an ROI into Gram matrices, and split its stimuli into folds.

    Stimuli of one concept share a fold; where every stimulus was shown once, so do those of a run
    of any subject, whose noise they share: folds are the same for all subjects and their mean RDM.

    Args:
        brain_files: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        roi: its label.
        settings: of distance and folds.
        output: the HDF5 file to make: `grams`, `folds`, the ids of stimuli and subjects.
        responses: the ROI's `sub-<s>_roi-<r>_responses.h5`, one per subject; none of given RDMs,
            which know no runs.

    Raises:
        DataError: there are too few stimuli, or runs, for the folds, no patterns have the distances
            of an RDM, or responses are of other stimuli; names the file.
        GuardError: a file is of another ROI, distance or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    brain = read_brain_rdms(brain_files, roi)
    named = zip(brain.rdms, brain_files, strict=True)
    grams = [responses_gram(rdm, settings.distance, str(path)) for rdm, path in named]
    own = list(map(concept_of, brain.ids)) if settings.by_concept else brain.ids
    runs = list(_runs(responses, settings, brain.ids, brain_files[0]))
    groups = groups_of(brain.ids, own, *runs)
    try:
        folds = split(groups, settings, str(brain_files[0]))
    except DataError as error:
        raise DataError(f"{error}{_OF_RUNS if runs else ''}") from error
    every = np.broadcast_to([groups, folds], (len(grams), 2, len(groups)))
    arrays = {"grams": np.stack(grams), "folds": every[:, 1], "groups": every[:, 0]}
    ids = {"stimulus": brain.ids, "subject": brain.subjects}
    write_h5(output, arrays, ids=ids, settings=settings.plain(), attributes={"roi": roi})


_OF_RUNS = (
    " Here every stimulus was shown once, and stimuli that share a run of any subject share a fold;"
    " with `encoding: {voxels: {}}` folds are each subject's own."
)


def _runs(
    responses: Sequence[Path], settings: GramSettings, ids: Sequence[str], brain_file: Path
) -> Iterator[list[str]]:
    for path in responses:
        trials = read_response_trials(path)
        chosen = kept_trials(path, trials, settings.stimulus_set)
        require_same_ids(ids, list(chosen), str(brain_file), str(path))
        if runs := runs_of_single_trials(trials, chosen):
            yield runs


def read_roi_gram(path: Path) -> RoiGram:
    """Read the Gram matrices of an ROI back.

    Args:
        path: a file of `write_roi_gram` or `roi_voxels.write_roi_voxels`.

    Returns:
        The matrices with their ids and folds, and the voxels that they are of, if known.

    Raises:
        StoreError: the file cannot be read.
    """
    with open_h5(path) as file:
        subjects, ids = read_ids(file, "subject"), read_ids(file, "stimulus")
        arrays = [file[name][()] for name in ("grams", "folds", "groups")]
        voxels = [
            Voxels(file[f"patterns/{one}"][()], file[f"ceilings/{one}"][()])
            for one in (subjects if "patterns" in file else [])
        ]
        return RoiGram(file.attrs["roi"], subjects, ids, *arrays, voxels)
