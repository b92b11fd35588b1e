"""Checks that the rows of a run's conditions are in the order of its volumes.

Volumes bear no names of images: a row that was moved gives its image the volume of another one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from rulealign.errors import DataError

_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_NUMBERED = "no|nr|num|number"
_ORDERS = re.compile(
    rf"|index|row|order|n|{_NUMBERED}|unnamed: ?\d+|onsets?|level_0"
    rf"|(trial|volume)([ _-]?(id|index|{_NUMBERED}))?",
    re.IGNORECASE,
)


def order_is_told(path: Path, header: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Refuse rows that are not in the order that a column of theirs tells.

    Told by an index (a column without a name, or with the names that programs give it) and by
    onsets. A column of another name that counts the rows in steps of 1 tells that they are in
    order; where it does not ascend it tells nothing, as it may number the images.

    Args:
        path: the file, for the message.
        header: the names of its columns.
        rows: the cells of each row, as many as columns.

    Returns:
        Whether a column tells the order of all rows; False where nothing does.

    Raises:
        DataError: names the first row that is out of order, and the column.
    """
    told = False
    for place, name in enumerate(name.strip() for name in header):
        values = [row[place].strip() for row in rows]
        whole = all(map(_NUMBER.fullmatch, values))
        if _ORDERS.fullmatch(name):
            _require_ascent(path, name or "the column without a name", values)
            told |= whole
        told |= whole and _counts_up(values)
    return told


def _counts_up(values: Sequence[str]) -> bool:
    return all(float(after) == float(before) + 1 for before, after in pairwise(values))


def _require_ascent(path: Path, name: str, values: Sequence[str]) -> None:
    numbered = [(row, value) for row, value in enumerate(values) if _NUMBER.fullmatch(value)]
    for (_, before), (row, value) in pairwise(numbered):
        if float(value) <= float(before):
            raise DataError(
                f"{path}: in row {row}, {name} holds {value} after {before}: this table was"
                " re-sorted, and volumes would be taken for those of other images. Sort its rows by"
                f" {name}, or get it again from its source."
            )
