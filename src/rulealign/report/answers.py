"""The first screen: every claim in a sentence, the best network beside the best control, limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
from markupsafe import Markup

from rulealign.claims.verdicts import HOLDS, MISSING, REVERSED, VERDICTS
from rulealign.claims.words import locate
from rulealign.config.universes import ESTIMANDS
from rulealign.report import controls, select
from rulealign.report.formatting import counted, curve_link, missing, number, p_value, score
from rulealign.report.tabulate import Table

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study

SIGNS = {HOLDS: "✓", REVERSED: "⇄"}
"""Verdict -> its sign; every other verdict has ○."""

MANY = 8
"""More claims are counted in a sentence, and drawn, before they are listed."""

FEW_SEEDS = 3
"""Below so many common seeds, their spread cannot be told from the rule's own networks."""


class Answer(NamedTuple):
    """What became of one claim.

    Attributes:
        link: its label, which leads to its curve.
        statement: the claim in words.
        verdict: over all universes that answer the same question as the primary one.
        sign: of the verdict.
        found: effect and test, in words.
        elsewhere: the verdicts of its other questions; "" where there is one question only.
    """

    link: Markup
    statement: str
    verdict: str
    sign: str
    found: Markup
    elsewhere: str


def answers(tables: Mapping[str, pd.DataFrame]) -> list[Answer]:
    """Answer every claim.

    Args:
        tables: `claims_summary` and `specification_curves`, where the study declares claims.

    Returns:
        One answer per claim, in the order of the study; none where it declares none.
    """
    if "claims_summary" not in tables:
        return []
    cells = tables["specification_curves"]
    return [
        Answer(
            curve_link(row["claim"]),
            row["statement"],
            row["cell_verdict"],
            SIGNS.get(row["cell_verdict"], "○"),
            _found(row),
            _elsewhere(cells[cells["claim"] == row["claim"]]),
        )
        for _, row in tables["claims_summary"].iterrows()
    ]


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
    primary = Markup("{} in the primary universe").format(effect)
    if pd.isna(row["cell_p"]):
        reasons = row[["reason", "cell_reason"]].dropna()
        return Markup("{}: {}").format(primary, reasons.iloc[0]) if len(reasons) else primary
    universes = counted([int(row["cell_universes"])], "universe", "universes")
    alone = row["cell_universes"] == 1
    over = "over it alone" if alone else f"over the {universes} of its question"
    p = p_value(row["cell_p_holm"])
    return Markup("{}; {}, p = {} (Holm over the family)").format(primary, over, p)


def _elsewhere(cells: pd.DataFrame) -> str:
    if len(cells) < 2:
        return ""
    known = cells[cells["verdict"] != MISSING]
    lost = len(cells) - len(known)
    more = [f"{lost} more {'does' if lost == 1 else 'do'} not exist"] if lost else []
    there = [verdict for verdict in VERDICTS if (known["verdict"] == verdict).any()]
    if len(there) == 1:
        return "; ".join([f"{there[0]} everywhere", *more])
    where = {verdict: locate(known, verdict, ESTIMANDS) for verdict in there}
    found = [f"{one} {words.removeprefix('everything ')}" for one, words in where.items()]
    return "; ".join([*found, *more])


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


def limits(
    study: Study, tables: Mapping[str, pd.DataFrame], doubtful: list[tuple[str, str]]
) -> list[str]:
    """Say what the study cannot say.

    Args:
        study: the study.
        tables: `alignment` and `ceilings`.
        doubtful: rules that may not have learned, with the reason.

    Returns:
        Sentences, the widest limit first.
    """
    return [*_of_data(study, tables), *_of_networks(study, doubtful)]


def _of_data(study: Study, tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    if study.brain.generated:
        yield "The brain data are simulated: nothing here is about a brain."
    images = counted(tables["alignment"]["n_stimuli"].unique(), "image", "images")
    to = study.statistics.generalise_to
    others = {
        "stimuli": "other subjects than these",
        "subjects": "other images than these",
        "both": "images and subjects of other kinds",
    }
    yield f"All scores are of {images}; intervals generalise to {to}, not to {others[to]}."
    ceilings = tables["ceilings"]
    for _, row in ceilings[~ceilings["informative"].astype(bool)].iterrows():
        pairs = select.PAIRS_WORDS[row["pairs"]]
        yield f"{row['roi']}, {pairs}: the brain data are not clear of chance (noise ceilings)."


def _of_networks(study: Study, doubtful: list[tuple[str, str]]) -> Iterator[str]:
    seeds = {len(study.seeds(rule)) for rule in study.rules}
    if min(seeds) < FEW_SEEDS:
        which, fewest = "Some" if len(seeds) > 1 else "All", [min(seeds)]
        yield (
            f"{which} rules have {counted(fewest, 'seed', 'seeds')}: with fewer than {FEW_SEEDS},"
            " how far other networks of a rule would differ is borrowed from other rules, or"
            " unknown."
        )
    if doubtful:
        rules = ", ".join(f"{rule} ({words})" for rule, words in doubtful)
        yield f"Nothing follows about learning from {rules}."
    images = f"{study.training_set.train_images:,}"
    last = max(study.training.checkpoints)
    if not last:
        yield "No network was trained: nothing is said of learning."
        return
    yield (
        f"Networks learned from {images} images for {counted([last], 'epoch', 'epochs')} at most;"
        " nothing is said of larger ones, or of longer training."
    )
