"""Whether the brain data of a claim tell anything: their noise ceiling against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rulealign.errors import DataError
from rulealign.store import read_csv


class Ceiling(NamedTuple):
    """The lower bound of an area's noise ceiling, and what it could be by chance.

    Attributes:
        lower: in units of the score.
        by_chance: upper end of its null.
        informative: whether the lower bound lies above that.
        reason: why there is no null; "" where there is one.
    """

    lower: float
    by_chance: float
    informative: bool
    reason: str


Ceilings = Mapping[tuple[str, str], Ceiling]
"""(area, kind of pairs) -> its ceiling."""


def read_ceilings(files: Sequence[Path]) -> dict[tuple[str, str], Ceiling]:
    """Read the noise ceilings that claims are held against.

    Args:
        files: `brain/roi-<r>_ceiling.csv`.

    Returns:
        (area, kind of pairs) -> its ceiling.

    Raises:
        DataError: a table lacks a column; names both.
        StoreError: a file cannot be read.
    """
    found = {}
    for path in map(Path, files):
        rows = read_csv(path)
        lacking = {"roi", "pairs", *_COLUMNS} - set(rows)
        if lacking:
            what = f"has no column '{min(lacking)}'"
            raise DataError(f"{path}: {what}; delete it and rerun the command.")
        for row in rows.to_dict("records"):
            row["reason"] = row["reason"] if isinstance(row["reason"], str) else ""
            found[str(row["roi"]), str(row["pairs"])] = Ceiling(*(row[one] for one in _COLUMNS))
    return found


_COLUMNS = ("lower", "null_lower_high", "informative", "reason")


def uninformative(areas: Sequence[str], pairs: str, ceilings: Ceilings) -> tuple[str, str]:
    """Say whether brain data are too noisy for any claim over them.

    Args:
        areas: that the claim takes.
        pairs: the kind of pairs that are compared.
        ceilings: of `read_ceilings`.

    Returns:
        Why the claim is uninformative, "" where it is not: the lower bound of an area, over the
        same pairs, is not clear of chance. And a note where the ceiling is not known: it has no
        null, or none over these pairs.
    """
    for area in areas:
        known = ceilings.get((area, pairs))
        if known is None or known.reason:
            why = "none is computed over these pairs" if known is None else known.reason
            return "", f"ceiling unknown of {area} over {pairs} pairs: {why}"
        if not known.informative:
            return (
                f"the lower bound of {area}'s noise ceiling over {pairs} pairs, {known.lower:.3f},"
                f" is not clear of chance (up to {known.by_chance:.3f})"
            ), ""
    return "", ""
