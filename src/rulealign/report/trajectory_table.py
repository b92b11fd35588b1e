"""How much alignment changes over training, with intervals: a table per layer and ROI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.arm import Mapped
from rulealign.errors import DataError
from rulealign.report import select
from rulealign.report.formatting import missing, number, percent
from rulealign.report.panels import titles
from rulealign.report.tabulate import Table
from rulealign.rsa import trajectory
from rulealign.rsa.compare import require_same_pairs_kind

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study

HEADS = {
    trajectory.DROP: "drop after epoch 1",
    trajectory.RELATIVE_DROP: "as a share of epoch 0",
    trajectory.NET_CHANGE: "last less epoch 0",
    trajectory.AREA: "mean height",
    trajectory.HALF_DECAY: "epoch of half of epoch 0",
}
"""What the measures are called in tables, in the order of their columns."""

_OPEN = "open"


def courses(study: Study, tables: Mapping[str, pd.DataFrame], view: View) -> list[Table]:
    """Tabulate the courses of every network's pairs of the layer map, in one view.

    Args:
        study: the study.
        tables: `alignment`, and `trajectories` where some rule trains.
        view: what is shown.

    Returns:
        A table per pair as `course` makes it; none of networks that no rule trains.

    Raises:
        DataError: as in `course`.
        GuardError: the courses are over other pairs than the alignments.
    """
    if "trajectories" not in tables:
        return []
    rows = select.at_view(tables["trajectories"], view)
    require_same_pairs_kind(rows["pairs"], select.at_view(tables["alignment"], view)["pairs"])
    shown = f"over {select.pairs_words(rows)}; {select.words(view)}"
    pairs = [pair for pair in study.mapped() if pair.network in set(rows["network"])]
    return [
        course(
            rows,
            pair,
            list(study.rules),
            f"{title}: changes of the per_subject score over training"
            f" [stimulus-bootstrap interval], {shown}.",
        )
        for pair, title in zip(pairs, titles(pairs), strict=True)
    ]


def course(rows: pd.DataFrame, pair: Mapped, rules: Sequence[str], caption: str) -> Table:
    """Tabulate the measures of every trained rule's course, of one network's layer with one ROI.

    Args:
        rows: of the table `statistics/trajectories.csv`, of one view and convention.
        pair: a network, its layer and an ROI.
        rules: labels, in order; those that do not train have no course and no row.
        caption: of the table.

    Returns:
        A row per rule, a column per measure: value and interval. What is missing has a number, and
        the caption says why.

    Raises:
        DataError: there are no such rows, or a measure is there not exactly once.
    """
    own = rows[(rows[list(Mapped._fields)] == list(pair)).all(axis=1)]
    if own.empty:
        raise DataError(f"there is no course of {', '.join(pair)} in this view.")
    notes: dict[str, int] = {}
    there = [rule for rule in rules if rule in set(own["rule"])]
    body = [[rule, *_cells(own[own["rule"] == rule], rule, notes)] for rule in there]
    said = "".join(f" ({place}) {why}." for why, place in notes.items())
    return Table(caption + said, ["rule", *HEADS.values()], body)


def _cells(rows: pd.DataFrame, rule: str, notes: dict[str, int]) -> list[Markup]:
    if sorted(rows["measure"]) != sorted(HEADS):
        raise DataError(
            f"the trajectories have {sorted(rows['measure'])} of {rule}, not each once."
        )
    by_name = {row["measure"]: row for _, row in rows.iterrows()}
    return [_cell(by_name[name], rule, notes) for name in HEADS]


def _cell(row: pd.Series, rule: str, notes: dict[str, int]) -> Markup:
    note = Markup("")
    if pd.notna(row["reason"]):
        place = notes.setdefault(f"{rule}: {row['reason']}", len(notes) + 1)
        note = Markup(" {}").format(missing(f"({place})"))
    if pd.isna(row["value"]):
        return missing("none") + note
    value, low, high = (_number(row[end], row["unit"]) for end in ("value", "low", "high"))
    return Markup('{} <span class="interval">[{}, {}]</span>{}').format(value, low, high, note)


def _number(value: float, unit: str) -> Markup:
    if unit == "fraction":
        return percent(value, _OPEN)
    return number(value, 1 if unit == "epochs" else 3, _OPEN)
