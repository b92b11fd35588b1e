"""HDF5 and CSV, in and out: whole or not at all, with ids and the settings that made them."""

from __future__ import annotations

import json
import os
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from rulealign.atomic import require_room, whole
from rulealign.errors import DataError, StoreError
from rulealign.h5_checksums import add_content_hash, require_content, with_checksums
from rulealign.provenance import canonical, fingerprint
from rulealign.self_contained import require_self_contained
from rulealign.unreadable import unreadable

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_NEUTRAL = re.compile(r"'+[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def write_h5(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    *,
    ids: Mapping[str, Sequence[str]],
    settings: Mapping[str, object],
    attributes: Mapping[str, Any] | None = None,
) -> None:
    """Write arrays with the ids of their axes and the settings that made them.

    Args:
        path: the HDF5 file to make.
        arrays: dataset name ("a/b" makes groups) -> array of any shape and numeric dtype.
        ids: name -> ordered ids (text), written as datasets under `ids/`; for example
            `{"stimulus": [...]}` for the stimuli in the order of the arrays' rows or pairs.
        settings: the plain settings of the stage; kept as JSON in the attribute `settings`, with
            their fingerprint in `settings_hash`.
        attributes: more attributes of the file: text, numbers or booleans.

    Raises:
        StoreError: the disk is full.
        DataError: an id appears twice.
    """
    for name, values in ids.items():
        refuse_duplicates(values, f"{path}: {name} ids")
    with whole(path) as temporary:
        require_room(Path(path), _size(arrays, ids))
        _fill(temporary, arrays, ids, settings, attributes or {})


def _size(arrays: Mapping[str, np.ndarray], ids: Mapping[str, Sequence[str]]) -> int:
    # HDF5 itself takes up to some 2 kB for each dataset
    own = 2048 * (len(arrays) + len(ids) + 4)
    text = sum(len(value) + 32 for values in ids.values() for value in values)
    return own + text + sum(np.asarray(array).nbytes for array in arrays.values())


def _fill(
    path: Path,
    arrays: Mapping[str, np.ndarray],
    ids: Mapping[str, Sequence[str]],
    settings: Mapping[str, object],
    attributes: Mapping[str, Any],
) -> None:
    with h5py.File(path, "w", libver="v110") as file:
        for name, array in arrays.items():
            values = np.asarray(array)
            file.create_dataset(name, data=array, **with_checksums(values.shape, values.dtype))
        for name, values in ids.items():
            file.create_dataset(f"ids/{name}", data=list(values), dtype=h5py.string_dtype())
        file.attrs["settings"] = canonical(settings)
        file.attrs["settings_hash"] = fingerprint(settings)
        for name, value in attributes.items():
            file.attrs[name] = value
        add_content_hash(file)


@contextmanager
def open_h5(path: Path) -> Iterator[h5py.File]:
    """Open an HDF5 file for reading.

    Args:
        path: a file, normally one made by `write_h5`.

    Yields:
        The open file.

    Raises:
        StoreError: the file is missing, damaged, held by another program or no HDF5 file, or is not
            self-contained, also where that shows only as it is read; names it and the remedy.
    """
    try:
        with h5py.File(path, "r") as file:
            require_self_contained(file, str(path), Path(path).stat().st_size)
            require_content(file)
            yield file
    except (OSError, RuntimeError, KeyError, UnicodeDecodeError) as error:
        if isinstance(error, UnicodeDecodeError) or _raised_by_h5py(error):
            raise unreadable(path, "HDF5", error) from error
        raise


def _raised_by_h5py(error: Exception) -> bool:
    # other files may be read, and written, while this one is open
    return "h5py" in Path(traceback.extract_tb(error.__traceback__)[-1].filename).parts


def read_ids(file: h5py.File, name: str) -> list[str]:
    """Read the ordered ids of one axis from an open file.

    Args:
        file: an open file made by `write_h5`.
        name: the axis, such as "stimulus".

    Returns:
        The ids, in order.

    Raises:
        StoreError: the file has no such ids.
    """
    if f"ids/{name}" not in file:
        raise StoreError(f"{file.filename}: has no {name} ids; it was not made by this pipeline.")
    return [value.decode() for value in file[f"ids/{name}"][()]]


