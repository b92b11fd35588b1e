"""How much more aligned every trained rule is than its baseline: a table per layer and ROI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.arm import Mapped
from rulealign.report import select
from rulealign.report.claims import generalises
from rulealign.report.formatting import missing, number, plain
from rulealign.report.panels import titles
from rulealign.report.tabulate import Table
from rulealign.rsa.baseline_table import BASELINE
from rulealign.rsa.compare import require_same_pairs_kind

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study


def comparisons(study: Study, tables: Mapping[str, pd.DataFrame], view: View) -> list[Table]:
    """Tabulate every rule less its baseline at the same epoch, in one view.

    Args:
        study: the study.
        tables: `alignment`, and `baselines` where some rule trains.
        view: what is shown.

    Returns:
        A table per network and pair of the layer map: a row per rule, a column per epoch; none of
        networks where no rule names a baseline.

    Raises:
        DataError: there are no such rows.
        GuardError: the differences are over other pairs than the alignments.
    """
    if "baselines" not in tables or tables["baselines"].empty:
        return []
    rows = select.at_view(tables["baselines"], view)
    require_same_pairs_kind(rows["pairs"], select.at_view(tables["alignment"], view)["pairs"])
    shown = f"over {select.pairs_words(rows)}; {select.words(view)}"
    pairs = [pair for pair in study.mapped() if pair.network in set(rows["network"])]
    named = zip(pairs, titles(pairs), strict=True)
    return [_comparison(rows, pair, study, f"{title}: {{}}, {shown}") for pair, title in named]


def _comparison(rows: pd.DataFrame, pair: Mapped, study: Study, shown: str) -> Table:
    own = rows[(rows[list(Mapped._fields)] == list(pair)).all(axis=1)]
    epochs = sorted(set(own["epoch"]))
    cells = {(row["rule"], row["epoch"]): row for _, row in own.iterrows()}
    names = dict(zip(own["rule"], own[BASELINE], strict=True))
    there = [rule for rule in study.rules if rule in names]
    body = [
        [f"{rule} − {names[rule]}", *(_cell(cells.get((rule, epoch))) for epoch in epochs)]
        for rule in there
    ]
    what = (
        "per_subject score of a rule less that of its baseline at"
        f" the same epoch [{plain(100 * study.statistics.interval, 0)}% interval], over the"
        " seeds that both have"
    )
    caption = f"{shown.format(what)}. {generalises(own)}".strip()
    heads = ["rule − baseline", *(f"epoch {epoch}" for epoch in epochs)]
    return Table(caption, heads, body)


def _cell(row: pd.Series | None) -> Markup:
    if row is None:
        return missing("none")
    value, low, high = (number(row[end], 3) for end in ("score", "low", "high"))
    if pd.isna(row["low"]):
        return Markup("{} {}").format(value, missing(row["reason"]))
    return Markup('{} <span class="interval">[{}, {}]</span>').format(value, low, high)
