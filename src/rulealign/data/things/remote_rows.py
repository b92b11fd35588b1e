"""THINGS-fMRI from OpenNeuro's S3: small tables fetched whole, of the responses only some rows.

The responses of one subject are one array of 16 GB, row by row; V1 is a thousand of its 211,339
rows. The HDF5 file is opened over the network only to learn where the array lies; the bytes of the
rows are then asked for directly, several ranges at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from rulealign.data.download.space import megabytes
from rulealign.data.things.byte_ranges import Rows, fetch_rows
from rulealign.data.things.remote_hdf5 import RemoteHdf5, open_remote
from rulealign.data.things.s3 import NoSuchObject, connected, look_up
from rulealign.data.things.s3_download import fetch_object
from rulealign.data.things.table_files import OPENNEURO, find_table, official_names
from rulealign.data.things.table_text import read_table
from rulealign.data.things.tables_form import (
    VALUES,
    VOXEL_IDS,
    Tables,
    require_layout,
    require_same_voxels,
)
from rulealign.data.things.trial_columns import labelled
from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from s3fs import S3FileSystem

    from rulealign.plan.settings.brain import FormSettings

WASTE = 0.15
"""Share of the bytes of an ROI that may be read on top of them, to ask for fewer ranges."""

_IDS_WASTE = 0.03  # the same, for the voxel_id of the rows
_SIDECAR = "sub-{s}/ses-things01/func/sub-{s}_ses-things01_task-things_run-01_bold.json"


def fetch_small_tables(
    address: str, subject: str, folder: Path, endpoint: str | None = None
) -> None:
    """Get one subject's tables of voxels and trials, and the sidecar of the first run.

    Args:
        address: the dataset, such as `s3://openneuro.org/ds004192`.
        subject: label, such as "01".
        folder: where to put them, under their names at the source.
        endpoint: URL of the S3 service; None for AWS_ENDPOINT_URL, and without that Amazon's.

    Raises:
        DataError: there is no such dataset or subject, no network, or the bytes are wrong.
        StoreError: a table does not fit on the disk.
    """
    with connected(endpoint) as files:
        for kind in ("voxels", "stimuli"):
            name = official_names(kind, subject)[1]
            fetch_object(files, _below(address, subject, name), Path(folder) / name)
        sidecar = _SIDECAR.format(s=subject)
        try:
            target = Path(folder) / Path(sidecar).name
            fetch_object(files, f"{address.rstrip('/')}/{sidecar}", target)
        except NoSuchObject:
            print(f"{address}/{sidecar}: is not there; scanner and sequence are not known")


def _below(address: str, subject: str, name: str) -> str:
    return f"{address.rstrip('/')}/{OPENNEURO.format(s=subject)}/{name}"


class RemoteRows:
    """The table form on a server: a subject's tables on disk, the responses read row by row.

    Args:
        folder: what `fetch_small_tables` made, of one subject or of several.
        address: the dataset, such as `s3://openneuro.org/ds004192`.
        parallel: requests at a time.
        endpoint: URL of the S3 service; None for AWS_ENDPOINT_URL, and without that Amazon's.
        as_stored: whether columns are believed to be in order where their labels cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        address: str,
        parallel: int,
        endpoint: str | None = None,
        *,
        as_stored: bool = False,
    ) -> None:
        self._as_stored, self.believed = as_stored, False
        self._folder, self._tables = Path(folder), Tables(folder)
        self._address, self._parallel, self._endpoint = address, parallel, endpoint

    @classmethod
    def opened(cls, settings: FormSettings, place: Path, parallel: int) -> Self:
        """Open the form as a study says; see `forms.open_form`."""
        return cls(place, settings.address, parallel, as_stored=settings.as_stored)

    def trials(self, subject: str) -> pd.DataFrame:
        """Give the trials; see `forms.Form.trials`."""
        return self._tables.trials(subject)

    def columns(self, subject: str) -> list[str]:
        """List the ROI columns; see `forms.Form.columns`."""
        return self._tables.columns(subject)

    def voxels(self, subject: str, columns: Sequence[str]) -> pd.DataFrame:
        """Give all voxels; see `forms.Form.voxels`."""
        return self._tables.voxels(subject, columns)

    def source(self, subject: str) -> str:
        """Name the remote response file; see `forms.Form.source`."""
        return _below(self._address, subject, official_names("responses", subject)[1])

    def space(self, _subject: str) -> dict[str, Any]:
        """Give nothing: voxels go by the rows of a table; see `forms.Form.space`."""
        return {}

    def acquisition(self, subject: str) -> dict[str, Any]:
        """Read the sidecar that was fetched; see `forms.Form.acquisition`."""
        return self._tables.acquisition(subject)

    def responses(self, subject: str, rows: np.ndarray) -> np.ndarray:
        """Read rows of the remote response file; see `forms.Form.responses`.

        What is needed and what will be read is printed before, then progress. Memory beyond the
        result: `parallel` pieces of `byte_ranges.PIECE`.
        """
        rows = np.asarray(rows, dtype=np.int64)
        address = self.source(subject)
        table = find_table(self._folder, "voxels", subject)
        voxels = read_table(table, ["voxel_id"])["voxel_id"].to_numpy()
        trials = self.trials(subject)
        _require_rows(rows, len(voxels), table)
        with connected(self._endpoint, self._parallel) as files:
            found = look_up(files, address)
            with open_remote(files, found, self._parallel) as remote:
                file = remote.file
                remote.reading(lambda: require_layout(file, address, len(voxels), len(trials)))
                self.believed = not remote.reading(
                    lambda: labelled(file, address, trials, as_stored=self._as_stored)
                )
                size = len(rows) * len(trials) * remote.reading(lambda: file[VALUES].dtype.itemsize)
                here = voxels.copy()
                here[rows] = self._read(files, remote, VOXEL_IDS, rows, _IDS_WASTE * size)[:, 0]
                require_same_voxels(here, voxels, address, table)
                what = f"sub-{subject}, {len(rows)} voxels"
                return self._read(files, remote, VALUES, rows, WASTE * size, what)

    def _read(
        self,
        files: S3FileSystem,
        remote: RemoteHdf5,
        name: str,
        rows: np.ndarray,
        spare: float,
        what: str = "",
    ) -> np.ndarray:
        """Read rows: as float32 where they are floating, as they are where they are whole."""
        dataset = remote.reading(lambda: remote.file[name])
        kind = np.float32 if dataset.dtype.kind == "f" else dataset.dtype.newbyteorder("=")
        out = np.empty((len(rows), dataset.shape[1]), dtype=kind)
        offset = remote.reading(dataset.id.get_offset)
        if offset is not None:
            array = Rows(offset, dataset.shape, dataset.dtype)
            fetch_rows(files, remote.found, array, rows, out, spare, self._parallel, what)
            return out
        if what:
            needed = megabytes(len(rows) * dataset.shape[1] * dataset.dtype.itemsize)
            print(
                f"{what}: {needed}, and what lies in the same chunks {dataset.chunks}", flush=True
            )
        if dataset.chunks is None:  # within the file's own description, so it is small
            out[:] = remote.reading(lambda: dataset[()])[rows]
        else:
            remote.chunked_rows(name, rows, out)
        return out


def _require_rows(rows: np.ndarray, voxels: int, table: Path) -> None:
    if not len(rows) or rows[0] < 0 or rows[-1] >= voxels or (np.diff(rows) <= 0).any():
        raise DataError(
            f"{table}: has {voxels} voxels; rows that increase from 0 to {voxels - 1} can be read,"
            f" not {rows[:3].tolist()} to {rows[-3:].tolist()}."
        )
