"""The ways in to THINGS-like responses: one interface, three forms, equal results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

REGISTRY: dict[str, str] = {
    "tables": "rulealign.data.things.tables_form:Tables",
    "volumes": "rulealign.data.things.volumes_form:Volumes",
    "remote-rows": "rulealign.data.things.remote_rows:RemoteRows",
}


class Form(Protocol):
    """One way in to subjects' responses, voxels and trials; each method names a subject ("01").

    Attributes:
        believed: whether nothing told which trials the responses that were read last are of, and
            their order was believed.
    """

    believed: bool

    def trials(self, subject: str) -> pd.DataFrame:
        """Give the trials in the order of the responses' columns.

        Args:
            subject: label, such as "01".

        Returns:
            The columns of `things_tables.TRIAL_COLUMNS` and subject_id, one row per trial.

        Raises:
            DataError: a file is missing, damaged or contradicts another.
        """

    def columns(self, subject: str) -> list[str]:
        """List the ROI columns that there are.

        Args:
            subject: label.

        Returns:
            Names as the source has them, line breaks included.

        Raises:
            DataError: a file is missing or damaged.
        """

    def voxels(self, subject: str, columns: Sequence[str]) -> pd.DataFrame:
        """Give all voxels of the brain in the order of its mask.

        Args:
            subject: label.
            columns: names of `columns`, and voxel_x voxel_y voxel_z (array indices),
                nc_singletrial and nc_testset (percent).

        Returns:
            voxel_id and those columns, one row per voxel.

        Raises:
            DataError: a column is unknown (names the nearest), or a file is missing or damaged.
        """

    def responses(self, subject: str, rows: np.ndarray) -> np.ndarray:
        """Read the responses of some voxels, and no others where the form allows it.

        Args:
            subject: label.
            rows: increasing rows of `voxels`, int64, shape (n,).

        Returns:
            float32, shape (n, trials).

        Raises:
            DataError: a file is missing, damaged or contradicts another.
        """

    def source(self, subject: str) -> str:
        """Name the place of a subject's responses, for messages.

        Args:
            subject: label.

        Returns:
            A path or an address.
        """

    def acquisition(self, subject: str) -> dict[str, Any]:
        """Read what the files' sidecars say of scanner and sequence.

        Args:
            subject: label.

        Returns:
            Such as {"MagneticFieldStrength": 3.0, "source": "task-things_bold.json"}; {} where no
            sidecar says anything.
        """


def open_form(
    form: str, place: Path, *, address: str = "", parallel: int = 1, as_stored: bool = False
) -> Form:
    """Open one of the three forms.

    Args:
        form: `tables`, `volumes` or `remote-rows`.
        place: the folder with the files of that form; of `remote-rows` the folder with the small
            tables that were fetched.
        address: of `remote-rows`: the server's place, such as s3://openneuro.org/ds004192.
        parallel: of `remote-rows`: requests at a time.
        as_stored: whether responses are believed to be in order where nothing that can be read
            tells which trials they are of.

    Returns:
        The form; nothing has been read yet.
    """
    # each form brings its own libraries, which take seconds to import
    module, name = REGISTRY[form].split(":")
    make = getattr(import_module(module), name)
    remote = (address, parallel) if form == "remote-rows" else ()
    return make(place, *remote, as_stored=as_stored)


def open_configured(settings: Mapping[str, Any], place: Path, *, parallel: int) -> Form:
    """Open the form that a study's section `things` names.

    Args:
        settings: `form`, of remote-rows `address`, and `columns` where it is not `checked`.
        place: as in `open_form`.
        parallel: requests at a time; no setting of the result, so changing it reads nothing anew.

    Returns:
        The form.
    """
    address = settings.get("address", "")
    as_stored = settings.get("columns") == "as_stored"
    return open_form(
        settings["form"], place, address=address, parallel=parallel, as_stored=as_stored
    )
