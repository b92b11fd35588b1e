"""The claims of several studies side by side: whether a result holds in other data, too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rulealign.claims.summary import COLUMNS
from rulealign.claims.verdicts import MISSING, VERDICTS
from rulealign.errors import DataError
from rulealign.store import read_csv

NOT_DECLARED = "not declared"


def side_by_side(folders: Sequence[Path]) -> pd.DataFrame:
    """Lay the tables of several studies side by side.

    Args:
        folders: `results/<study>`, each with `statistics/claims_summary.csv`.

    Returns:
        One row per label of a claim that any study declares; the columns `claim`, `statement` and
        one per study, in the order given. A claim that two studies word differently has both
        statements: each is about the areas and epochs of its study.

    Raises:
        DataError: a folder has no table of claims, is there twice, or its table is not one; names
            the folder.
    """
    names = [Path(folder).resolve().name for folder in folders]
    tables = {}
    for name, folder in zip(names, folders, strict=True):
        if name in tables:
            raise DataError(f"{folder}: a study of the name '{name}' is there twice; give it once.")
        tables[name] = _read(Path(folder))
    labels = dict.fromkeys(label for table in tables.values() for label in table.index)
    rows = []
    for label in labels:
        own = {name: table.loc[label] for name, table in tables.items() if label in table.index}
        statements = dict.fromkeys(row["statement"] for row in own.values())
        cells = {name: _cell(own[name]) if name in own else NOT_DECLARED for name in names}
        rows.append({"claim": label, "statement": " / ".join(statements), **cells})
    return pd.DataFrame(rows, columns=["claim", "statement", *names])


def _read(folder: Path) -> pd.DataFrame:
    path = folder / "statistics" / "claims_summary.csv"
    if not path.is_file():
        raise DataError(
            f"{folder}: has no statistics/claims_summary.csv; give the results folder of a study"
            " that declares claims and has been run, such as results/cichy92."
        )
    table = read_csv(path)
    lacking = [name for name in COLUMNS if name not in table]
    if lacking:
        raise DataError(f"{folder}: its table of claims has no column '{lacking[0]}'; run it anew.")
    return table.set_index("claim")


def _cell(row: pd.Series) -> str:
    counts = ", ".join(f"{row[verdict]} {verdict}" for verdict in VERDICTS if row[verdict])
    if row["verdict"] == MISSING:
        return f"missing ({row['reason']}); {counts}"
    low, high = (f"{row[end]:+.3f}" for end in ("low", "high"))
    return f"{row['verdict']}: {row['effect']:+.3f} [{low}, {high}]; {counts}"


def markdown(table: pd.DataFrame) -> str:
    """Write a table as Markdown.

    Args:
        table: of `side_by_side`.

    Returns:
        The table, a line per row.
    """
    lines = [list(table.columns), ["---"] * len(table.columns), *table.to_numpy().tolist()]
    cells = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in cells) + "\n"
