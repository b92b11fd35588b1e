"""The claims of several studies side by side: whether a result holds in other data, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from rulealign.claims.summary import COLUMNS
from rulealign.claims.verdicts import MISSING, VERDICTS
from rulealign.config.universes import OPTIONAL, listed_axes
from rulealign.errors import DataError
from rulealign.store import read_csv

NOT_DECLARED = "not declared"
PRIMARY = "(primary universe)"
"""Label of the first row: what effects, intervals and verdicts of each study were computed in."""


def side_by_side(folders: Sequence[Path]) -> pd.DataFrame:
    """Lay the tables of several studies side by side.

    Args:
        folders: `results/<study>`, each with `statistics/claims_summary.csv`.

    Returns:
        The primary universe of each study; then one row per label of a claim that any study
        declares. The columns are `claim`, `statement` and one per study, in the order given, named
        by its folder, or its path where two folders have one name. A claim that two studies word
        differently has both statements: each is about the ROIs and epochs of its study.

    Raises:
        DataError: a folder has no table of claims, appears twice, or its table is not one; names
            the folder. Or studies declare different things under one label; names it and both.
    """
    names = _names([Path(folder) for folder in folders])
    tables = {name: _read(Path(folder)) for name, folder in zip(names, folders, strict=True)}
    labels = dict.fromkeys(label for table in tables.values() for label in table.index)
    universes = {name: _primary(table) for name, table in tables.items()}
    rows = [{"claim": PRIMARY, "statement": "", **universes}]
    for label in labels:
        own = {name: table.loc[label] for name, table in tables.items() if label in table.index}
        _require_same_claim(label, own)
        statements = dict.fromkeys(row["statement"] for row in own.values())
        cells = {name: _cell(own[name]) if name in own else NOT_DECLARED for name in names}
        rows.append({"claim": label, "statement": " / ".join(statements), **cells})
    return pd.DataFrame(rows, columns=["claim", "statement", *names])


def _names(folders: Sequence[Path]) -> list[str]:
    places, names = [folder.resolve() for folder in folders], []
    for folder, place in zip(folders, places, strict=True):
        if places.count(place) > 1:
            raise DataError(f"{folder}: appears twice; name it once.")
        shared = sum(other.name == place.name for other in places) > 1
        names.append(str(folder) if shared else place.name)
    return names


def _primary(table: pd.DataFrame) -> str:
    # the same for all claims of a study: the first value of every axis
    return ", ".join(f"{axis} {table[axis].iloc[0]}" for axis in listed_axes(table))


def _require_same_claim(label: str, own: Mapping[str, pd.Series]) -> None:
    # else one column would say that it holds of what another one says the opposite of
    first, *others = own
    for other in others:
        for key in ("direction", "smallest_effect"):
            values = own[first][key], own[other][key]
            if values[0] != values[1] and not all(map(pd.isna, values)):
                raise DataError(
                    f"the claim '{label}' has the {key} {values[0]} in {first} and {values[1]} in"
                    f" {other}: these are two claims; give one of them another label."
                )


def _read(folder: Path) -> pd.DataFrame:
    path = folder / "statistics" / "claims_summary.csv"
    if not path.is_file():
        raise DataError(
            f"{folder}: has no statistics/claims_summary.csv; give the results folder of a study"
            " that declares claims and has been run, such as results/cichy92."
        )
    table = read_csv(path)
    lacking = [name for name in COLUMNS if name not in table and name not in OPTIONAL]
    if lacking:
        raise DataError(f"{folder}: its table of claims has no column '{lacking[0]}'; run it anew.")
    return table.set_index("claim")


def _cell(row: pd.Series) -> str:
    counts = ", ".join(f"{row[verdict]} {verdict}" for verdict in VERDICTS if row[verdict])
    over_all = f"{row['cell_verdict']}{_test(row)}"
    if row["verdict"] == MISSING:
        return f"{over_all}; primary universe missing ({row['reason']}); {counts}"
    low, high = (f"{row[end]:+.3f}" for end in ("low", "high"))
    why = "" if pd.isna(row["reason"]) else f" ({row['reason']})"
    first = f"primary universe {row['verdict']}{why}: {row['effect']:+.3f} [{low}, {high}]"
    return f"{over_all}; {first}; {counts}"


def _test(row: pd.Series) -> str:
    if pd.isna(row["cell_p_holm"]):
        return ""
    return f" over {row['cell_universes']:.0f} universes (p = {row['cell_p_holm']:.3f}, Holm)"


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
