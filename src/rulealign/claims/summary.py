"""One line per claim: its verdict over all universes, then its primary universe, and counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from rulealign.claims.verdicts import MISSING, UNINFORMATIVE, VERDICTS
from rulealign.claims.words import summary_line
from rulealign.config.universes import AXES, listed_axes
from rulealign.errors import DataError
from rulealign.plan.settings.claims import ClaimSettings
from rulealign.rsa.families import AdjustedP, adjust_family

_DECLARED = ("statement", "direction", "smallest_effect", "smallest_effect_reason", "family")
_PRIMARY = (
    *("effect", "standard_error", "degrees_of_freedom", "low", "high", "verdict", "reason"),
    *("generalises_to", "p_equivalence", "n_seeds", "p_seeds_floor", "note"),
)
_CELL = {
    "cell_verdict": "verdict",
    "cell_reason": "reason",
    "cell_universes": "universes",
    "cell_median": "median",
    "cell_p": "p",
    "cell_p_holm": "p_adjusted",
    "claimed_side": "claimed_side",
}
"""Column -> the column of `statistics/specification_curves.csv` that it is of."""

P_VALUES = ("p", "p_seeds")
COLUMNS = (
    "claim",
    *_DECLARED,
    *_CELL,
    *AXES,
    *_PRIMARY,
    "universes",
    *VERDICTS,
    *(f"{p}{kind}" for p in P_VALUES for kind in ("", "_bh", "_holm", "_reason")),
    "family_size",
    "summary",
)
"""Columns of `statistics/claims_summary.csv`, but for axes that the grid does not have."""


def summary_table(
    rows: pd.DataFrame, curves: pd.DataFrame, claims: Sequence[ClaimSettings]
) -> pd.DataFrame:
    """Sum up every claim in one row.

    Args:
        rows: of `statistics/claims.csv`.
        curves: of `statistics/specification_curves.csv`.
        claims: as declared.

    Returns:
        One row per claim, in their order, with `COLUMNS`. `cell_verdict`, the verdict of the claim,
        and what begins like it are of the cell that the primary universe is in. The axes name the
        primary universe; effect, verdict and p-values are of it alone, and these are adjusted over
        all claims of the family.

    Raises:
        DataError: a claim has not exactly one primary universe.
    """
    primary = {claim.label: _primary(rows, claim.label) for claim in claims}
    adjusted = {p: _adjusted(p, claims, primary) for p in P_VALUES}
    cells = curves[curves["primary"].astype(bool)].set_index("claim")
    found = [_row(claim, rows, cells, primary, adjusted) for claim in claims]
    unasked = {*AXES} - {*listed_axes(rows)}
    columns = [name for name in COLUMNS if name not in unasked]
    return pd.DataFrame(found, columns=columns).astype({"n_seeds": "Int64"})


def _primary(rows: pd.DataFrame, label: str) -> pd.Series:
    found = rows[(rows["claim"] == label) & rows["primary"].astype(bool)]
    if len(found) != 1:
        raise DataError(f"the claim '{label}' has {len(found)} primary universes, not one.")
    return found.iloc[0]


def _adjusted(
    p: str, claims: Sequence[ClaimSettings], primary: Mapping[str, pd.Series]
) -> dict[str, AdjustedP]:
    found: dict[str, AdjustedP] = {}
    for family in dict.fromkeys(claim.family for claim in claims):
        labels = [claim.label for claim in claims if claim.family == family]
        # a p against brain data that tell nothing is no evidence
        noisy = {label for label in labels if primary[label]["verdict"] == UNINFORMATIVE}
        missing = noisy | {label for label in labels if pd.isna(primary[label][p])}
        values = {label: None if label in missing else float(primary[label][p]) for label in labels}
        reasons = {label: _reason(p, primary[label]) for label in labels if label in missing}
        for one in adjust_family(family, labels, values, reasons):
            found[one.name] = one
    return found


def _reason(p: str, row: pd.Series) -> str:
    if row["verdict"] in (MISSING, UNINFORMATIVE):
        return str(row["reason"])
    notes = [] if pd.isna(row["note"]) else str(row["note"]).split("; ")
    return next((note for note in notes if note.startswith(f"no {p}")), f"no {p}")


def _row(
    claim: ClaimSettings,
    rows: pd.DataFrame,
    cells: pd.DataFrame,
    primary: Mapping[str, pd.Series],
    adjusted: Mapping[str, Mapping[str, AdjustedP]],
) -> dict[str, Any]:
    label = claim.label
    own = rows[rows["claim"] == label]
    row = {"claim": label, **{key: getattr(claim, key) for key in _DECLARED}}
    row |= {name: cells.loc[label, column] for name, column in _CELL.items()}
    row["universes"] = int((own["verdict"] != MISSING).sum())
    row |= {key: primary[label][key] for key in (*listed_axes(rows), *_PRIMARY)}
    row |= {verdict: int((own["verdict"] == verdict).sum()) for verdict in VERDICTS}
    for p in P_VALUES:
        one = adjusted[p][label]
        row |= {p: one.p, f"{p}_bh": one.benjamini_hochberg, f"{p}_holm": one.holm}
        row |= {f"{p}_reason": one.reason or None, "family_size": one.declared}
    return row | {"summary": summary_line(own)}
