"""Which voxels of own betas each name of an ROI marks: masks, labels of an atlas, a brain mask."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from rulealign.config.betas import BetaFiles
from rulealign.data.betas.patterns import found_files, one_file
from rulealign.data.betas.series import array_grid, is_array, mask_array
from rulealign.data.betas.source import mask_file
from rulealign.data.things.nifti import Grid, read_volume, require_same_grid, same_grid
from rulealign.errors import DataError


def names_of_masks(told: BetaFiles, subject: str) -> list[str]:
    """List the names that ROIs may be made of.

    Args:
        told: where masks are.
        subject: label.

    Returns:
        Labels of the atlas, then what stands for {roi} in names of masks, or of betas.
    """
    labels = list(told.atlas.labels) if told.atlas else []
    pattern = told.betas if told.own_arrays else told.masks
    masks = found_files(pattern, subject=subject) if pattern else []
    return list(dict.fromkeys([*labels, *(found.labels["roi"] for found in masks)]))


def marked_voxels(
    told: BetaFiles, subject: str, name: str, part: Mapping[str, str], grid: Grid
) -> np.ndarray:
    """Read which voxels a name marks, of those of the brain mask.

    Args:
        told: where masks are.
        subject: label.
        name: one of `names_of_masks`.
        part: labels of the ROI or hemisphere, where each has files of its own.
        grid: that of the betas of this part.

    Returns:
        bool, of the grid's shape.

    Raises:
        DataError: there is no such mask, it lies on another grid, holds other numbers than it may,
            marks no voxel, or none of the brain mask; names both files.
    """
    if "roi" in part:
        return np.full(grid.shape, part["roi"] == name)
    path = mask_file(told, subject, name, part)
    image = _on_grid(path, grid, told)
    labels = told.atlas.labels.get(name) if told.atlas else None
    inside = np.isin(image, labels) if labels else _mask(image, path)
    # an ROI may lie in one hemisphere
    if not inside.any() and "hemi" not in part:
        raise DataError(_no_voxel(image, labels, name, path))
    if told.brain_mask is None:
        return inside
    brain = one_file(told.brain_mask, "brain.brain_mask", subject=subject, **part)
    within = inside & _mask(_on_grid(brain, grid, told), brain)
    if inside.any() and not within.any():
        raise DataError(
            f"{path}: marks no voxel of {brain} for '{name}': the two do not overlap. Bring masks"
            " of one subject and space, or set brain.brain_mask to null."
        )
    return within


def _no_voxel(image: np.ndarray, labels: list[int] | None, name: str, path: Path) -> str:
    if labels is None:
        return f"{path}: the mask is empty. Get it again, or leave the ROI out."
    there = sorted(int(one) for one in np.unique(image) if one)
    return (
        f"{path}: no voxel has a label of '{name}' ({labels}); there are {there[:20]}. Correct"
        " brain.atlas.labels."
    )


def _mask(image: np.ndarray, path: Path) -> np.ndarray:
    if not np.isin(image, (0, 1)).all():
        other = image[~np.isin(image, (0, 1))].ravel()[0]
        raise DataError(
            f"{path}: holds {other}, and a mask is made of 0 and 1. Cut it at a limit of your"
            " choice; an image of several labels belongs in brain.atlas."
        )
    return image == 1


def _on_grid(path: Path, grid: Grid, told: BetaFiles) -> np.ndarray:
    if is_array(path):
        image = mask_array(path)
        require_same_grid(grid, array_grid(path, image.shape))
        return image
    image, own = read_volume(path)
    if same_grid(grid, own) or (is_array(grid.path) and grid.shape == own.shape):
        return image
    if told.resample == "nearest" and not is_array(grid.path):
        return _nearest(image, own, grid)
    raise DataError(
        f"{path} (shape {own.shape}) and {grid.path} (shape {grid.shape}) do not lie on the same"
        " grid. Bring masks on the grid of the betas; or set brain.resample to nearest, which takes"
        " for each voxel the nearest one of the mask."
    )


def _nearest(image: np.ndarray, own: Grid, grid: Grid) -> np.ndarray:
    import nibabel
    from nilearn.image import resample_img

    source = nibabel.Nifti1Image(image.astype(np.int32), own.affine)
    options = {"interpolation": "nearest", "force_resample": True, "copy_header": True}
    found = resample_img(source, grid.affine, grid.shape, **options)
    return np.asanyarray(found.dataobj)
