"""THINGS-fMRI in its table form: responses row by row from an HDF5 file, and two tables.

`sub-01_ResponseData.h5` is a pandas file with pickles inside; it is read with h5py alone, never
with pandas or PyTables, and only the rows that are asked for. Source of the form: Hebart et al.
2023, eLife 12:e82580.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import h5py
import numpy as np

from rulealign.data.things.table_files import find_table
from rulealign.data.things.table_text import read_table
from rulealign.data.things.tables import (
    read_trials,
    read_voxels,
    require_subject,
    roi_columns,
)
from rulealign.data.things.trial_columns import labelled
from rulealign.errors import DataError
from rulealign.store import open_h5

if TYPE_CHECKING:
    import pandas as pd

    from rulealign.plan.settings.brain import FormSettings

VALUES, VOXEL_IDS = "ResponseData/block0_values", "ResponseData/block1_values"
"""The datasets of a response file: (voxels, trials), and the voxel_id of each row."""

_AGAIN = "Get the file again from its source."
SIDECAR_KEYS = ("MagneticFieldStrength", "RepetitionTime", "Manufacturer", "TaskName")
"""What is read from BIDS sidecars; units as BIDS has them (tesla, seconds)."""


class Tables:
    """The table form in one of its official layouts.

    Args:
        root: a folder as in `table_files.find_table`; nothing is written there.
        as_stored: whether columns are believed to be in order where their labels cannot be read.
    """

    def __init__(self, root: Path, *, as_stored: bool = False) -> None:
        self._root, self._as_stored, self.believed = Path(root), as_stored, False

    def _table(self, kind: str, subject: str) -> Path:
        return find_table(self._root, kind, subject)

    @classmethod
    def opened(cls, settings: FormSettings, place: Path, _parallel: int) -> Self:
        """Open the form as a study says; see `forms.open_form`."""
        return cls(place, as_stored=settings.as_stored)

    def trials(self, subject: str) -> pd.DataFrame:
        """Give the trials; see `forms.Form.trials`."""
        path = self._table("stimuli", subject)
        trials = read_trials(path)
        require_subject(path, trials, subject)
        return trials

    def columns(self, subject: str) -> list[str]:
        """List the ROI columns; see `forms.Form.columns`."""
        return roi_columns(self._table("voxels", subject))

    def voxels(self, subject: str, columns: Sequence[str]) -> pd.DataFrame:
        """Give all voxels; see `forms.Form.voxels`."""
        path = self._table("voxels", subject)
        table = read_voxels(path, [*columns, "subject_id"])  # read once: it has 211,339 rows
        require_subject(path, table, subject)
        return table.drop(columns="subject_id")

    def responses(self, subject: str, rows: np.ndarray) -> np.ndarray:
        """Read rows of the response file; see `forms.Form.responses`."""
        path, table = self._table("responses", subject), self._table("voxels", subject)
        voxels = read_table(table, ["voxel_id"])["voxel_id"].to_numpy()
        trials = self.trials(subject)
        with open_h5(path) as file:
            require_layout(file, str(path), len(voxels), len(trials))
            self.believed = not labelled(file, str(path), trials, as_stored=self._as_stored)
            require_same_voxels(file[VOXEL_IDS][:, 0], voxels, str(path), table)
            return read_rows(file[VALUES], rows)

    def source(self, subject: str) -> str:
        """Name the response file; see `forms.Form.source`."""
        return str(self._table("responses", subject))

    def space(self, _subject: str) -> dict[str, Any]:
        """Give nothing: voxels go by the rows of a table; see `forms.Form.space`."""
        return {}

    def acquisition(self, subject: str) -> dict[str, Any]:
        """Read sidecars that lie in the folder's tree; see `forms.Form.acquisition`."""
        roots = (self._root, self._root / "ds004192")
        own = f"sub-{subject}/ses-things*/func/sub-{subject}_*bold.json"
        patterns = (f"sub-{subject}_*bold.json", own, "task-things_bold.json")
        found = [path for root in roots for name in patterns for path in sorted(root.glob(name))]
        return read_sidecar(found[:1])


def read_sidecar(paths: Sequence[Path]) -> dict[str, Any]:
    """Read scanner and sequence from BIDS sidecars.

    Args:
        paths: JSON files; the first that states any of `SIDECAR_KEYS` counts.

    Returns:
        Those of `SIDECAR_KEYS` that it states, and its name as `source`; {} where none does.

    Raises:
        DataError: a file is no JSON.
    """
    for path in paths:
        try:
            stated = json.loads(Path(path).read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise DataError(
                f"{path}: is no JSON ({error}); get it again from its source."
            ) from error
        kept = {key: stated[key] for key in SIDECAR_KEYS if key in stated}
        if kept:
            return {**kept, "source": Path(path).name}
    return {}


def require_layout(file: h5py.File, name: str, voxels: int, trials: int) -> None:
    """Refuse a response file of another layout or size than its tables.

    Args:
        file: an open `sub-01_ResponseData.h5`.
        name: what to call it in a message.
        voxels: rows of the voxel table.
        trials: rows of the trial table.

    Raises:
        DataError: a dataset is missing or no number, or a size differs.
    """
    for dataset, kinds in ((VALUES, "f"), (VOXEL_IDS, "iuf")):
        if dataset not in file:
            raise DataError(
                f"{name}: has no '{dataset}'; it has {list(file)}. The table form of THINGS-fMRI is"
                " expected."
            )
        _require_numbers(file[dataset], kinds, f"{name}: '{dataset}'")
    values, ids = file[VALUES], file[VOXEL_IDS]
    for what, found, expected in zip(
        ("voxels", "trials"), values.shape, (voxels, trials), strict=True
    ):
        if found != expected:
            raise DataError(
                f"{name}: has {found} {what}, its table has {expected}: they are of different"
                " subjects or releases, or one is cut off; get both again from one source."
            )
    if ids.shape != (voxels, 1):
        raise DataError(
            f"{name}: '{VOXEL_IDS}' has the shape {ids.shape}; one voxel_id for each row of"
            f" '{VALUES}' is expected: ({voxels}, 1). {_AGAIN}"
        )


def _require_numbers(place: h5py.Dataset | h5py.Group, kinds: str, name: str) -> None:
    if not isinstance(place, h5py.Dataset):
        raise DataError(f"{name} is a group, where an array of numbers is expected. {_AGAIN}")
    if place.ndim != 2 or place.dtype.kind not in kinds:
        raise DataError(
            f"{name} is {place.dtype} of shape {place.shape}; numbers in rows and columns are"
            f" expected. {_AGAIN}"
        )


def require_same_voxels(here: np.ndarray, there: np.ndarray, name: str, table: Path) -> None:
    """Refuse responses whose rows are other voxels than those of the table.

    Args:
        here: voxel_id of each row of the responses, integer, shape (voxels,).
        there: voxel_id of each row of the table.
        name: what to call the responses in a message.
        table: the voxel table.

    Raises:
        DataError: names both files and the first row that differs.
    """
    differ = np.flatnonzero(np.asarray(here) != np.asarray(there))
    if len(differ):
        row = int(differ[0])
        raise DataError(
            f"{name}: row {row} is voxel {here[row]}, and voxel {there[row]} in {table}:"
            " they are of different subjects or releases, or one was sorted. Get both again from"
            " one source."
        )


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
