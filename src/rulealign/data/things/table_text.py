"""Reads tables of text, whatever their separator, and packed with gzip or not."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_SEPARATORS = (",", ";", "\t")
_PACKED = b"\x1f\x8b"  # how gzip begins, whatever the name of the file


def read_table(path: Path, columns: Sequence[str], texts: Sequence[str] = ()) -> pd.DataFrame:
    """Read some columns of a table.

    Args:
        path: a text file whose columns are separated by commas, semicolons or tabs, whatever its
            ending says; packed with gzip or not.
        columns: the columns to read.
        texts: those of them that stay text where they look like numbers, such as 007.

    Returns:
        The columns, in the order asked for; only empty cells are missing values.

    Raises:
        DataError: the file cannot be read, lacks a column or has one twice, or has a row of more
            cells than columns.
    """
    present = column_names(path)
    missing = [name for name in columns if name not in present]
    if missing:
        raise DataError(
            f"{path}: lacks the columns {missing}; it needs {list(columns)} and has {present}."
        )
    if repeated := [name for name in columns if present.count(name) > 1]:
        raise DataError(f"{path}: has the column '{repeated[0]}' twice; remove the wrong one.")
    return _readable(path, _cells, columns=columns, texts=texts)


def column_names(path: Path) -> list[str]:
    """List the columns of a table.

    Args:
        path: as in `read_table`.

    Returns:
        Their names; one may contain a line break.

    Raises:
        DataError: the file cannot be read, is empty, or has one column alone.
    """
    names = _readable(path, _header)[1]
    if not names:
        raise DataError(f"{path}: is empty; get it again from its source.")
    if len(names) == 1:
        raise DataError(
            f"{path}: has one column, '{names[0][:60]}'. Separate columns by commas, semicolons or"
            " tabs, or get it again from its source."
        )
    return names


def read_rows(path: Path) -> list[list[str]]:
    """Read all of a small table.

    Args:
        path: as in `read_table`.

    Returns:
        The cells of each row that is not empty; the first row are the names of the columns.

    Raises:
        DataError: the file cannot be read.
    """
    return [row for row in _readable(path, _rows) if row]


def _readable(path: Path, read: Callable[..., Any], **options: Any) -> Any:
    import pandas as pd

    damaged = (pd.errors.EmptyDataError, pd.errors.ParserError)
    damaged += (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error)
    try:
        return read(path, **options)
    except damaged as error:
        raise DataError(
            f"{path}: cannot be read as a table ({error}). Get it again from its source, as text"
            " in UTF-8."
        ) from error


def _header(path: Path) -> tuple[str, list[str]]:
    """Find the separator, the one that gives the first row most cells, and these cells."""
    rows = {}
    for separator in _SEPARATORS:
        with _opened(path) as text:
            rows[separator] = next(csv.reader(text, delimiter=separator), [])
    return max(rows.items(), key=lambda item: len(item[1]))


def _rows(path: Path) -> list[list[str]]:
    with _opened(path) as text:
        return list(csv.reader(text, delimiter=_header(path)[0]))


def _is_packed(path: Path) -> bool:
    with Path(path).open("rb") as file:
        return Path(path).suffix.lower() == ".gz" or file.read(2) == _PACKED


def _opened(path: Path) -> TextIO:
    return (gzip.open if _is_packed(path) else open)(path, "rt", encoding="utf-8-sig", newline="")


def _cells(path: Path, columns: Sequence[str], texts: Sequence[str]) -> pd.DataFrame:
    import pandas as pd

    separator, names = _header(path)
    _refuse_long_rows(path, separator, len(names))
    # a concept may be called "null" or "nan"
    missing = {"keep_default_na": False, "na_values": [""]}
    options = {"sep": separator, "index_col": False, "encoding": "utf-8-sig", **missing}
    options["dtype"] = dict.fromkeys(texts, str)
    options["compression"] = "gzip" if _is_packed(path) else None
    return pd.read_csv(path, usecols=columns, **options)[list(columns)]


def _refuse_long_rows(path: Path, separator: str, width: int) -> None:
    """Refuse rows with cells behind the last column: pandas would not say what it does with them.

    Such as a decimal comma makes. Empty cells do no harm.
    """
    with _opened(path) as text:
        next(csv.reader(text, delimiter=separator))
        for row, line in enumerate(text):
            if line.count(separator) < width:
                continue  # splitting every line would take seconds
            cells = next(csv.reader([line], delimiter=separator))
            if any(cells[width:]):
                raise csv.Error(f"row {row} has {len(cells)} cells, there are {width} columns")
