"""Checks that the rows of a trial table are in the order in which the trials were measured.

The columns of the responses are in that order and bear no names of images: a table whose rows were
moved gives them the images of other trials.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.file_names import concept_of, is_image
from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_SORTED = "this table was re-sorted, and responses would be taken for those of other images."


def require_named_images(path: Path, trials: pd.DataFrame) -> None:
    """Refuse a table in which a stimulus is no image, or has another concept than its name says.

    Args:
        path: the table's file, for the message.
        trials: with the columns stimulus and concept.

    Raises:
        DataError: names the first such row.
    """
    shown = zip(trials["stimulus"].astype(str), trials["concept"].astype(str), strict=True)
    for row, (stimulus, concept) in enumerate(shown):
        if not is_image(stimulus):
            raise DataError(
                f"{path}: the stimulus of trial row {row} is '{stimulus}', which names no image"
                " (such as dog_12s.jpg). The file may be cut off; get it again from its source."
            )
        if concept_of(stimulus) != concept:
            raise DataError(
                f"{path}: trial row {row} shows '{stimulus}' and names the concept '{concept}', not"
                f" '{concept_of(stimulus)}': this table was re-sorted, one column without the other"
                ", or is cut off. Get it again from its source."
            )


def require_measured_order(path: Path, trials: pd.DataFrame) -> None:
    """Refuse a table whose rows are not in the order of measurement.

    `trial_id` runs from 0 in steps of 1 in the published tables. Another start, gaps, or a count
    that starts anew in every run or session are taken where session, run and trial_id ascend
    together.

    Args:
        path: the table's file, for the message.
        trials: with the whole numbers session, run and trial_id; no two rows agree in all three.

    Raises:
        DataError: names the first row that is out of order.
    """
    rows = trials[["session", "run", "trial_id"]].to_numpy()
    counted = np.array_equal(rows[:, 2], np.arange(len(rows)))
    back = _resumed_run(trials) if counted else _descent(rows)
    if back is None:
        return
    this, before = (_named(rows[row]) for row in (back, back - 1))
    # numbers that were given after the rows had moved cannot bring them back
    remedy = "Get it again from its source" if counted else "Sort its rows by these three columns"
    raise DataError(f"{path}: in trial row {back}, {this} follows {before}: {_SORTED} {remedy}.")


def _named(row: np.ndarray) -> str:
    return "session {}, run {}, trial_id {}".format(*row)


def _descent(rows: np.ndarray) -> int | None:
    """Find the first row that does not come after the one before it."""
    ranks = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    falls = np.flatnonzero(np.diff(ranks) <= 0)
    return int(falls[0]) + 1 if len(falls) else None


def _resumed_run(trials: pd.DataFrame) -> int | None:
    """Find the first row that goes back to a run which had ended."""
    runs = trials[["session", "run"]].reset_index(drop=True)
    starts = runs[(runs != runs.shift()).any(axis=1)]
    resumed = starts.index[starts.duplicated()]
    return int(resumed[0]) if len(resumed) else None
