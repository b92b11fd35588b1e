"""The betas of a run, whatever the files: NIfTI of many volumes or of one, and arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import h5py
import numpy as np

from rulealign.config.betas import BetaFiles
from rulealign.data.betas.source import files_by_run, trial_pattern
from rulealign.data.npz import UNREADABLE, whole_array
from rulealign.data.things.nifti import (
    Grid,
    read_grid,
    read_volume,
    read_voxels_of_series,
    require_same_grid,
)
from rulealign.data.times import times_in_ms
from rulealign.errors import DataError
from rulealign.store import open_h5

SURFACES = (".gii", ".dscalar.nii", ".dtseries.nii", ".dlabel.nii")
"""Endings of GIFTI and CIFTI: an array of maps x vertices, or x grayordinates."""

ARRAYS = (".npy", ".h5", ".hdf5", *SURFACES)
"""Endings of files that hold an array and no grid in space."""

_BLOCK_BYTES = 64_000_000


@dataclass(frozen=True)
class Series:
    """The betas of one run of one subject, or of what its files tell of runs.

    Attributes:
        run: session and run, without leading zeros; "" where names of files have none.
        paths: one file of many betas, or files of one each, in order.
        told: where files are, and what they hold.
    """

    run: tuple[str, ...]
    paths: Sequence[Path]
    told: BetaFiles

    @cached_property
    def _first(self) -> tuple[Grid, int]:
        return _size(self.paths[0], self.told)

    @property
    def grid(self) -> Grid:
        """Say where its voxels lie, by the first file."""
        return self._first[0]

    @property
    def count(self) -> int:
        """Count its betas, as far as headers tell."""
        return len(self.paths) if trial_pattern(self.told) else self._first[1]

    def voxels(self, inside: np.ndarray, grid: Grid) -> np.ndarray:
        """Read the betas of some voxels.

        Args:
            inside: which, bool, of the grid's shape.
            grid: on which every file must lie.

        Returns:
            float32, shape (voxels, betas); voxels in C order.

        Raises:
            DataError: a file is damaged, or lies on another grid.
        """
        if is_array(self.paths[0]):
            require_same_grid(grid, self.grid)
            return _array_voxels(self.paths[0], self.told, inside)
        if not trial_pattern(self.told):
            return read_voxels_of_series(self.paths[0], inside, grid, self.count)
        columns = [_volume_voxels(path, inside, grid) for path in self.paths]
        return np.stack(columns, axis=1)


def is_array(path: Path) -> bool:
    """Say whether a file holds an array without a grid in space.

    Args:
        path: the file.
    """
    return path.name.lower().endswith(ARRAYS)


def series_of(told: BetaFiles, subject: str, part: Mapping[str, str]) -> list[Series]:
    """List the series of a subject in the order of their runs.

    Args:
        told: where files are, and what they hold.
        subject: label.
        part: labels of the ROI or hemisphere, where each has files of its own.

    Returns:
        The series; nothing has been read yet.

    Raises:
        DataError: there are no files.
    """
    runs = files_by_run(told.betas, "brain.betas", subject, **part)
    return [Series(run, [file.path for file in files], told) for run, files in runs.items()]


def _volume_voxels(path: Path, inside: np.ndarray, grid: Grid) -> np.ndarray:
    values, own = read_volume(path)
    require_same_grid(grid, own)
    return values[inside].astype(np.float32)


def _size(path: Path, told: BetaFiles) -> tuple[Grid, int]:
    if not is_array(path):
        return read_grid(path)
    with _opened(path, told.key) as array:
        if len(array.shape) < 2 or array.dtype.kind not in "fiu":
            raise DataError(
                f"{path}: holds {array.dtype} of shape {array.shape}; numbers with an axis of"
                " trials and one or more of voxels are expected."
            )
        if told.trials_are == "first":
            return array_grid(path, array.shape[1:]), array.shape[0]
        return array_grid(path, array.shape[:-1]), array.shape[-1]


def times_of(path: Path, told: BetaFiles) -> np.ndarray:
    """Give the times of an array of sensors x times.

    Args:
        path: its file.
        told: what it holds; `times` say when.

    Returns:
        float64, shape (n_times,), in ms; increasing.

    Raises:
        DataError: the array has no axis of times, or one of another length.
    """
    shape = _size(path, told)[0].shape
    if len(shape) < 2:
        raise DataError(
            f"{path}: has an axis of trials and one other; with brain.times it needs sensors and"
            " times, such as trials x sensors x times. Leave brain.times out, or write them all."
        )
    return times_in_ms(told.times, shape[-1], path, "brain.times")


def array_grid(path: Path, shape: tuple[int, ...]) -> Grid:
    """Give the grid of an array, whose voxels lie in no known place.

    Args:
        path: its file, for messages.
        shape: its axes of voxels.
    """
    return Grid(path, tuple(shape), np.eye(4))


def _array_voxels(path: Path, told: BetaFiles, inside: np.ndarray) -> np.ndarray:
    first = told.trials_are == "first"
    with _opened(path, told.key) as array:
        count = array.shape[0 if first else -1]
        out = np.empty((np.count_nonzero(inside), count), dtype=np.float32)
        step = max(1, _BLOCK_BYTES // (8 * inside.size))
        for start in range(0, count, step):
            some = slice(start, start + step)
            read = array[some] if first else np.moveaxis(array[..., some], -1, 0)
            out[:, some] = read[:, inside].T
    return out


@contextmanager
def _opened(path: Path, key: str | None) -> Iterator[np.ndarray | h5py.Dataset]:
    if path.suffix.lower() == ".npy":
        yield _plain_array(path, partial(whole_array, path, key))
        return
    if path.name.lower().endswith(SURFACES):
        yield _plain_array(path, partial(_maps, path))
        return
    with open_h5(path) as file:
        named = key or (next(iter(file)) if len(file) == 1 else "")
        if not isinstance(file.get(named), h5py.Dataset):
            wanted = f"has no array '{key}'" if key else "name the array in it with brain.key"
            raise DataError(f"{path}: {wanted}; it has {sorted(file)}.")
        yield file[named]


def mask_array(path: Path) -> np.ndarray:
    """Read a mask or a map of labels without a grid in space.

    Args:
        path: .npy, GIFTI or CIFTI; of several maps the first.

    Returns:
        Whole or real numbers, axes of voxels as in the file.

    Raises:
        DataError: the file is damaged, or of another form.
    """
    if path.name.lower().endswith(SURFACES):
        return _plain_array(path, partial(_maps, path))[0]
    if path.suffix.lower() != ".npy":
        raise DataError(f"{path}: masks of arrays are read from .npy, GIFTI and CIFTI files.")
    return _plain_array(path, partial(whole_array, path, None))


def _maps(path: Path) -> np.ndarray:
    import nibabel

    try:
        image = nibabel.load(path)
    except Exception as error:  # of parsers of XML, too
        raise ValueError(str(error)) from error
    if hasattr(image, "darrays"):
        return np.vstack([one.data for one in image.darrays])
    return np.asanyarray(image.dataobj)


def _plain_array(path: Path, read: Callable[[], np.ndarray]) -> np.ndarray:
    try:
        return read()
    except UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as a plain array ({error}). Write it again; an array of Python"
            " objects is not loaded, because it may hold code."
        ) from error
