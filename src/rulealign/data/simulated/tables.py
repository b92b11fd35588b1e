"""Writes the three files of a subject in the table form of THINGS-fMRI."""

from __future__ import annotations

import pickle
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from rulealign.atomic import whole

_BOTH_SIDES = ("EBA", "FFA", "OFA", "STS", "PPA", "RSC", "TOS", "LOC")
ROI_COLUMNS: tuple[str, ...] = (
    *("V1", "V2", "V3", "hV4", "VO1", "VO2", "LO1 (prf)", "LO2 (prf)", "TO1", "TO2", "V3b", "V3a"),
    *(side + name for name in _BOTH_SIDES for side in "lr"),
    "IT",
    *("glasser-V1", "glasser-V2", "glasser-TE1p", "glasser-p9-\n46v", "glasser-a9-\n46v"),
)
"""The 0/1 columns of a simulated voxel table: those of THINGS-fMRI, few of Glasser's ROIs."""

_SAME_VOXELS = {"glasser-V1": "V1", "glasser-V2": "V2", "glasser-TE1p": "IT", "LO1 (prf)": "lLOC"}
_DEGREES = 5.0  # half the width of a picture in the scanner, degrees of visual angle


def roi_membership(column: np.ndarray) -> pd.DataFrame:
    """Make the 0/1 columns of a voxel table.

    Args:
        column: the simulated column that each voxel belongs to, "" for none; shape (voxels,).

    Returns:
        One row per voxel, the columns of `ROI_COLUMNS`.
    """
    made = {name: (column == _SAME_VOXELS.get(name, name)).astype(int) for name in ROI_COLUMNS}
    return pd.DataFrame(made)


def field_columns(x: np.ndarray, y: np.ndarray, sigma: np.ndarray) -> pd.DataFrame:
    """Make the columns of the receptive fields, empty where a voxel has none.

    Args:
        x: centres to the right, half-widths of the picture, NaN for none; shape (voxels,).
        y: centres below, as `x`.
        sigma: standard deviations, as `x`.

    Returns:
        Eccentricity and size in degrees of visual angle, polar angle in degrees counter-clockwise
        from the right, and the share of variance explained (1: the truth is known).
    """
    return pd.DataFrame(
        {
            "prf-eccentricity": np.hypot(x, y) * _DEGREES,
            "prf-polarangle": np.degrees(np.arctan2(-y, x)) % 360,
            "prf-rsquared": np.where(np.isnan(x), np.nan, 1.0),
            "prf-size": sigma * _DEGREES,
        }
    )


def brain_coordinates(voxels: int) -> pd.DataFrame:
    """Give voxels places in a cube, in the order of a brain mask.

    Args:
        voxels: how many.

    Returns:
        voxel_x, voxel_y, voxel_z: whole numbers.
    """
    side = int(np.ceil(np.cbrt(voxels)))
    places = np.unravel_index(np.arange(voxels), (side, side, side))
    return pd.DataFrame(dict(zip(("voxel_x", "voxel_y", "voxel_z"), places, strict=True)))


def write_response_data(path: Path, responses: np.ndarray, voxel_id: np.ndarray) -> None:
    """Write responses as pandas' `to_hdf` does in fixed format, column `voxel_id` first.

    Args:
        path: the HDF5 file to make.
        responses: float64, shape (voxels, trials).
        voxel_id: int64, shape (voxels,).

    Raises:
        StoreError: the disk is full.
    """
    trials = list(range(responses.shape[1]))
    with whole(path) as temporary, h5py.File(temporary, "w") as file:
        _mark(file, CLASS="GROUP", PYTABLES_FORMAT_VERSION="2.1", VERSION="1.0", TITLE="")
        group = file.create_group("ResponseData")
        _mark(group, CLASS="GROUP", VERSION="1.0", TITLE="", encoding="UTF-8", errors="strict")
        varieties = ("axis0", "axis1", "block0_items", "block1_items")
        _mark(group, pandas_type="frame", **{f"{name}_variety": "regular" for name in varieties})
        group.attrs["ndim"], group.attrs["nblocks"] = np.int64(2), np.int64(2)
        _write_objects(group, "axis0", ["voxel_id", *trials])
        _write_array(group, "axis1", np.arange(len(responses)), kind="integer")
        _write_objects(group, "block0_items", trials)
        _write_array(group, "block0_values", np.asarray(responses, dtype=np.float64))
        _write_array(group, "block1_items", np.array([b"voxel_id"]), kind="string")
        _write_array(group, "block1_values", np.asarray(voxel_id, dtype=np.int64)[:, None])


def _mark(place: h5py.HLObject, **values: str) -> None:
    for name, value in values.items():
        if value:
            kind = h5py.string_dtype("utf-8", len(value))
            place.attrs.create(name, value.encode(), dtype=kind)
        else:
            place.attrs[name] = h5py.Empty("S1")  # PyTables' empty text


def _write_array(group: h5py.Group, name: str, array: np.ndarray, kind: str = "") -> None:
    dataset = group.create_dataset(name, data=array)
    _mark(dataset, CLASS="ARRAY", FLAVOR="numpy", VERSION="2.4", TITLE="")
    _annotate(dataset, kind)


def _write_objects(group: h5py.Group, name: str, values: list) -> None:
    # names and numbers mixed are what pandas pickles
    pickled = np.frombuffer(pickle.dumps(np.array(values, dtype=object), protocol=4), np.uint8)
    dataset = group.create_dataset(name, (1,), dtype=h5py.vlen_dtype(np.uint8), maxshape=(None,))
    dataset[0] = pickled
    _mark(dataset, CLASS="VLARRAY", PSEUDOATOM="object", VERSION="1.4", TITLE="")
    _annotate(dataset, "object")


def _annotate(dataset: h5py.Dataset, kind: str) -> None:
    dataset.attrs["transposed"] = np.uint8(1)
    if kind:
        # an index without a name: PyTables pickles None as "N."
        _mark(dataset, kind=kind)
        dataset.attrs["name"] = np.bytes_("N.")
    if kind == "string":
        _mark(dataset, nan_rep="")
