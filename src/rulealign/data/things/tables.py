"""Reads the voxel and trial tables of THINGS-fMRI (table form), with every check."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.things.table_text import column_names, read_table
from rulealign.data.things.trial_order import require_measured_order, require_named_images
from rulealign.errors import DataError
from rulealign.store import refuse_duplicates

if TYPE_CHECKING:
    import pandas as pd

TRIAL_COLUMNS = ("stimulus", "concept", "trial_type", "session", "run", "trial_id")
"""What is kept of the trial table, in this order."""

_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_NUMBERS = ("voxel_", "nc_")
_OTHER_COLUMNS = (*_NUMBERS, "subject_id", "splithalf_", "prf-")


def roi_columns(voxels_csv: Path) -> list[str]:
    """List the ROI columns of a voxel table.

    Args:
        voxels_csv: `sub-01_VoxelMetadata.csv`.

    Returns:
        The 0/1 columns: all that are not coordinates, reliabilities or receptive fields.

    Raises:
        DataError: the file cannot be read.
    """
    return [name for name in column_names(voxels_csv) if not name.startswith(_OTHER_COLUMNS)]


def read_voxels(voxels_csv: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read columns of a voxel table.

    Args:
        voxels_csv: `sub-01_VoxelMetadata.csv`.
        columns: names of ROI columns, such as ["lLOC", "rLOC"], coordinates or noise ceilings.

    Returns:
        voxel_id and the columns, one row per voxel.

    Raises:
        DataError: a column is unknown (names those there are, the nearest first), an ROI column
            holds other values than 0 and 1, a coordinate or noise ceiling is no number, or a
            voxel_id appears twice.
    """
    rois = roi_columns(voxels_csv)
    for column in columns:
        if not column.startswith(_OTHER_COLUMNS) and column not in rois:
            raise DataError(unknown_column(str(voxels_csv), column, rois))
    table = read_table(voxels_csv, ["voxel_id", *columns])
    for column in table:
        if column.startswith(_NUMBERS):
            table[column] = _numbers(voxels_csv, table[column])
    for column in set(columns) & set(rois):
        require_flags(str(voxels_csv), column, table)
    refuse_duplicates([str(name) for name in table["voxel_id"]], f"{voxels_csv}: voxel_id")
    return table


def require_flags(place: str, column: str, table: pd.DataFrame) -> None:
    """Refuse an ROI column that holds other values than 0 and 1.

    Args:
        place: what to call the table in a message.
        column: the column.
        table: a table with it and with voxel_id.

    Raises:
        DataError: names the column, the value and the voxel.
    """
    flags = table[column].to_numpy()
    wrong = ~np.isin(flags, (0, 1))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise DataError(
            f"{place}: column '{column}' holds {flags[row]} for voxel {table['voxel_id'][row]}; an"
            " ROI column holds 0 and 1."
        )


def _numbers(path: Path, column: pd.Series) -> pd.Series:
    import pandas as pd

    numbers = pd.to_numeric(column, errors="coerce")
    wrong = np.flatnonzero(numbers.isna() & column.notna() & (column.astype(str) != "nan"))
    if len(wrong):
        value = column[wrong[0]]
        comma = " Write decimals with a point." if "," in str(value) else ""
        raise DataError(
            f"{path}: '{column.name}' holds '{value}' in voxel row {wrong[0]}, which is not a"
            f" number.{comma}"
        )
    return numbers


def unknown_column(place: str, column: str, known: Sequence[str]) -> str:
    """Write the message for an ROI that the data do not have.

    Args:
        place: where it was looked for.
        column: what was asked for.
        known: what there is.

    Returns:
        The message, with the nearest names first.
    """
    names = [re.sub(r"[\r\n]+", "", name) for name in known]
    nearest = difflib.get_close_matches(column, names, n=3, cutoff=0.5)
    others = [name for name in names if name not in nearest]
    return f"{place}: the data have no ROI '{column}'; they have {nearest} and {others}"


def require_subject(path: Path, table: pd.DataFrame, subject: str) -> None:
    """Refuse a table of another subject.

    Args:
        path: the table's file, for the message.
        table: with the column subject_id.
        subject: label, such as "01".

    Raises:
        DataError: the table is of another subject.
    """
    for value in table["subject_id"].unique():
        if str(value).removeprefix("sub-").lstrip("0") != str(subject).lstrip("0"):
            raise DataError(f"{path}: holds data of subject {value}, not of subject {subject}.")


def read_trials(stimuli_csv: Path) -> pd.DataFrame:
    """Read and check a table of trials of THINGS-fMRI.

    Args:
        stimuli_csv: `sub-01_StimulusMetadata.csv`.

    Returns:
        As `read_any_trials`.

    Raises:
        DataError: as `read_any_trials`; or a stimulus is no image, a concept is not that of its
            image, or an image is listed twice in a run.
    """
    table = _read_cells(stimuli_csv)
    require_named_images(stimuli_csv, table)
    _refuse_repeated_trials(stimuli_csv, table, "trial_id", "stimulus")
    require_measured_order(stimuli_csv, table)
    return table


def read_any_trials(trials_csv: Path) -> pd.DataFrame:
    """Read and check a table of trials, whatever their stimuli are called.

    Args:
        trials_csv: a table such as `sub-01_trials.csv`.

    Returns:
        The columns of `TRIAL_COLUMNS` and subject_id, one row per trial, in the order of the
        responses' columns; session, run and trial_id are integers.

    Raises:
        DataError: a column is missing, a cell is empty, a session, run or trial_id is not a whole
            number, trial_type is neither train nor test, a trial is listed twice, or the rows are
            not in the order of measurement.
    """
    table = _read_cells(trials_csv)
    _refuse_repeated_trials(trials_csv, table, "trial_id")
    require_measured_order(trials_csv, table)
    return table


def _read_cells(stimuli_csv: Path) -> pd.DataFrame:
    needed = [*TRIAL_COLUMNS, "subject_id"]
    table = read_table(stimuli_csv, needed, texts=("stimulus", "concept"))
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
    return table


def _require_whole_numbers(path: Path, table: pd.DataFrame, name: str) -> None:
    if table[name].dtype.kind != "i":
        values = table[name].tolist()
        whole = [bool(_WHOLE.fullmatch(str(value).removesuffix(".0"))) for value in values]
        row = 0 if all(whole) else whole.index(False)  # one fraction makes 1 to 1.0 in all rows
        raise DataError(
            f"{path}: '{name}' holds {values[row]!r} in trial row {row}, which is not a whole"
            " number of at most 18 digits. Write it as one, such as 12, or get the table again from"
            " its source."
        )


def _refuse_repeated_trials(path: Path, table: pd.DataFrame, *once: str) -> None:
    for columns in (["session", "run", name] for name in once):
        repeated = table[table.duplicated(columns)]
        if len(repeated):
            first = ", ".join(f"{name} {repeated[name].iloc[0]}" for name in columns)
            raise DataError(f"{path}: a trial is listed twice: {first}.")
