"""Claims on the page: their verdicts in a table, and the caption of their figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.claims.ceilings import UNKNOWN
from rulealign.claims.verdicts import HOLDS, MISSING, REVERSED, VERDICTS
from rulealign.report.formatting import missing, number, p_value, plain
from rulealign.report.tabulate import Table

if TYPE_CHECKING:
    from rulealign.config.study import Study

HEAD = ["claim", "primary universe", "effect", " / ".join(VERDICTS), "in words"]
P_HEAD = ["claim", "p", "BH", "Holm", "p over seeds", "BH", "Holm"]


def tables(study: Study, found: Mapping[str, pd.DataFrame]) -> tuple[Table, Table] | None:
    """Tabulate the claims of a study, or give None where it declares none.

    Args:
        study: the study.
        found: with `claims_summary`, where the study declares claims.

    Returns:
        As `tabulate` and `tabulate_p`.
    """
    if "claims_summary" not in found:
        return None
    summary = found["claims_summary"]
    return tabulate(summary, study.statistics.interval), tabulate_p(summary)


def tabulate(summary: pd.DataFrame, interval: float) -> Table:
    """Tabulate every claim: its primary universe, and its counts over all universes.

    Args:
        summary: the table `statistics/claims_summary.csv`.
        interval: coverage of the intervals.

    Returns:
        A row per claim, in the order of the study.
    """
    caption = (
        "The primary universe has the first value of every axis. Effect: in it, the"
        f" difference that is claimed, in units of the score, [{plain(100 * interval, 0)}%"
        f" interval]. {generalises(summary)} A claim holds, or is reversed, where the interval"
        " lies on one side of 0. Then the number of universes with each verdict; those that are"
        " missing do not exist, and are in no denominator."
    )
    return Table(caption, HEAD, [_row(row) for _, row in summary.iterrows()])


def generalises(rows: pd.DataFrame) -> str:
    """Say what intervals generalise to, and how many to each where that differs.

    Args:
        rows: of a table with the column `generalises_to`, empty where there is no interval.

    Returns:
        A sentence; "" where no row has an interval.
    """
    counts = rows["generalises_to"].dropna().value_counts(sort=False)
    if counts.empty:
        return ""
    if len(counts) == 1:
        return f"Intervals are over {counts.index[0]}."
    each = "; ".join(f"{count} over {what}" for what, count in counts.items())
    return f"Of the intervals, {each}."


def _row(row: pd.Series) -> list[str | Markup]:
    effect = missing(row["reason"])
    if row["verdict"] != MISSING:
        effect = Markup('{}<br><span class="interval">[{}, {}]</span>').format(
            number(row["effect"]), number(row["low"]), number(row["high"])
        )
    wide = Markup('<span class="claim">{}</span>')
    name = Markup('{}<span class="claim">{}</span>').format(row["claim"], row["statement"])
    verdict = wide.format(_verdict(row))
    return [
        name,
        verdict if row["verdict"] == HOLDS else Markup("<strong>{}</strong>").format(verdict),
        effect,
        Markup(" / ").join(number(row[verdict], 0) for verdict in VERDICTS),
        wide.format(row["summary"]),
    ]


def tabulate_p(summary: pd.DataFrame) -> Table:
    """Tabulate the p-values of every claim, as they are and adjusted in their family.

    Args:
        summary: the table `statistics/claims_summary.csv`.

    Returns:
        A row per claim, in the order of the study; the caption says how small p can be.
    """
    rows = [[row["claim"], *_p(row, "p"), *_p(row, "p_seeds")] for _, row in summary.iterrows()]
    return Table(_p_caption(summary), P_HEAD, rows)


def _verdict(row: pd.Series) -> str:
    notes = [] if pd.isna(row["note"]) else str(row["note"]).split("; ")
    unknown = "".join(f" ({note})" for note in notes if note.startswith(UNKNOWN))
    if row["verdict"] == MISSING or pd.isna(row["reason"]):
        return row["verdict"] + unknown
    shown = row["verdict"] in (HOLDS, REVERSED)  # and yet it may be too small to matter
    return f"{row['verdict']}{', but ' if shown else ': '}{row['reason']}{unknown}"


def _p(row: pd.Series, name: str) -> list[Markup]:
    if pd.isna(row[name]):
        return [missing(row[f"{name}_reason"]), missing(""), missing("")]
    return [p_value(row[f"{name}{kind}"]) for kind in ("", "_bh", "_holm")]


def _p_caption(summary: pd.DataFrame) -> str:
    families = summary.groupby("family", sort=False)["family_size"].first()
    sizes = ", ".join(f"{family}: {size}" for family, size in families.items())
    return (
        "p is of no effect in the primary universe, two-sided, from the distribution that the"
        " interval is from, so that they cannot disagree; over seeds alone one-sided, by exact sign"
        f" flips ({_floors(summary)}). BH (Benjamini-Hochberg) and Holm are adjusted for all claims"
        f" of a family, as the study file declares it ({sizes})."
    )


def _floors(summary: pd.DataFrame) -> str:
    known = summary.dropna(subset=["p_seeds_floor"])
    if known.empty:
        return "which needs two seeds"
    pairs = sorted(
        {(int(n), f) for n, f in zip(known["n_seeds"], known["p_seeds_floor"], strict=True)}
    )
    each = [f"1/{round(1 / floor)} with {seeds} seeds" for seeds, floor in pairs]
    return f"which cannot give less than {', '.join(each)}, before adjustment"


def figure_caption(rows: pd.DataFrame, interval: float) -> str:
    """Caption the specification curves.

    Args:
        rows: the table `statistics/claims.csv`.
        interval: coverage of the intervals.

    Returns:
        Plain text.
    """
    without = int((rows["verdict"] == MISSING).sum())
    left = f" Left out: {without} universes that do not exist." if without else ""
    return (
        "Every claim in every universe. Title: the verdict of the claim, by one test of the median"
        " over all universes that answer the same question as the primary one (p adjusted by Holm"
        " over the family); the share of these on the claimed side describes, and tests nothing."
        " Above: effects in increasing order, those"
        " of universes that answer another question pale, with"
        f" {plain(100 * interval, 0)}% intervals; blue filled circles: the claim holds; orange"
        " filled diamonds: the reverse holds; grey open circles: unresolved; crosses:"
        " uninformative. Dotted: the smallest"
        " effect that matters, where the study names one. Vertical line: the primary universe."
        f" Below: which value each universe has on every axis, in the colour of its verdict.{left}"
    )


def overview_caption(rows: pd.DataFrame, interval: float) -> str:
    """Caption the figure of all claims at once; arguments and result as in `figure_caption`."""
    known = rows[rows["verdict"] != MISSING]
    return (
        "Every claim (row). Black, and in numbers: the primary universe,"
        f" [{plain(100 * interval, 0)}% interval]. Marks: {len(known)} effects in every universe;"
        " blue: the claim holds there; orange: the reverse holds; grey: unresolved, or"
        " uninformative; pale: universes that answer another question."
    )
