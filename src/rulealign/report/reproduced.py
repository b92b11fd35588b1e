"""What was published elsewhere, beside what this study finds in the universe that comes nearest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.claims.verdicts import MISSING
from rulealign.config.universes import listed_axes
from rulealign.report.claims_figure import value_label
from rulealign.report.formatting import missing, score
from rulealign.report.tabulate import Table

if TYPE_CHECKING:
    from rulealign.config.report import Reproduced
    from rulealign.config.study import Study

HEAD = ["claim", "published", "this study", "under which universe", "verdict there"]


def tabulate(study: Study, rows: pd.DataFrame) -> Table | None:
    """Tabulate what a study says that it reproduces.

    Args:
        study: the study.
        rows: the table `statistics/claims.csv`.

    Returns:
        A row per entry of `report.reproduces`; None where there is none.
    """
    told = study.report.reproduces
    if not told:
        return None
    caption = (
        "Published numbers as the study file states them, beside the effect of the claim in the"
        " universe that comes nearest to how they were computed: the primary one, but for the axes"
        " that are named. Data, subjects and networks may differ from those of the publication;"
        " the claim says what was measured here."
    )
    return Table(caption, HEAD, [_row(study, one, rows) for one in told])


def _row(study: Study, one: Reproduced, rows: pd.DataFrame) -> list[str | Markup]:
    own = rows[rows["claim"] == one.claim]
    primary = own[own["primary"].astype(bool)].iloc[0]
    axes = listed_axes(own)
    universe = {axis: str(one.universe.get(axis, primary[axis])) for axis in axes}
    found = own[(own[axes].astype(str) == pd.Series(universe)).all(axis=1)]
    where = ", ".join(value_label(axis, value) for axis, value in one.universe.items())
    wide = Markup('<span class="claim">{}</span>')
    published = wide.format(f"{one.reported} ({one.source})")
    name = Markup("{}{}").format(one.claim, wide.format(study.claims[one.claim].statement))
    shown = where or "the primary one"
    if found.empty or found["verdict"].iloc[0] == MISSING:
        return [name, published, missing("not computed"), shown, missing("")]
    row = found.iloc[0]
    return [name, published, score(row.rename({"effect": "score"})), shown, row["verdict"]]
