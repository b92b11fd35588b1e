"""Whether the brain data of a claim tell anything: their noise ceiling against chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rulealign.errors import DataError
from rulealign.store import read_csv


class Ceiling(NamedTuple):
    """What tells whether an ROI's brain data say anything, and what it could be by chance.

    Attributes:
        by: what: the lower bound of the noise ceiling, or with one subject the reliability over
            sessions or halves of the trials; "" where there is neither, or no null.
        value: in units of the score.
        by_chance: upper end of its null.
        informative: whether the value lies above that.
        reason: why it is unknown, where it is.
    """

    by: str
    value: float
    by_chance: float
    informative: bool
    reason: str


Ceilings = Mapping[tuple[str, str], Ceiling]
"""(ROI, kind of pairs) -> its ceiling."""


UNKNOWN = "ceiling unknown"
"""How a note begins that says so."""


def read_ceilings(files: Sequence[Path]) -> dict[tuple[str, str], Ceiling]:
    """Read the noise ceilings that claims are held against.

    Args:
        files: `brain/roi-<r>_ceiling.csv`.

    Returns:
        (ROI, kind of pairs) -> its ceiling.

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
            found[str(row["roi"]), str(row["pairs"])] = _ceiling(row)
    return found


_BOUND, _ALONE = ("lower", "null_lower_high"), ("reliability", "null_reliability_high")
_COLUMNS = {*_BOUND, *_ALONE, "n_subjects", "informative", "informative_by", "reason"}


def _ceiling(row: Mapping[str, Any]) -> Ceiling:
    by, reason = (
        row[one] if isinstance(row[one], str) else "" for one in ("informative_by", "reason")
    )
    value, by_chance = (row[one] for one in (_BOUND if row["n_subjects"] > 1 else _ALONE))
    return Ceiling(by, value, by_chance, bool(row["informative"]), reason)


def uninformative(rois: Sequence[str], pairs: str, ceilings: Ceilings) -> tuple[str, str]:
    """Say whether brain data are too noisy for any claim over them.

    Args:
        rois: that the claim takes.
        pairs: the kind of pairs that are compared.
        ceilings: of `read_ceilings`.

    Returns:
        Why the claim is uninformative, "" where it is not: the lower bound of an ROI, or with one
        subject its reliability, over the same pairs, is not clear of chance. And a note where
        neither is known. One uninformative ROI is enough, whatever is known of the others.
    """
    noisy, unknown = [], []
    for roi in rois:
        known = ceilings.get((roi, pairs))
        if known is None or not known.by:
            why = "none is computed over these pairs" if known is None else known.reason
            unknown.append(f"{UNKNOWN} of {roi} over {pairs} pairs: {why}")
        elif not known.informative:
            noisy.append(
                f"the {known.by} of {roi} over {pairs} pairs, {known.value:.3f}, is not clear of"
                f" chance (up to {known.by_chance:.3f})"
            )
    return (noisy[0], "") if noisy else ("", next(iter(unknown), ""))
