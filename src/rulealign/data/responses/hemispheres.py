"""Which voxels lie left, and which right: by array index, learned from columns that say it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_LOCALISED = ("EBA", "FFA", "OFA", "STS", "PPA", "RSC", "TOS", "LOC")
_AGREE = 0.95  # of the voxels of a side's columns must lie on that side


def sided_columns(known: Sequence[str]) -> list[str]:
    """List the ROI columns whose name says a side: lEBA, rEBA and so on.

    Args:
        known: the ROI columns that there are.

    Returns:
        Those of the category localiser with an l or r before them.
    """
    return [name for name in known if name[:1] in ("l", "r") and name[1:] in _LOCALISED]


def on_side(voxels: pd.DataFrame, side: str, place: str) -> np.ndarray:
    """Find the voxels of one hemisphere.

    The midline is the middle between the smallest and the largest voxel_x of all voxels of the
    brain; which side of it is left is learned from the columns of `sided_columns`. This is a plane
    of the array, not of the anatomy: where the head lay turned or shifted, or the mask is cut off
    on one side, voxels near the fissure (an ROI of the medial wall, such as V1, has many) come to
    the wrong hemisphere. The 95 % that must agree bound this for the localised ROIs only, which lie
    far from the midline.

    Args:
        voxels: all voxels of the brain, one per row; voxel_x (array index) and the columns of
            `sided_columns`, 0 or 1.
        side: `left` or `right`.
        place: whose voxels they are, for messages.

    Returns:
        bool, shape (voxels,). Voxels on the midline belong to neither side; their number is
        printed.

    Raises:
        DataError: no column says a side, or less than 95 % of the voxels of a side's columns lie
            on that side of the midline.
    """
    x = voxels["voxel_x"].to_numpy(dtype=np.float64)
    middle = (x.min() + x.max()) / 2
    named = {name: _named(voxels, name, place) for name in ("left", "right")}
    low, high = x < middle, x > middle
    low_is_left = low[named["left"]].mean() > low[named["right"]].mean()
    sides = {"left": low, "right": high} if low_is_left else {"left": high, "right": low}
    for name, inside in named.items():
        share = sides[name][inside].mean()
        if share < _AGREE:
            raise DataError(
                f"{place}: only {share:.0%} of the voxels of {_columns(voxels, name)} lie {name} of"
                f" the middle of voxel_x ({middle:g}); {_AGREE:.0%} are needed to tell the"
                " hemispheres. Use hemisphere: both."
            )
    print(f"{place}: {(x == middle).sum()} voxels on the midline belong to neither hemisphere")
    return sides[side]


def _columns(voxels: pd.DataFrame, side: str) -> list[str]:
    return [name for name in sided_columns(list(voxels.columns)) if name[0] == side[0]]


def _named(voxels: pd.DataFrame, side: str, place: str) -> np.ndarray:
    inside = (voxels[_columns(voxels, side)].to_numpy() == 1).any(axis=1)
    if not inside.any():
        raise DataError(
            f"{place}: no voxel is in a column that says '{side}', such as {side[0]}LOC; without"
            " them the hemispheres cannot be told. Use hemisphere: both."
        )
    return inside
