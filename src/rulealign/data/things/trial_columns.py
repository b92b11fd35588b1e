"""Checks that the columns of a response file are the trials of its table, by their labels."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import h5py
import numpy as np

from rulealign.data.file_names import without_folder_and_ending
from rulealign.data.things.pickled_labels import pickled_labels
from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

LABELS = "ResponseData/block0_items"
"""The dataset of a response file with the labels of the columns of its responses."""

_NUMBERED = re.compile(r"(\D*)(\d{1,18})(?:\.0*)?", re.ASCII)
_NAMED = 6


def labelled(file: h5py.File, name: str, trials: pd.DataFrame, *, as_stored: bool) -> bool:
    """Refuse a response file whose columns are not the trials of the table, in its order.

    Args:
        file: an open `sub-01_ResponseData.h5`.
        name: what to call it in a message.
        trials: the trial table, in the order of measurement.
        as_stored: whether columns are believed to be in order where their labels cannot be read.

    Returns:
        Whether labels tell that the columns are these trials; False where they cannot be read and
        the order is believed.

    Raises:
        DataError: the labels are in another order or those of other trials, or they cannot be read
            and `as_stored` is false.
    """
    labels = column_labels(file.get(LABELS))
    if _name_trials(labels or [], name, trials):
        return True
    numbers = _whole_numbers(labels or [])
    if numbers is not None:
        _require_numbers(numbers, name, trials["trial_id"].to_numpy())
        return True
    if not as_stored:
        found = "cannot be read" if labels is None else f"are {_few(labels)}"
        raise DataError(
            f"{name}: the labels of its columns ('{LABELS}') {found}, so nothing says which trial a"
            " column is. Save it again with the columns 0, 1, 2 ...; or, if you know that they are"
            " in the order of the trial table, set `things.columns: as_stored`. The report says so."
        )
    print(f"QUALITY: {name}: nothing says which trial a column is; things.columns: as_stored")
    return False


def column_labels(dataset: h5py.Dataset | None) -> list[int | str] | None:
    """Read the labels of columns.

    Args:
        dataset: `LABELS` of an open file, or None where it has none.

    Returns:
        Whole numbers and names, in order; None where they cannot be read without running a pickle.
    """
    if not isinstance(dataset, h5py.Dataset) or dataset.ndim != 1:
        return None
    if h5py.check_vlen_dtype(dataset.dtype) == np.uint8:
        return pickled_labels(dataset[0].tobytes()) if dataset.shape == (1,) else None
    if dataset.dtype.kind in "iu":
        return dataset[()].tolist()
    if dataset.dtype.kind == "f":
        return list(map(str, dataset[()].tolist()))
    if h5py.check_string_dtype(dataset.dtype):
        return [value.decode("utf-8", "replace") for value in dataset[()]]
    return None


def _name_trials(labels: Sequence[int | str], name: str, trials: pd.DataFrame) -> bool:
    """Say whether labels name what was shown; refuse them where it is not what the table says."""
    found = [without_folder_and_ending(str(label)) for label in labels]
    for column in ("stimulus", "concept"):
        expected = [without_folder_and_ending(text) for text in trials[column].astype(str)]
        if set(found) & set(expected):
            _require_names(found, expected, name)
            return True
    return False


def _require_names(found: Sequence[str], expected: Sequence[str], name: str) -> None:
    _require_count(len(found), len(expected), name)
    for place, (label, shown) in enumerate(zip(found, expected, strict=True)):
        if label != shown:
            raise DataError(
                f"{name}: column {place} is labelled {label}, and trial row {place} shows {shown}:"
                " columns were moved, and responses would be taken for those of other trials, or"
                " one of the two files lacks a trial. Save it again with the columns in the order"
                " of the trial table, or get both again from one source."
            )


def _require_count(found: int, expected: int, name: str) -> None:
    if found != expected:
        raise DataError(
            f"{name}: has the labels of {found} columns, its table has {expected} trials; get both"
            " again from one source."
        )


def _whole_numbers(labels: Sequence[int | str]) -> list[int] | None:
    """Read labels such as 7, 7.0 and trial_7, which all have the same text before the number."""
    read = [_NUMBERED.fullmatch(str(label)) for label in labels]
    if not read or not all(read) or len({match[1] for match in read}) > 1:
        return None
    return [int(match[2]) for match in read]


def _require_numbers(numbers: list[int], name: str, trial_ids: np.ndarray) -> None:
    if any(after <= before for before, after in pairwise(numbers)):
        as_text = numbers == sorted(numbers, key=str)
        what = "sorted as text" if as_text else "moved"
        raise DataError(
            f"{name}: its columns are in the order {_few(numbers)}: they were {what}, and responses"
            " would be taken for those of other trials. Save it again with the columns in the order"
            " of their numbers, or get it again from its source."
        )
    found = np.array(numbers) - numbers[0]
    ascending = (np.diff(trial_ids) > 0).all()
    # a count that starts anew in every run names no column
    expected = trial_ids - trial_ids[0] if ascending else np.arange(len(trial_ids))
    _require_count(len(found), len(expected), name)
    if len(differ := np.flatnonzero(found != expected)):
        place = int(differ[0])
        raise DataError(
            f"{name}: column {place} is labelled {numbers[place]}, and trial row {place} has"
            f" trial_id {trial_ids[place]}: one of the two files lacks a trial. Leave it out of"
            " both, or get both again from one source."
        )


def _few(labels: list) -> str:
    return ", ".join(map(str, labels[:_NAMED])) + (", ..." if len(labels) > _NAMED else "")
