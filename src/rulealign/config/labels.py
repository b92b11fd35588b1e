"""The user's table of which class of the training set each stimulus is of."""

from __future__ import annotations

import csv
from pathlib import Path

from rulealign.errors import ConfigurationError

STIMULUS, LABEL = "stimulus", "label"
"""Its columns; others are left aside."""

_DELIMITERS = {".csv": ",", ".tsv": "\t"}


def read_labels(table: str) -> dict[str, str]:
    """Read a table of labels.

    Args:
        table: path of a .csv or .tsv with a header that names `stimulus` and `label`.

    Returns:
        Stimulus id -> name of a class, in the order of the table.

    Raises:
        ConfigurationError: the file is not there or no such table, a cell is empty, or a stimulus
            appears twice; names the line.
    """
    path = Path(table).expanduser()
    if path.suffix not in _DELIMITERS:
        raise ConfigurationError(f"{table}: is no .csv or .tsv")
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file, delimiter=_DELIMITERS[path.suffix])
            return _labels(table, rows)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(f"{table}: cannot be read ({error})") from error


def _labels(table: str, rows: csv.DictReader) -> dict[str, str]:
    lacking = [name for name in (STIMULUS, LABEL) if name not in (rows.fieldnames or [])]
    if lacking:
        raise ConfigurationError(f"{table}: has no column '{lacking[0]}' in its first line")
    found: dict[str, str] = {}
    for row in rows:
        name, label = (row[column] or "" for column in (STIMULUS, LABEL))
        if not name or not label:
            raise ConfigurationError(f"{table}, line {rows.line_num}: stimulus or label is empty")
        if name in found:
            raise ConfigurationError(f"{table}, line {rows.line_num}: '{name}' appears twice")
        found[name] = label
    if not found:
        raise ConfigurationError(f"{table}: has no rows")
    return found
