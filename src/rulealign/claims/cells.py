"""The verdict of a claim over each cell of the grid: universes that estimate one and the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rulealign.claims.specification_curve import InErrors, adjusted_together, median_test
from rulealign.claims.verdicts import (
    HOLDS,
    MISSING,
    REVERSED,
    SIDES,
    UNINFORMATIVE,
    UNRESOLVED,
    VERDICTS,
)
from rulealign.config.universes import ESTIMANDS, listed_axes
from rulealign.plan.settings.claims import ClaimSettings
from rulealign.rsa.families import adjust_family

NO_DIFFERENCE, NO_ALIGNMENT = "no difference", "no alignment"
"""What a curve is tested against: that of a contrast, and that of a level."""

COLUMNS = (
    "claim",
    *ESTIMANDS,
    "primary",
    "null",
    "universes",
    "median",
    "p",
    "family",
    "family_size",
    "p_adjusted",
    "verdict",
    "reason",
    "claimed_side",
    *VERDICTS,
)
"""Columns of `statistics/specification_curves.csv`, but for axes that the grid does not have."""


def curves_table(
    rows: pd.DataFrame,
    found: Sequence[InErrors | None],
    claims: Sequence[ClaimSettings],
    interval: float,
) -> pd.DataFrame:
    """Test every claim over every cell.

    A cell has the universes that agree in `ESTIMANDS` and differ only in how they analyse: the
    median over networks, baselines or images that differ would mix what claims tell apart.

    Args:
        rows: of `statistics/claims.csv`.
        found: in the order of the rows, effects in standard errors with their joint null; None
            where a universe is missing. Those that are uninformative are in no curve.
        claims: as declared.
        interval: coverage, such as .95; p is held against 1 less it.

    Returns:
        A row per claim and cell, in the order of the claims, with `COLUMNS`. `p` of the cells that
        primary universes are in is adjusted by Holm over the claims of the family; that of a
        claim's other cells over these, by `adjusted_together`. `family_size` is the number of tests
        adjusted for. `median` is in standard errors; `claimed_side` is the share of the universes
        with an effect on the claimed side; it and the numbers of verdicts describe, and test
        nothing.
    """
    cells = [_cell(claim, own, found) for claim in claims for own in _cells(rows, claim.label)]
    for family in dict.fromkeys(cell["family"] for cell in cells):
        _adjust_primary([one for one in cells if one["primary"] and one["family"] == family])
    for claim in claims:
        own = [one for one in cells if one["claim"] == claim.label and not one["primary"]]
        _adjust_others(own)
    for cell in cells:
        if cell["p_adjusted"] is not None:
            cell["verdict"] = _verdict(cell, 1 - interval)
    unasked = {*ESTIMANDS} - {*listed_axes(rows, ESTIMANDS)}
    columns = [name for name in COLUMNS if name not in unasked]
    return pd.DataFrame([{name: cell[name] for name in columns} for cell in cells], columns=columns)


def _cells(rows: pd.DataFrame, label: str) -> list[pd.DataFrame]:
    own = rows[rows["claim"] == label]
    return [cell for _, cell in own.groupby(listed_axes(own, ESTIMANDS), sort=False, dropna=False)]


def _cell(
    claim: ClaimSettings, own: pd.DataFrame, found: Sequence[InErrors | None]
) -> dict[str, Any]:
    there = own[~own["verdict"].isin([MISSING, UNINFORMATIVE])]
    curve = median_test([found[place] for place in there.index]) if len(there) else None
    side = SIDES[claim.direction]
    share = float((side * there["effect"].astype(float) > 0).mean()) if len(there) else None
    return {
        "claim": claim.label,
        **own.iloc[0][listed_axes(own, ESTIMANDS)].to_dict(),
        "primary": bool(own["primary"].any()),
        "null": NO_DIFFERENCE if claim.minus else NO_ALIGNMENT,
        "universes": len(there),
        "median": curve.median if curve else None,
        "p": curve.p if curve else None,
        "family": claim.family,
        "verdict": UNINFORMATIVE if (own["verdict"] == UNINFORMATIVE).any() else MISSING,
        "reason": None if curve else own["reason"].dropna().iloc[-1],
        "claimed_side": share,
        **{word: int((own["verdict"] == word).sum()) for word in VERDICTS},
        "direction": side,
        "curve": curve,
    }


def _adjust_primary(cells: Sequence[dict[str, Any]]) -> None:
    family = cells[0]["family"] if cells else ""
    p = {cell["claim"]: cell["p"] for cell in cells}
    why = {cell["claim"]: cell["reason"] for cell in cells if cell["p"] is None}
    for cell, one in zip(cells, adjust_family(family, list(p), p, why), strict=True):
        cell |= {"p_adjusted": one.holm, "family_size": one.declared}


def _adjust_others(cells: Sequence[dict[str, Any]]) -> None:
    there = [cell for cell in cells if cell["curve"]]
    for cell in cells:
        cell |= {"p_adjusted": None, "family_size": len(there)}
    for cell, p in zip(there, adjusted_together([one["curve"] for one in there]), strict=True):
        cell["p_adjusted"] = p


def _verdict(cell: Mapping[str, Any], level: float) -> str:
    if cell["p_adjusted"] > level + 1e-12:
        return UNRESOLVED
    return HOLDS if np.sign(cell["median"]) == cell["direction"] else REVERSED
