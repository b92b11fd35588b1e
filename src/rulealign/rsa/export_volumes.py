"""Volumes of ROIs: which voxels are in them, and the noise ceilings of these."""

from __future__ import annotations

import gzip
from pathlib import Path

import h5py
import nibabel
import numpy as np

from rulealign.atomic import whole
from rulealign.store import open_h5, read_ids


def export_volumes(results: Path, folder: Path) -> list[Path]:
    """Write NIfTI volumes of each subject's ROIs, where responses were read from volumes.

    Args:
        results: the study's folder of results.
        folder: where files are made, each on the grid of the betas: `sub-<s>_rois.nii.gz`, int16,
            in how many ROIs of the study a voxel is; and `sub-<s>_roi-<r>_ceiling.nii.gz`, float32,
            the noise ceiling of the mean of a stimulus' trials (percent; NaN outside of the ROI,
            and where no stimulus was repeated).

    Returns:
        The files; none where no grid is known, as of other kinds of brain data.

    Raises:
        StoreError: a result cannot be read, or the disk is full.
    """
    counts: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    made = []
    for path in sorted(results.glob("brain/sub-*_responses.h5")):
        with open_h5(path) as file:
            if "grid_shape" not in file.attrs:
                continue
            affine, inside, ceilings = _ceilings(file)
            subject, roi = str(file.attrs["subject"]), str(file.attrs["roi"])
        of_subject = counts.setdefault(subject, (affine, np.zeros(inside.shape, dtype=np.int16)))
        of_subject[1][inside] += 1
        made.append(folder / f"sub-{subject}_roi-{roi}_ceiling.nii.gz")
        _write(made[-1], ceilings, affine)
    for subject, (affine, count) in counts.items():
        made.append(folder / f"sub-{subject}_rois.nii.gz")
        _write(made[-1], count, affine)
    return made


def _ceilings(file: h5py.File) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shape = tuple(file.attrs["grid_shape"])
    places = np.unravel_index(list(map(int, read_ids(file, "voxel"))), shape)
    inside, values = np.zeros(shape, dtype=bool), np.full(shape, np.nan, dtype=np.float32)
    inside[places], values[places] = True, file["voxels/nc_testset"][()]
    return np.reshape(file.attrs["grid_affine"], (4, 4)), inside, values


def _write(path: Path, array: np.ndarray, affine: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, affine)
    with whole(path) as temporary:
        temporary.write_bytes(gzip.compress(image.to_bytes(), mtime=0))
