"""The axis of times of an array of RDMs: split off, and held against that of other files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rulealign.data.rdm_axes import TIMES, Axes
from rulealign.errors import DataError


def require_axes(shape: Sequence[int], axes: Sequence[str], path: Path) -> None:
    """Refuse an array that has more or fewer axes than a study names.

    Args:
        shape: of the array.
        axes: what each axis is.
        path: the file, for messages.

    Raises:
        DataError: the numbers differ; names both.
    """
    if len(shape) != len(axes):
        raise DataError(
            f"{path}: shape {tuple(shape)} has {len(shape)} axes, but `axes` of its ROI names"
            f" {len(axes)}: [{', '.join(axes)}]. Correct `axes`."
        )


def at_each_time(numbers: np.ndarray, axes: Axes, path: Path) -> tuple[np.ndarray, Axes]:
    """Bring the axis of times to the front.

    Args:
        numbers: RDMs of an ROI, axes as in the file.
        axes: what each axis is.
        path: the file, for messages.

    Returns:
        The same numbers, shape (times, ...); one time where the axes have none. And what the other
        axes are.

    Raises:
        DataError: there are more or fewer axes than names.
    """
    if TIMES not in axes:
        return numbers[np.newaxis], axes
    require_axes(numbers.shape, axes, path)
    others = tuple(name for name in axes if name != TIMES)
    return np.moveaxis(numbers, axes.index(TIMES), 0), others


def require_same_times(
    times: Sequence[float], first: Sequence[float], what: str, than: str
) -> None:
    """Refuse RDMs of other times than those of another subject.

    Args:
        times: in ms.
        first: those that they must be.
        what: the file that has the times.
        than: the file that has the first ones.

    Raises:
        DataError: they differ in number or in a time; names both files.
    """
    if len(times) != len(first):
        raise DataError(
            f"{what} has {len(times)} times, {than} has {len(first)}: all subjects of an ROI need"
            " RDMs of the same times. Cut or resample them alike."
        )
    for one, other in zip(times, first, strict=True):
        if one != other:
            raise DataError(
                f"{what} has {one:g} ms where {than} has {other:g} ms: all subjects of an ROI need"
                " RDMs of the same times. Cut or resample them alike."
            )
