"""THINGS-fMRI in its table form: from three files a person to the patterns of an ROI.

`sub-01_ResponseData.h5` is a pandas file with pickles inside; it is read with h5py alone, never
with pandas or PyTables, and only the rows of the ROI. Source of the form: Hebart et al. 2023,
eLife 12:e82580.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from rulealign.data.stimulus_sets import (
    choose_trials,
    image_paths,
    other_stimulus_ids,
    stimulus_ids,
)
from rulealign.data.things_tables import TRIAL_COLUMNS, read_table, read_trials, roi_rows
from rulealign.errors import DataError
from rulealign.store import open_h5, write_h5

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "image_paths",
    "other_stimulus_ids",
    "read_rows",
    "read_trials",
    "roi_rows",
    "select_patterns",
    "stimulus_ids",
    "write_roi_responses",
]

_VALUES, _VOXEL_IDS = "ResponseData/block0_values", "ResponseData/block1_values"


def read_rows(dataset: Any, rows: np.ndarray) -> np.ndarray:
    """Read some rows of a large array, and nothing else of it.

    Args:
        dataset: two-dimensional, sliceable by rows, such as an h5py dataset.
        rows: increasing row numbers, shape (n,).

    Returns:
        float32, shape (n, columns). Neighbouring rows are read in one go; h5py's own selection by
        a list of rows takes quadratic time.
    """
    out = np.empty((len(rows), dataset.shape[1]), dtype=np.float32)
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    start = 0
    for stretch in np.split(np.asarray(rows), breaks):
        out[start : start + len(stretch)] = dataset[int(stretch[0]) : int(stretch[-1]) + 1]
        start += len(stretch)
    return out


def write_roi_responses(
    responses: Path,
    voxels: Path,
    stimuli: Path,
    columns: Sequence[str],
    subject: str,
    roi: str,
    settings: dict[str, Any],
    output: Path,
) -> None:
    """Extract one ROI of one person from the tables.

    Args:
        responses: `sub-01_ResponseData.h5`.
        voxels: `sub-01_VoxelMetadata.csv`.
        stimuli: `sub-01_StimulusMetadata.csv`.
        columns: the ROI's columns in the voxel table; their union is taken.
        subject: the person's label, such as "01"; the tables' subject_id must agree.
        roi: the ROI's name.
        settings: the plain settings of the stage, kept in the file.
        output: the HDF5 file to make: `responses` float32 (voxels, trials) as in the source,
            `trials/<column>` of `TRIAL_COLUMNS`; ids voxel.

    Raises:
        DataError: the three files do not fit together, or a voxel is not finite or constant.
        StoreError: a file is no HDF5 file, or the disk is full.
    """
    rows, ids = roi_rows(voxels, columns)
    trials = read_trials(stimuli)
    _require_subject(voxels, read_table(voxels, ["subject_id"]), subject)
    _require_subject(stimuli, trials, subject)
    with open_h5(responses) as file:
        values = _checked_values(file, voxels, stimuli, len(trials))
        _require_same_voxels(file, voxels, rows, ids)
        array = read_rows(values, rows)
    _refuse_bad_voxels(responses, array, ids)
    write_h5(
        output,
        {"responses": array} | {f"trials/{name}": _plain(trials[name]) for name in TRIAL_COLUMNS},
        ids={"voxel": ids},
        settings=settings,
        attributes={"subject": subject, "roi": roi},
    )


def _require_subject(path: Path, table: pd.DataFrame, subject: str) -> None:
    for value in table["subject_id"].unique():
        if str(value).lstrip("0") != str(subject).lstrip("0"):
            raise DataError(f"{path}: holds data of subject {value}, not of subject {subject}.")


def _checked_values(file: h5py.File, voxels: Path, stimuli: Path, trials: int) -> h5py.Dataset:
    for name in (_VALUES, _VOXEL_IDS):
        if name not in file:
            raise DataError(
                f"{file.filename}: has no '{name}'; it has {list(file)}. The table form of"
                " THINGS-fMRI is expected."
            )
    values, count = file[_VALUES], len(read_table(voxels, ["voxel_id"]))
    if values.shape[0] != count:
        raise DataError(f"{file.filename} has {values.shape[0]} voxels, {voxels} has {count}.")
    if values.shape[1] != trials:
        raise DataError(f"{file.filename} has {values.shape[1]} trials, {stimuli} has {trials}.")
    return values


def _require_same_voxels(file: h5py.File, voxels: Path, rows: np.ndarray, ids: list[str]) -> None:
    for row, here, there in zip(rows, file[_VOXEL_IDS][:, 0][rows], ids, strict=True):
        if str(here) != there:
            raise DataError(f"row {row} is voxel {here} in {file.filename}, {there} in {voxels}.")


def _refuse_bad_voxels(path: Path, responses: np.ndarray, ids: list[str]) -> None:
    for wrong, what in (
        (~np.isfinite(responses).all(axis=1), "has responses that are not finite"),
        (np.ptp(responses, axis=1) == 0, "has the same response in every trial"),
    ):
        if wrong.any():
            first = ids[int(np.argmax(wrong))]
            raise DataError(f"{path}: voxel {first} {what} ({wrong.sum()} such voxels in the ROI).")


def _plain(column: pd.Series) -> np.ndarray:
    if column.dtype.kind == "i":
        return column.to_numpy(dtype=np.int64)
    return np.array(column.astype(str).tolist(), dtype=h5py.string_dtype())


def select_patterns(responses_h5: Path, stimulus_set: str) -> tuple[list[str], np.ndarray, int]:
    """Turn an ROI's single trials into one pattern per stimulus.

    Every voxel is z-scored over all its trials (train and test, all sessions), as published, and
    then the trials of each stimulus are averaged. Z-scoring by run is not offered: it induces
    correlations between patterns.

    Args:
        responses_h5: a file made by `write_roi_responses`.
        stimulus_set: as in `choose_trials`.

    Returns:
        ids: the stimuli in alphabetical order.
        patterns: float64, shape (stimuli, voxels), in units of each voxel's standard deviation.
        repetitions: trials averaged per stimulus.

    Raises:
        DataError: the set is empty, or its images were not shown equally often.
    """
    import pandas as pd

    with open_h5(responses_h5) as file:
        responses = file["responses"][()].astype(np.float64)
        trials = pd.DataFrame({name: _column(file[f"trials/{name}"]) for name in TRIAL_COLUMNS})
    chosen = choose_trials(trials, stimulus_set, str(responses_h5))
    spread = responses.std(axis=1, keepdims=True)
    scores = (responses - responses.mean(axis=1, keepdims=True)) / spread
    patterns = np.stack([scores[:, places].mean(axis=1) for places in chosen.values()])
    return list(chosen), patterns, len(next(iter(chosen.values())))


def _column(dataset: h5py.Dataset) -> np.ndarray:
    return dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()]
