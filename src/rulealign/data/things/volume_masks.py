"""The voxel table of the volume form: from brain mask, ROI masks and noise ceilings."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from rulealign.data.things.nifti import Grid, read_volume, require_same_grid, voxels_of
from rulealign.data.things.table_files import official_names
from rulealign.data.things.tables import read_voxels, roi_columns, unknown_column
from rulealign.data.things.volume_files import VISUAL_AREAS, RoiMask, VolumeFiles
from rulealign.errors import DataError

_AXES = ("voxel_x", "voxel_y", "voxel_z")
_CEILINGS = {"nc_singletrial": 1, "nc_testset": 12}  # column -> trials averaged
_OTHER_SUBJECTS = (
    "they are of different subjects or releases. Get both from one source, or take the table away."
)


class Brain(NamedTuple):
    """A subject's brain mask: bool (x, y, z), and its grid."""

    inside: np.ndarray
    grid: Grid

    def only(self, rows: np.ndarray) -> np.ndarray:
        """Give the mask of some of its voxels, named by their rows in the voxel table."""
        mask = np.zeros_like(self.inside)
        mask[tuple(axis[rows] for axis in self.places)] = True
        return mask

    @property
    def places(self) -> tuple[np.ndarray, ...]:
        """Give the array indices of the voxels in C order: one int64 array (voxels,) per axis."""
        return np.nonzero(self.inside)


def read_brain(path: Path) -> Brain:
    """Read a brain mask.

    Args:
        path: `sub-01_space-T1w_brainmask.nii.gz`.

    Returns:
        The mask and its grid.

    Raises:
        DataError: the file is damaged, holds other values than 0 and 1, or marks no voxel.
    """
    array, grid = read_volume(path)
    inside = require_whole_numbers(array, path, 1) == 1
    if not inside.any():
        raise DataError(f"{path}: marks no voxel; get it again from its source.")
    return Brain(inside, grid)


def require_whole_numbers(array: np.ndarray, path: Path, largest: int) -> np.ndarray:
    """Refuse a mask that was interpolated, or is something else.

    Args:
        array: an image.
        path: its file, for the message.
        largest: its values may be 0 to this: 1 for a mask, more for a map of labels.

    Returns:
        The array.

    Raises:
        DataError: names the first other value and its place.
    """
    wrong = ~np.isin(array, np.arange(largest + 1))
    if wrong.any():
        place = tuple(int(index) for index in np.argwhere(wrong)[0])
        raise DataError(
            f"{path}: holds {array[place]} at {place}, where whole numbers from 0 to {largest} are"
            " expected; get the mask again from its source."
        )
    return array


