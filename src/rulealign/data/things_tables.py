"""Reads the voxel and trial tables of THINGS-fMRI (table form), with every check."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rulealign.errors import DataError
from rulealign.store import refuse_duplicates

if TYPE_CHECKING:
    import pandas as pd

TRIAL_COLUMNS = ("stimulus", "concept", "trial_type", "session", "run", "trial_id")
"""What is kept of the trial table, in this order."""

_OTHER_COLUMNS = ("voxel_", "subject_id", "nc_", "splithalf_", "prf-")


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a table.

    Args:
        path: a CSV file.
        columns: the columns to read.

    Returns:
        The columns, in the order asked for; only empty cells are missing values.

    Raises:
        DataError: the file cannot be read, or lacks a column.
    """
    present = _read(path, nrows=0).columns
    missing = [name for name in columns if name not in present]
    if missing:
        raise DataError(f"{path}: lacks the columns {missing}; it needs {list(columns)}.")
    # a concept may be called "null" or "nan"
    return _read(path, usecols=columns, keep_default_na=False, na_values=[""])[list(columns)]


def _read(path: Path, **options: Any) -> pd.DataFrame:
    import pandas as pd

    try:
        return pd.read_csv(path, **options)
    except (OSError, pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise DataError(
            f"{path}: cannot be read as a table ({error}); get it again from its source."
        ) from error


def roi_columns(voxels_csv: Path) -> list[str]:
    """List the ROI columns of a voxel table.

    Args:
        voxels_csv: `sub-01_VoxelMetadata.csv`.

    Returns:
        The 0/1 columns: all that are not coordinates, reliabilities or receptive fields.

    Raises:
        DataError: the file cannot be read.
    """
    return [
        name for name in _read(voxels_csv, nrows=0).columns if not name.startswith(_OTHER_COLUMNS)
    ]


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
    table = read_table(voxels_csv, ["voxel_id", *columns])
    flags = table[list(columns)].to_numpy()
    if not np.isin(flags, (0, 1)).all():
        row, place = np.argwhere(~np.isin(flags, (0, 1)))[0]
        raise DataError(
            f"{voxels_csv}: column '{columns[place]}' holds {flags[row, place]} for voxel"
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
    table = read_table(stimuli_csv, needed)
    if not len(table):
        raise DataError(f"{stimuli_csv}: lists no trials.")
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
        raise DataError(
            f"{path}: '{name}' holds {next(iter(wrong), None)!r}, which is not a whole number."
        )


def _refuse_repeated_trials(path: Path, table: pd.DataFrame) -> None:
    for columns in (["trial_id"], ["session", "run", "stimulus"]):
        repeated = table[table.duplicated(columns)]
        if len(repeated):
            first = ", ".join(f"{name} {repeated[name].iloc[0]}" for name in columns)
            raise DataError(f"{path}: a trial is listed twice: {first}.")
