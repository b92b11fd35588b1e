"""Reads NIfTI images volume by volume, and refuses those that are damaged or on another grid."""

from __future__ import annotations

import gc
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError
from nibabel.wrapstruct import WrapStructError

from rulealign.errors import DataError

_UNREADABLE = (
    *(OSError, EOFError, ValueError, zlib.error),
    *(ImageFileError, HeaderDataError, WrapStructError),
)
# headers store single precision; a real difference is a shift by millimetres, or a turn
_MILLIMETRES = 1e-3
_BLOCK_BYTES = 64_000_000


class Grid(NamedTuple):
    """Where the voxels of an image lie: the file, its three lengths and its affine (mm)."""

    path: Path
    shape: tuple[int, ...]
    affine: np.ndarray


def read_volume(path: Path) -> tuple[np.ndarray, Grid]:
    """Read an image of one volume.

    Args:
        path: a .nii.gz or .nii file.

    Returns:
        The array (x, y, z) as the file has it (scaled where its header says so), and its grid.
        Axes of length 1 behind these three are left out: some programs write one.

    Raises:
        DataError: the file is missing, damaged or cut short, or holds several volumes.
    """
    with _opened(path) as (image, stream):
        shape = image.shape[:3]
        if len(shape) != 3 or set(image.shape[3:]) - {1}:
            raise DataError(f"{path}: one volume is expected; the file's shape is {image.shape}.")
        array = np.asanyarray(image.dataobj).reshape(shape)
        _read_to_the_end(stream)
        return array, Grid(Path(path), shape, image.affine)


def read_grid(path: Path) -> tuple[Grid, int]:
    """Read where the voxels of an image lie, and how many volumes it has; no voxel is read.

    Args:
        path: a .nii.gz or .nii file.

    Raises:
        DataError: the file is missing, is no NIfTI image, or has less than three axes.
    """
    with _opened(path) as (image, _):
        if len(image.shape) not in (3, 4):
            raise DataError(f"{path}: volumes are expected; the file's shape is {image.shape}.")
        return Grid(Path(path), image.shape[:3], image.affine), (*image.shape, 1)[3]


def read_voxels_of_series(path: Path, mask: np.ndarray, grid: Grid, volumes: int) -> np.ndarray:
    """Read the voxels of a mask from an image of many volumes, holding 64 MB of it at a time.

    Args:
        path: a .nii.gz or .nii file of shape (x, y, z, volumes).
        mask: which voxels, bool, shape (x, y, z).
        grid: the grid of the mask, on which the file must lie.
        volumes: how many volumes it must have.

    Returns:
        float32, shape (voxels, volumes), voxels as in `voxels_of`.

    Raises:
        DataError: the file is missing, damaged or cut short, lies on another grid, or has another
            number of volumes.
    """
    values = np.empty((np.count_nonzero(mask), volumes), dtype=np.float32)
    with _opened(path) as (image, stream):
        require_same_grid(grid, Grid(Path(path), image.shape[:3], image.affine))
        if image.shape[3:] != (volumes,):
            raise DataError(
                f"{path}: {volumes} volumes are expected, one per row of its conditions; the file's"
                f" shape is {image.shape}. Get both files again from one source."
            )
        block = max(1, _BLOCK_BYTES // (8 * mask.size))
        for start in range(0, volumes, block):
            some = slice(start, start + block)
            read = np.asanyarray(image.dataobj[..., some])
            values[:, some] = voxels_of(read, mask, grid).T
        _read_to_the_end(stream)
    return values


def voxels_of(image: np.ndarray, mask: np.ndarray, grid: Grid) -> np.ndarray:
    """Take the voxels of a mask from an image, by `nilearn.masking`; nothing is resampled.

    Args:
        image: shape (x, y, z) or (x, y, z, volumes); values that are not finite are kept.
        mask: which voxels, bool, shape (x, y, z).
        grid: of both.

    Returns:
        Shape (voxels,) or (volumes, voxels), voxels in the C order of the mask.
    """
    from nilearn.masking import apply_mask_fmri  # slow to import

    arrays = image, mask.astype(np.uint8)
    images = [nibabel.Nifti1Image(array, grid.affine, dtype=array.dtype) for array in arrays]
    # nilearn collects garbage in each call; without what was there before, there is hardly any
    gc.freeze()
    try:
        return apply_mask_fmri(*images, dtype=image.dtype, ensure_finite=False)
    finally:
        gc.unfreeze()


def same_grid(grid: Grid, other: Grid) -> bool:
    """Say whether the voxels of two images lie in the same places.

    Args:
        grid: that of the first.
        other: that of the second.

    Returns:
        Whether shapes are equal, and affines to 0.001.
    """
    near = {"rtol": 0, "atol": _MILLIMETRES}
    return grid.shape == other.shape and np.allclose(grid.affine, other.affine, **near)


def require_same_grid(grid: Grid, other: Grid) -> None:
    """Refuse two images whose voxels do not lie in the same places.

    Args:
        grid: that of the first.
        other: that of the second.

    Raises:
        DataError: shapes differ, or affines by more than 0.001; names both files, shapes and
            affines.
    """
    if same_grid(grid, other):
        return
    raise DataError(
        f"{other.path} (shape {other.shape}, affine {_plain(other.affine)}) and {grid.path} (shape"
        f" {grid.shape}, affine {_plain(grid.affine)}) do not lie on the same grid: they are of"
        " different subjects, spaces or releases. Get both from one source; nothing is resampled"
        " here."
    )


def _plain(affine: np.ndarray) -> list[list[float]]:
    return np.round(affine[:3], 3).tolist()


@contextmanager
def _opened(path: Path) -> Iterator[tuple[nibabel.Nifti1Image, BinaryIO]]:
    opener = gzip.open if Path(path).suffix == ".gz" else open
    try:
        with opener(path, "rb") as stream:
            yield nibabel.Nifti1Image.from_stream(stream), stream
    except _UNREADABLE as error:
        raise DataError(
            f"{path}: cannot be read as a NIfTI image ({error}). It may have been cut short; get it"
            " again from its source."
        ) from error


def _read_to_the_end(stream: BinaryIO) -> None:
    # the checksum of a .gz file is its last bytes, which reading the volumes alone does not reach
    while stream.read(1 << 20):
        pass