class VolumeColumns:
    """The columns of one subject's voxel table, each read when it is asked for.

    A column comes from the masks and, where these have none, from the voxel table of the table
    form; where both have it, they must agree.

    Args:
        files: the files of the volume form.
        subject: label, such as "01".
        brain: the subject's brain mask.
    """

    def __init__(self, files: VolumeFiles, subject: str, brain: Brain) -> None:
        self._files, self._subject, self._brain = files, subject, brain
        self._masks = files.roi_masks(subject)
        self._table = files.voxel_table(subject)

    @property
    def names(self) -> list[str]:
        """List the ROI columns: those with masks, then those of the voxel table alone."""
        table = roi_columns(self._table) if self._table else []
        return [*self._masks, *(name for name in table if name not in self._masks)]

    def read(self, name: str) -> np.ndarray:
        """Read one column.

        Args:
            name: an ROI of `names` (0/1), voxel_x voxel_y voxel_z (array indices), or
                nc_singletrial nc_testset (percent; NaN where no file has them).

        Returns:
            int64 or float64, shape (voxels,), in the order of the brain mask.

        Raises:
            DataError: no file has the column, or a file is damaged or contradicts another.
        """
        if name in _AXES:
            return self._brain.places[_AXES.index(name)]
        image, table = self._from_images(name), self._from_table(name)
        if image is None and table is None and name in _CEILINGS:
            return np.full(len(self._brain.places[0]), np.nan)
        if image is None and table is None:
            raise DataError(self._unknown(name))
        if image is not None and table is not None:
            self._require_agreement(name, image, table)
        return table if image is None else image

    def _from_images(self, name: str) -> np.ndarray | None:
        if name in self._masks:
            return self._roi(name, self._masks[name])
        averaged = _CEILINGS.get(name)
        path = averaged and self._files.noise_ceiling(self._subject, averaged)
        return self._ceiling(path) if path else None

    def _roi(self, name: str, masks: list[RoiMask]) -> np.ndarray:
        flags = [self._flags(mask) for mask in masks]
        for mask, other in zip(masks[1:], flags[1:], strict=True):
            if differ := int((other != flags[0]).sum()):
                raise DataError(
                    f"{masks[0].path} and {mask.path} are both masks of {name}, and differ in"
                    f" {differ} voxels; keep one of them below things.root."
                )
        return flags[0]

    def _flags(self, mask: RoiMask) -> np.ndarray:
        array, grid = read_volume(mask.path)
        require_same_grid(self._brain.grid, grid)
        allowed = 1 if mask.label is None else len(VISUAL_AREAS)
        require_whole_numbers(array, mask.path, allowed)
        # voxels of a mask that lie outside the brain mask have no responses in any form
        of_roi = (array == (mask.label or 1)).astype(np.uint8)
        return self._within_brain(of_roi).astype(np.int64)

    def _ceiling(self, path: Path) -> np.ndarray:
        array, grid = read_volume(path)
        require_same_grid(self._brain.grid, grid)
        values = self._within_brain(array).astype(np.float64)
        low, high = np.nanmin(values, initial=0), np.nanmax(values, initial=0)
        # shares instead of percent: no brain is so noisy that all voxels stay below 1%
        if low < 0 or high > 100 or 0 < high <= 1:
            raise DataError(
                f"{path}: holds noise ceilings from {low:g} to {high:g}, where percent (0 to 100)"
                " are expected. Get it again from its source, or take it away: noise ceilings are"
                " then those of the voxel table, or unknown."
            )
        return values

    def _within_brain(self, array: np.ndarray) -> np.ndarray:
        return voxels_of(array, self._brain.inside, self._brain.grid)

    def _from_table(self, name: str) -> np.ndarray | None:
        if self._table is None or name not in (*roi_columns(self._table), *_CEILINGS):
            return None
        table = read_voxels(self._table, [*_AXES, name])
        if len(table) != len(self._brain.places[0]):
            raise DataError(
                f"{self._table}: has {len(table)} voxels, {self._brain.grid.path} marks"
                f" {len(self._brain.places[0])}: {_OTHER_SUBJECTS}"
            )
        expected = (np.arange(len(table)), *self._brain.places)
        for column, values in zip(("voxel_id", *_AXES), expected, strict=True):
            if len(rows := np.flatnonzero(table[column].to_numpy() != values)):
                raise DataError(
                    f"{self._table}: {column} of row {rows[0]} is {table[column][rows[0]]}, and"
                    f" {values[rows[0]]} in {self._brain.grid.path}: {_OTHER_SUBJECTS}"
                )
        return table[name].to_numpy()

    def _require_agreement(self, name: str, image: np.ndarray, table: np.ndarray) -> None:
        # texts and single precision round; 0/1 differ by 1
        differ = ~np.isclose(image, table, rtol=1e-4, atol=1e-4, equal_nan=True)
        if differ.any():
            row = int(np.argmax(differ))
            raise DataError(
                f"{self._table}: '{name}' differs from that of the images below"
                f" {self._files.root} in {differ.sum()} voxels, first in row {row}: {table[row]}"
                f" and {image[row]}. Keep only one of the two below things.root."
            )

    def _unknown(self, name: str) -> str:
        place = f"{self._files.root}: no mask in the volume form of sub-{self._subject}"
        table = official_names("voxels", self._subject)[0]
        return (
            f"{unknown_column(place, name, self.names)}. IT and glasser-* have no masks: put"
            f" {table} of the table form below things.root, too, or use another form."
        )
