"""The ways in to THINGS-like responses: one interface, four forms, equal results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from rulealign.lazy import registered

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from rulealign.plan.settings.brain import FormSettings

REGISTRY: dict[str, str] = {
    "betas": "rulealign.data.betas.form:OwnBetas",
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

    @classmethod
    def opened(cls, settings: FormSettings, place: Path, parallel: int) -> Form:
        """Open the form as a study says; see `open_form`."""

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

    def space(self, subject: str) -> dict[str, Any]:
        """Say where voxels lie.

        Args:
            subject: label.

        Returns:
            `grid_shape` and `grid_affine` (16 numbers, mm), where the ids of voxels are places in a
            volume (C order); `times` (ms), where each voxel is a sensor at a time, and times change
            faster than sensors; else {}.
        """

    def acquisition(self, subject: str) -> dict[str, Any]:
        """Read what the files' sidecars say of scanner and sequence.

        Args:
            subject: label.

        Returns:
            Such as {"MagneticFieldStrength": 3.0, "source": "task-things_bold.json"}; {} where no
            sidecar says anything.
        """


def open_form(settings: FormSettings, place: Path, *, parallel: int) -> Form:
    """Open responses in the form that a study reads.

    Args:
        settings: the form, and what it needs to be told.
        place: the folder with the files of that form; of `remote-rows` the folder with the small
            tables that were fetched.
        parallel: requests at a time; no setting of the result, so changing it reads nothing anew.

    Returns:
        The form; nothing has been read yet.

    Raises:
        ConfigurationError: there is no such form.
    """
    # each form brings its own libraries, which take seconds to import
    return registered(REGISTRY, settings.form, "form").opened(settings, place, parallel)