def stimulus_ids(path: Path) -> list[str]:
    """Read the ordered ids of the stimuli of a file; see `open_h5` and `read_ids`."""
    with open_h5(path) as file:
        return read_ids(file, "stimulus")


def read_settings(file: h5py.File) -> dict[str, Any]:
    """Read the settings that a file was made with.

    Args:
        file: an open file made by `write_h5`.

    Returns:
        The plain settings.
    """
    return json.loads(file.attrs["settings"])


def refuse_duplicates(values: Sequence[str], what: str) -> None:
    """Refuse ids that appear twice.

    Args:
        values: ordered ids.
        what: whose ids they are, for the message.

    Raises:
        DataError: names the first id that occurs again.
    """
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise DataError(f"{what}: '{value}' appears twice. Rename or remove one of the two.")
        seen.add(value)


def require_same_ids(
    one: Sequence[str], other: Sequence[str], what: str, than: str, remedy: str = ""
) -> None:
    """Refuse to compare things whose ids differ, in value or in order.

    Args:
        one: ordered ids of the first.
        other: ordered ids of the second.
        what: the name of the first (a file or an argument), for the message.
        than: the name of the second.
        remedy: what to do about it, where that is known.

    Raises:
        DataError: names the first difference.
    """
    remedy = remedy or (
        "Both need the same ids in the same order. Mend the input that lists them; if one is a"
        " result that other settings left, delete it and rerun the command."
    )
    for place, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            raise DataError(
                f"{what} and {than} have different ids: at place {place} '{a}' and '{b}'. {remedy}"
            )
    if len(one) != len(other):
        raise DataError(f"{what} has {len(one)} ids, {than} has {len(other)}. {remedy}")


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a tidy table as CSV, whole or not at all, numbers to 10 significant digits.

    A spreadsheet would run text that begins with one of `= + - @` as a formula: such text gets a
    `'` in front, which `read_csv` takes away again.

    Args:
        path: the file to make.
        table: the table, without an index worth keeping.

    Raises:
        StoreError: the disk is full.
    """
    with whole(path) as temporary:
        _each_text(table, _neutral).to_csv(
            temporary, index=False, float_format="%.10g", lineterminator="\n"
        )


def read_csv(path: Path) -> pd.DataFrame:
    """Read a table written by `write_csv`.

    Args:
        path: the CSV file.

    Returns:
        The table; only empty cells are missing values (a rule may be called "none" or "nan").

    Raises:
        StoreError: the file is missing, empty or cut short; names it and the remedy.
    """
    import pandas as pd

    try:
        _refuse_cut_line(Path(path))
        return as_written(pd.read_csv(path, keep_default_na=False, na_values=[""]))
    except (OSError, ValueError) as error:  # pandas' own errors are ValueErrors
        raise unreadable(path, "a table", error) from error


def as_written(table: pd.DataFrame) -> pd.DataFrame:
    """Undo what `write_csv` does to text that looks like a formula.

    Args:
        table: as pandas reads it. Not for tables that others wrote.

    Returns:
        The table that was given to `write_csv`.
    """
    return _each_text(table, lambda text: text[1:] if _NEUTRAL.match(text) else text)


def _neutral(text: str) -> str:
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _each_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    changed = {}
    for column in table.select_dtypes(["object", "string", "category"]):
        texts = {one for one in table[column] if isinstance(one, str)}
        if new := {one: change(one) for one in texts if change(one) != one}:
            changed[column] = [new.get(one, one) for one in table[column]]
    return table.assign(**changed)


def _refuse_cut_line(path: Path) -> None:
    # the last number of a table that was cut short looks like a number, but is another one
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        if size := file.tell():
            file.seek(size - 1)
            if file.read(1) != b"\n":
                raise ValueError("its last line has no end, the file was cut short")
