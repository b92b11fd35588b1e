"""The first screen: every claim in a sentence, and the best network beside the best control."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
from markupsafe import Markup

from rulealign.claims.measure import NOT_APPLICABLE
from rulealign.claims.verdicts import HOLDS, MISSING, REVERSED, VERDICTS
from rulealign.claims.words import value_words, where
from rulealign.config.universes import ESTIMANDS, listed_axes
from rulealign.plan.lines import lines
from rulealign.report import controls, select
from rulealign.report.formatting import counted, curve_link, missing, number, p_value, score
from rulealign.report.tabulate import Table

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study

SIGNS = {HOLDS: "✓", REVERSED: "⇄"}
"""Verdict -> its sign; every other verdict has ○."""

MANY = 8
"""More claims are counted in a sentence, and folded."""


class Answer(NamedTuple):
    """What became of one claim.

    Attributes:
        link: its label, which leads to its curve.
        statement: the claim in words.
        verdict: over all universes that answer the same question as the primary one.
        sign: of the verdict.
        found: effect and test, in words.
        places: (by what, where it has which verdict): by question; and in single universes of the
            primary question, by the way of computing them. Only what there are several of.
    """

    link: Markup
    statement: str
    verdict: str
    sign: str
    found: Markup
    places: list[tuple[str, str]]


def answers(study: Study, tables: Mapping[str, pd.DataFrame]) -> list[Answer]:
    """Answer every claim.

    Args:
        study: the study.
        tables: `claims`, `claims_summary` and `specification_curves`, where it declares claims.

    Returns:
        One answer per claim, in the order of the study; where they are many, those first that are
        about highlighted rules and their baselines alone. None where it declares none.
    """
    if "claims_summary" not in tables:
        return []
    found = {row["claim"]: _answer(row, tables) for _, row in tables["claims_summary"].iterrows()}
    order = (
        sorted(found, key=lambda claim: _in_the_grey(study, claim)) if len(found) > MANY else found
    )
    return [found[claim] for claim in order]


def _in_the_grey(study: Study, claim: str) -> bool:
    # whether a claim names a rule that figures draw with others, in a band
    shown = lines(study) if study.report.highlight else study.rules
    terms = [*study.claims[claim].plus, *study.claims[claim].minus]
    return not {term.rule for term in terms}.issubset(shown)


def _answer(row: pd.Series, tables: Mapping[str, pd.DataFrame]) -> Answer:
    cells, universes = (
        table[table["claim"] == row["claim"]]
        for table in (tables["specification_curves"], tables["claims"])
    )
    asked = listed_axes(universes, ESTIMANDS)
    own = universes[(universes[asked] == row[asked]).all(axis=1)]
    computed = [axis for axis in listed_axes(universes) if axis not in asked]
    return Answer(
        curve_link(row["claim"]),
        row["statement"],
        row["cell_verdict"],
        SIGNS.get(row["cell_verdict"], "○"),
        _found(row),
        _places(
            where(cells, asked) if len(cells) > 1 else "",
            where(own, computed) if len(own) > 1 else "",
        ),
    )


def _places(questions: str, ways: str) -> list[tuple[str, str]]:
    if questions == ways:
        return [("By question and way of computing it", ways)] if ways else []
    found = [("By question", questions), ("By way of computing it", ways)]
    return [(by, words) for by, words in found if words]


def setting(tables: Mapping[str, pd.DataFrame]) -> str:
    """Say in words what the primary universe of claims is, as far as others differ from it.

    Args:
        tables: `claims` and `claims_summary`, where the study declares claims.

    Returns:
        Such as "at 32 px, with grid-8, without a control"; "" where every claim has one universe.
    """
    if "claims" not in tables:
        return ""
    rows = tables["claims"]
    varied = [axis for axis in listed_axes(rows) if len(set(rows[axis]) - {NOT_APPLICABLE}) > 1]
    first = rows[rows["primary"].astype(bool)].iloc[0]
    applying = [axis for axis in varied if first[axis] != NOT_APPLICABLE]
    return ", ".join(value_words(axis, first[axis]) for axis in applying)


def tally(tables: Mapping[str, pd.DataFrame]) -> str:
    """Count what became of many claims.

    Args:
        tables: as in `answers`.

    Returns:
        Verdicts over the primary questions, then in how many claims others say something; "" for so
        few claims that they can be read.
    """
    if "claims_summary" not in tables or len(tables["claims_summary"]) <= MANY:
        return ""
    verdicts, cells = tables["claims_summary"]["cell_verdict"], tables["specification_curves"]
    each = verdicts.value_counts()
    counts = ", ".join(f"{each[one]} {one}" for one in VERDICTS if one in each)
    others = cells[~cells["primary"].astype(bool)]
    somewhere = [
        counted([others.loc[others["verdict"] == verdict, "claim"].nunique()], *words)
        for verdict, words in (
            (HOLDS, ("holds", "hold")),
            (REVERSED, ("is reversed", "are reversed")),
        )
    ]
    return (
        f"{len(verdicts)} claims over all universes of their primary question: {counts}. In one or"
        f" more other questions (stimuli, sizes, baselines) {' and '.join(somewhere)}."
    )


def _found(row: pd.Series) -> Markup:
    if row["verdict"] == MISSING:
        return Markup("{}").format(row["reason"])
    effect = score(row.rename({"effect": "score"}))
    if pd.isna(row["cell_p"]):
        reasons = row[["reason", "cell_reason"]].dropna()
        return Markup("{}: {}").format(effect, reasons.iloc[0]) if len(reasons) else effect
    universes = counted([int(row["cell_universes"])], "universe", "universes")
    p = p_value(row["cell_p_holm"])
    return Markup("{}, p = {} over {}").format(effect, p, universes)


def best_of_each_roi(study: Study, tables: Mapping[str, pd.DataFrame], view: View) -> Table:
    """Hold the best layer of any network against the best control, ROI by ROI.

    Args:
        study: the study.
        tables: `alignment`, `ceilings` and, where the study has controls, `controls`.
        view: what is shown.

    Returns:
        A row per ROI. The best of many scores is high by chance, too: it describes, and tests
        nothing.

    Raises:
        DataError: the tables have no such rows.
        GuardError: controls or ceilings are not over the scores' pairs.
    """
    own = select.at_view(tables["alignment"], view)
    # of networks with one state, such as those of epoch 0, the study's first one is named
    order = list(study.rules).index
    own = own.sort_values("rule", key=lambda labels: labels.map(order), kind="stable")
    others = controls.at_view(tables.get("controls"), view, own)
    bounds = select.bounds(tables["ceilings"], own)
    whose = "{network} by {rule}" if len(study.networks) > 1 else "{rule}"
    rows = [_best(roi, own, others, bounds, whose) for roi in study.brain.rois]
    caption = (
        "The best layer of any rule at any checkpoint beside the best control (a feature of the"
        " images alone), and the noise ceiling. The best of many is high by chance, too: this"
        f" describes, and tests nothing. Setting: {select.words(view)}; {select.pairs_words(own)}."
    )
    head = ["ROI", "best network", "best control", "network − control", "noise ceiling"]
    return Table(caption, head, rows)


def _best(
    roi: str, own: pd.DataFrame, others: pd.DataFrame, bounds: pd.DataFrame, whose: str
) -> list[str | Markup]:
    network = _highest(own[own["roi"] == roi])
    control = _highest(others[others["roi"] == roi])
    ceiling = select.ceiling(bounds, roi)
    return [
        roi,
        _named(f"{whose} {{layer}}, epoch {{epoch}}", network),
        _named("{control}", control),
        missing("")
        if network is None or control is None
        else number(network["score"] - control["score"]),
        Markup("{} to {}").format(number(ceiling["lower"]), number(ceiling["upper"])),
    ]


def _highest(rows: pd.DataFrame) -> pd.Series | None:
    known = rows.dropna(subset=["score"])
    return None if known.empty else known.loc[known["score"].idxmax()]


def _named(pattern: str, row: pd.Series | None) -> Markup:
    if row is None:
        return missing("none")
    return Markup("{}: {}").format(pattern.format_map(row), score(row))
