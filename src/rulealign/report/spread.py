"""How far subjects and seeds lie apart, beside the scores that are means over them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.report import select
from rulealign.report.formatting import missing, number
from rulealign.report.panels import titles
from rulealign.report.tabulate import Table

if TYPE_CHECKING:
    from rulealign.arm import Mapped
    from rulealign.config.evaluation import View

SEEDS, SUBJECTS = "seeds", "subjects"


def tabulate(
    own: pd.DataFrame,
    subjects: pd.DataFrame | None,
    rules: Sequence[str],
    pairs: Sequence[Mapped],
    view: View,
) -> Table:
    """Tabulate the lowest and the highest subject and seed of each rule's last checkpoint.

    Args:
        own: per_subject alignments of one view, of one network.
        subjects: the table `statistics/alignment_subjects.csv` of that network; None where it is
            not at hand.
        rules: labels, in order.
        pairs: of that network; one column each.
        view: what is shown.

    Returns:
        Two rows per rule: subjects, in mean over seeds, and seeds, in mean over subjects.
    """
    each = _of_subjects(subjects, view)
    last = [select.last(select.courses(own, rules, pair)) for pair in pairs]
    rows = []
    for rule in rules:
        scores = [one.get(rule) for one in last]
        if len(each):
            rows.append([rule, SUBJECTS, *(_subjects(score, each) for score in scores)])
        rows.append([rule, SEEDS, *(_seeds(score) for score in scores)])
    caption = (
        "Lowest to highest score at the last checkpoint of each rule: of subjects, in mean over"
        f" seeds; of seeds, in mean over subjects. {select.words(view)}; {select.pairs_words(own)}."
    )
    return Table(caption, ["rule", "of", *titles(pairs)], rows)


def _of_subjects(subjects: pd.DataFrame | None, view: View) -> pd.DataFrame:
    if subjects is None:
        return pd.DataFrame()
    keys = [*select.COURSE_KEYS, "epoch", "subject"]
    shown = subjects[select.in_view(subjects, view)]
    return shown.groupby(keys, as_index=False, sort=False)["score"].mean()


def _subjects(row: pd.Series | None, each: pd.DataFrame) -> Markup:
    if row is None:
        return missing("")
    keys = [*select.COURSE_KEYS, "epoch"]
    found = each.loc[(each[keys] == row[keys]).all(axis=1), "score"]
    return _range(found.min(), found.max(), "1 subject", len(found))


def _seeds(row: pd.Series | None) -> Markup:
    if row is None:
        return missing("")
    return _range(row["seed_low"], row["seed_high"], "1 seed", int(row["n_seeds"]))


def _range(low: float, high: float, one: str, count: int) -> Markup:
    return missing(one) if count == 1 else Markup("{} to {}").format(number(low), number(high))
