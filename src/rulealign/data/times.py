"""Times of arrays that change over time, held against what is in the file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rulealign.config.times import Steps, TimesOfFile
from rulealign.data.rdm_axes import TIMES
from rulealign.errors import DataError

if TYPE_CHECKING:
    import numpy as np

_IN_MS = {"ms": 1, "s": 1000}


def times_in_ms(told: Any, n_times: int, path: Path, key: str) -> np.ndarray:
    """Give the times of an array in a file.

    Args:
        told: `times` of a study: a list in ms, `Steps` or `TimesOfFile`.
        n_times: length of the axis of times in the file.
        path: the file.
        key: the key of the study that has it, for messages.

    Returns:
        float64, shape (n_times,), in ms; increasing.

    Raises:
        DataError: there are more or fewer times than the axis has, fewer than 2, or they do not
            increase; names file, key and remedy.
    """
    import numpy as np  # the study is planned without it

    if isinstance(told, Steps):
        times = np.round(told.start + told.step * np.arange(n_times), 9)
    else:
        times = np.asarray(_of_file(told, path) if isinstance(told, TimesOfFile) else told, float)
    if len(times) != n_times or n_times < 2:
        raise DataError(
            f"{path}: its axis of times has the length {n_times}, but {key} gives {len(times)}"
            " times; each needs its own, and 2 are the least. Correct one of them."
        )
    if not (np.diff(times) > 0).all():  # NaN is never greater
        at = int(np.argmin(np.diff(times) > 0))
        raise DataError(
            f"{path}: {key}: {times[at + 1]:g} ms follows {times[at]:g} ms; times must increase."
        )
    return times


def planned_times(section: Any, files: Sequence[Path], roi: str) -> None:
    """Check times against the headers of files, before any job starts.

    Args:
        section: of an ROI over time, with its `axes`, `times` and `key`.
        files: of its RDMs; what their headers do not tell is passed over.
        roi: the ROI's name.

    Raises:
        DataError: as in `times_in_ms` and `require_same_times`, or an array has other axes.
    """
    from rulealign.data.rdm_formats.shapes import stored_shape
    from rulealign.data.time_axis import require_axes, require_same_times

    first = None
    for path in files:
        if (shape := stored_shape(path, section.key)) is None:
            continue
        require_axes(shape, section.axes, path)
        length = shape[section.axes.index(TIMES)]
        times = times_in_ms(section.times, length, path, f"brain.rois.{roi}.{TIMES}")
        first = first or (times, path)
        require_same_times(times, first[0], str(path), str(first[1]))


def _of_file(told: TimesOfFile, path: Path) -> np.ndarray:
    from rulealign.data.rdm_formats import stored_rdms

    return stored_rdms(path, told.key).numbers.ravel() * _IN_MS[told.unit]
