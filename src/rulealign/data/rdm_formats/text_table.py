"""One RDM in a .csv or .tsv file, with or without labels."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from rulealign.data.rdm_formats.stored import StoredRdms
from rulealign.errors import DataError

LABELS = "labels"
"""The name of a table's labels among the texts beside RDMs."""


def table_rdms(path: Path, key: str | None) -> StoredRdms:
    """Read a table of one RDM; see `stored_rdms`.

    It has a line of labels and a column of labels, the same, with a first field that is empty or no
    number (as pandas writes it); or neither. An empty field, and NaN, is a missing number. Fields
    are separated by commas, semicolons (as some spreadsheets save .csv) or tabs, as the first line
    tells; decimals have a point.

    Raises:
        DataError: there is a `key`; lines differ in length; a field is no number; the labels of
            lines and columns differ. Names the line.
    """
    if key is not None:
        raise DataError(f"{path}: a table has no names of arrays; set `key` to null, not '{key}'.")
    rows = _rows(path)
    if _number(rows[0][0] or "label") is not None:
        return StoredRdms(_numbers(rows, path, 1), {})
    columns, lines = rows[0][1:], [row[0] for row in rows[1:]]
    if columns != lines:
        raise DataError(
            f"{path}: its columns are labelled {columns[:3]} ... and its lines {lines[:3]} ...;"
            " a table of an RDM has the same labels in the same order in both."
        )
    return StoredRdms(_numbers([row[1:] for row in rows[1:]], path, 2), {LABELS: columns})


def _rows(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = next((line for line in file if line.strip()), "")
            file.seek(0)
            rows = [row for row in csv.reader(file, delimiter=_delimiter(first)) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: cannot be read as a table of text ({error}).") from error
    if not rows:
        raise DataError(f"{path}: is empty. Get it again from its source.")
    if (line := next((n for n, row in enumerate(rows, 1) if len(row) != len(rows[0])), 0)) > 0:
        raise DataError(f"{path}: line {line} has another number of fields than the first.")
    if len(rows[0]) == 1:
        raise DataError(
            f"{path}: has a single column; separate its fields by commas, semicolons or tabs."
        )
    return rows


def _delimiter(line: str) -> str:
    # decimal commas come with semicolons; they are then refused as numbers
    if line.count(";") > line.count(",") / 2:
        return ";"
    return "\t" if line.count("\t") > line.count(",") else ","


def _numbers(rows: list[list[str]], path: Path, first: int) -> np.ndarray:
    values = [[_number(field) for field in row] for row in rows]
    for line, (row, fields) in enumerate(zip(values, rows, strict=True), start=first):
        if None in row:
            field = fields[row.index(None)]
            comma = _number(field.replace(",", ".")) is not None
            point = "; write decimals with a point" if comma else ""
            raise DataError(
                f"{path}: line {line}: '{field}' is no number{point}; empty stands for none."
            )
    return np.array(values, dtype=np.float64)


def _number(field: str) -> float | None:
    try:
        return float(field.strip() or "nan")
    except ValueError:
        return None
