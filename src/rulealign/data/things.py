"""Reads THINGS-fMRI in its table form: three files a person, rows of the ROI only.

`sub-01_ResponseData.h5` is a pandas file with pickles inside; it is read with h5py alone, never
with pandas or PyTables. Source of the form: Hebart et al. 2023, eLife 12:e82580.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from rulealign.errors import DataError
from rulealign.store import open_h5, refuse_duplicates, write_h5

if TYPE_CHECKING:
    import pandas as pd

TRIAL_COLUMNS = ("stimulus", "concept", "trial_type", "session", "run", "trial_id")
"""What is kept of the trial table, in this order."""

_OTHER_COLUMNS = ("voxel_", "subject_id", "nc_", "splithalf_", "prf-")
_VALUES, _VOXEL_IDS = "ResponseData/block0_values", "ResponseData/block1_values"


def _read_table(path: Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    import pandas as pd

    try:
        # only empty cells are missing: a concept may be called "null" or "nan"
        return pd.read_csv(path, usecols=columns, keep_default_na=False, na_values=[""])
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read as a table ({error}); get it again from its source."
        ) from error


def _columns(path: Path) -> list[str]:
    import pandas as pd

    try:
        return list(pd.read_csv(path, nrows=0).columns)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a table ({error}).") from error


def roi_columns(voxels_csv: Path) -> list[str]:
    """List the ROI columns of a voxel table.

    Args:
        voxels_csv: `sub-01_VoxelMetadata.csv`.

    Returns:
        The 0/1 columns: all that are not coordinates, reliabilities or receptive fields.

    Raises:
        DataError: the file cannot be read.
    """
    return [name for name in _columns(voxels_csv) if not name.startswith(_OTHER_COLUMNS)]


def roi_rows(voxels_csv: Path, columns: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Find the voxels of an ROI: the union of 0/1 columns.

    Args:
        voxels_csv: `sub-01_VoxelMetadata.csv`.
        columns: names of ROI columns, such as ["lLOC", "rLOC"].

    Returns:
        rows: increasing rows of the table (and of the responses), int64, shape (voxels,).
        ids: their voxel_id, as text.

    Raises:
        DataError: a column is unknown (names those there are, the nearest first) or holds other
            values than 0 and 1, no voxel is in the ROI, or a voxel_id occurs twice.
    """
    known = roi_columns(voxels_csv)
    for column in columns:
        if column not in known:
            raise DataError(_unknown_column(voxels_csv, column, known))
    table = _read_table(voxels_csv, ["voxel_id", *columns])
    flags = table[list(columns)].to_numpy()
    if not np.isin(flags, (0, 1)).all():
        row, place = np.argwhere(~np.isin(flags, (0, 1)))[0]
        raise DataError(
            f"{voxels_csv}: column '{columns[place]}' holds {flags[row, place]!r} for voxel"
            f" {table['voxel_id'][row]}; an ROI column holds 0 and 1."
        )
    rows = np.flatnonzero(flags.any(axis=1))
    if not len(rows):
        raise DataError(f"{voxels_csv}: no voxel is in {list(columns)}; choose other columns.")
    ids = [str(value) for value in table["voxel_id"].to_numpy()[rows]]
    refuse_duplicates(ids, f"{voxels_csv}: voxel_id")
    return rows, ids


def _unknown_column(path: Path, column: str, known: list[str]) -> str:
    nearest = difflib.get_close_matches(column, known, n=3, cutoff=0.5)
    others = [name for name in known if name not in nearest]
    return f"{path}: the data have no ROI '{column}'; they have {nearest + others}"


def read_trials(stimuli_csv: Path) -> pd.DataFrame:
    """Read and check a table of trials.

    Args:
        stimuli_csv: `sub-01_StimulusMetadata.csv`.

    Returns:
        The columns of `TRIAL_COLUMNS` and subject_id, one row per trial, in the order of the
        responses' columns; session, run and trial_id are integers.

    Raises:
        DataError: a column is missing, a cell is empty, a session, run or trial_id is not a whole
            number, trial_type is neither train nor test, or a trial is listed twice.
    """
    needed = [*TRIAL_COLUMNS, "subject_id"]
    missing = [name for name in needed if name not in _columns(stimuli_csv)]
    if missing:
        raise DataError(f"{stimuli_csv}: lacks the columns {missing}; it needs {needed}.")
    table = _read_table(stimuli_csv, needed)[needed]
    empty = np.argwhere(table.isna().to_numpy())
    if len(empty):
        row, place = empty[0]
        raise DataError(f"{stimuli_csv}: '{needed[place]}' is empty in trial row {row}.")
    for name in ("session", "run", "trial_id"):
        _require_whole_numbers(stimuli_csv, table, name)
    unknown = sorted(set(table["trial_type"]) - {"train", "test"})
    if unknown:
        raise DataError(f"{stimuli_csv}: trial_type is {unknown[0]!r}; only train and test are.")
    _refuse_repeated_trials(stimuli_csv, table)
    return table


def _require_whole_numbers(path: Path, table: pd.DataFrame, name: str) -> None:
    if table[name].dtype.kind != "i":
        wrong = [value for value in table[name] if not str(value).lstrip("-").isdigit()]
        raise DataError(f"{path}: '{name}' holds {wrong[0]!r}, which is not a whole number.")


def _refuse_repeated_trials(path: Path, table: pd.DataFrame) -> None:
    for columns in (["trial_id"], ["session", "run", "stimulus"]):
        repeated = table[table.duplicated(columns)]
        if len(repeated):
            first = ", ".join(f"{name} {repeated[name].iloc[0]}" for name in columns)
            raise DataError(f"{path}: a trial is listed twice: {first}.")


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
    _require_subject(voxels, _read_table(voxels, ["subject_id"]), subject)
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
    values, count = file[_VALUES], len(_read_table(voxels, ["voxel_id"]))
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
