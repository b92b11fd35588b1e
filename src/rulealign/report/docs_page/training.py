"""Training on a page of docs/results: accuracy, diagnostics, logs and courses of scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from rulealign.errors import DataError
from rulealign.plan.files import FILES
from rulealign.report import select
from rulealign.report.docs_page import markdown
from rulealign.report.formatting import plain, with_ends
from rulealign.rsa.compare import PER_SUBJECT
from rulealign.rsa.trajectory import HALF_DECAY
from rulealign.store import read_csv


def accuracy(table: pd.DataFrame) -> str:
    """Write held-out accuracy (%) by rule and epoch: mean over seeds, lowest to highest.

    Args:
        table: rows of `statistics/training.csv` of one network.

    Returns:
        A Markdown table.
    """
    epochs = sorted(table["epoch"].unique())
    body = []
    for rule, rows in table.groupby("rule", sort=False):
        by_epoch = rows.groupby("epoch")["held_out_accuracy"]
        cells = {epoch: _over_seeds(100 * values) for epoch, values in by_epoch}
        body.append([rule, *(cells.get(epoch, "") for epoch in epochs)])
    return markdown.table(["rule", *(f"epoch {epoch}" for epoch in epochs)], body)


def accuracy_of(table: pd.DataFrame, rule: str, epoch: int) -> str:
    """Write one rule's held-out accuracy (%) at one checkpoint.

    Args:
        table: as in `accuracy`.
        rule: a rule's label.
        epoch: a checkpoint.

    Returns:
        Mean over seeds, lowest to highest.

    Raises:
        DataError: the table has no such network.
    """
    rows = table[(table["rule"] == rule) & (table["epoch"] == epoch)]
    if rows.empty:
        raise DataError(f"the training table has no rule '{rule}' at epoch {epoch}.")
    return _over_seeds(100 * rows["held_out_accuracy"])


def diagnosed(table: pd.DataFrame, column: str, rule: str, epoch: int, layer: str) -> str:
    """Write a number of the diagnostics.

    Args:
        table: rows of `statistics/diagnostics.csv` of one network.
        column: one of its columns.
        rule: a rule's label.
        epoch: a checkpoint.
        layer: a layer.

    Returns:
        Mean over seeds, lowest to highest.

    Raises:
        DataError: the table has no such number.
    """
    place = (table["rule"] == rule) & (table["epoch"] == epoch) & (table["layer"] == layer)
    values = table.loc[place, column].dropna() if column in table else ()
    if not len(values):
        raise DataError(f"the diagnostics have no {column} of {rule} at epoch {epoch}, {layer}.")
    return _over_seeds(values)


def _over_seeds(values: pd.Series) -> str:
    return f"{plain(values.mean(), 1)} ({plain(values.min(), 1)}–{plain(values.max(), 1)})"


def logged(file: Path, epoch: int, column: str, digits: int) -> str:
    """Write a number that a rule logged: a mean over the batches of an epoch.

    Args:
        file: the log of a checkpoint.
        epoch: its epoch.
        column: what was logged.
        digits: after the point.

    Returns:
        The number.

    Raises:
        DataError: the log has no such epoch.
    """
    rows = read_csv(file)
    rows = rows[rows["epoch"] == epoch]
    if len(rows) != 1 or column not in rows:
        raise DataError(f"{file}: has no number '{column}' of epoch {epoch}.")
    return plain(rows[column].item(), digits)


def cell(results: Path, table: str, column: str, where: Mapping[str, str | int]) -> str:
    """Write one number of a table of statistics.

    Args:
        results: the folder of the study's results.
        table: its name: `encoding` of `statistics/encoding.csv`.
        column: of the number; of `value` or `score` with the interval `low` to `high` beside it.
        where: column -> value, which tell its row.

    Returns:
        The number, or why it is missing.

    Raises:
        DataError: the table has no such row, or more than one.
    """
    row = select.only(read_csv(results / FILES["table"].format(table=table)), where, table)
    if pd.isna(row[column]):
        return f"missing: {row['reason']}"
    if column not in ("value", "score") or pd.isna(row["low"]):
        return plain(row[column], 3)
    return with_ends(row[column], row["low"], row["high"])


def course(results: Path, measure: str, where: Mapping[str, str | int]) -> str:
    """Write a measure of the course of a score over training.

    Args:
        results: the folder of the study's results.
        measure: one of the names of `rsa.trajectory`.
        where: column -> value, of all columns but convention and pairs.

    Returns:
        The measure with its interval; that it is after the last epoch, where half is not reached;
        that it means nothing, since epoch 0 may be 0; or another reason why it is missing.

    Raises:
        DataError: the table has no such row, or more than one.
    """
    rows = read_csv(results / FILES["table"].format(table="trajectories"))
    wanted = {"measure": measure, "convention": PER_SUBJECT} | dict(where)
    row = select.only(rows, wanted, "trajectories")
    if not pd.isna(row["value"]) and pd.isna(row["high"]):
        return f"{plain(row['value'], 2)} [{plain(row['low'], 2)}, open]"
    if not pd.isna(row["value"]):
        return with_ends(row["value"], row["low"], row["high"])
    if measure == HALF_DECAY and "never falls" in row["reason"]:
        low = "" if pd.isna(row["low"]) else f", from {plain(row['low'], 1)} on"
        return f"not by the last epoch{low}"
    if "a baseline that may be 0" in row["reason"]:
        return "none: epoch 0 may be 0"
    return f"missing: {row['reason']}"
