"""One row of the table of quality checks: what was looked at, what was found, what it means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

COLUMNS = [
    *("check", "guard", "subject", "other", "roi", "item"),
    *("value", "expected", "flagged", "finding"),
]
"""Columns of `statistics/quality.csv`: `check`, the family of the row; `guard`, its number in
docs/method.md; `subject` and `other`, whom it is about; `roi`; `item`, what of it; `value` and
`expected`; `flagged`, whether it needs attention; `finding`, the same in words, where there is
something to say."""

RARE = 1e-4
"""p below which a test speaks: |t| > 4 for the 120 runs of a subject of THINGS-fMRI, more for
fewer. A study makes about a hundred such tests."""

_TEXT = ["check", "subject", "other", "roi", "item", "finding"]


def label(subject: int | str) -> str:
    """Name a subject as files do: sub-01."""
    name = str(subject)
    return f"sub-{name.zfill(2) if name.isdigit() else name}"


def entry(check: str, item: object, value: float, **more: Any) -> dict[str, Any]:
    """Make one row.

    Args:
        check: the family of the row.
        item: what of it.
        value: a number; NaN where there is only something to say.
        more: any other of `COLUMNS`.

    Returns:
        Column -> value, all of `COLUMNS`.
    """
    empty = {"guard": float("nan"), "subject": "", "other": "", "roi": ""}
    empty |= {"expected": float("nan"), "flagged": False, "finding": ""}
    return empty | {"check": check, "item": str(item), "value": float(value)} | more


def as_table(rows: Iterable[dict[str, Any]]) -> pd.DataFrame:
    """Make a table of rows, also of none."""
    table = pd.DataFrame(list(rows), columns=COLUMNS)
    return table.astype({"flagged": bool, "guard": "Int64"})


def filled(table: pd.DataFrame) -> pd.DataFrame:
    """Give a table that was read back the empty texts that CSV does not tell from missing ones."""
    texts = {name: table[name].astype(object).fillna("").astype(str) for name in _TEXT}
    return table.assign(**texts)[COLUMNS]


def log_lines(table: pd.DataFrame) -> list[str]:
    """Write one line for every flagged row.

    Args:
        table: rows of the table of quality checks.

    Returns:
        Lines that begin with "QUALITY: ".
    """
    return [f"QUALITY: {finding}" for finding in table.loc[table["flagged"], "finding"]]
