"""The tables of the report page: cells of markup that carry the result tables' own values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.learning.verdict import MOSTLY_DEAD, Verdict, learned
from rulealign.report import select
from rulealign.report.formatting import NOT_MEASURED, missing, number, percent, score
from rulealign.report.panels import titles

if TYPE_CHECKING:
    from rulealign.arm import Mapped


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes:
        caption: what it holds and how it is to be read.
        head: one text per column.
        rows: cells; the first of each row names it.
    """

    caption: str
    head: list[str]
    rows: list[list[str | Markup]]


def last_checkpoints(
    rows: pd.DataFrame, rules: Sequence[str], pairs: Sequence[Mapped], caption: str
) -> Table:
    """Tabulate each rule's last checkpoint.

    Args:
        rows: alignments of one view and convention, of one network.
        rules: labels, in order.
        pairs: of that network; one column each.
        caption: of the table.

    Returns:
        A row per rule, a column per pair of layer and ROI.
    """
    last = [select.last(select.courses(rows, rules, pair)) for pair in pairs]
    body = []
    for rule in rules:
        cells = [score(one[rule]) if rule in one else missing(NOT_MEASURED) for one in last]
        epochs = {one[rule]["epoch"] for one in last if rule in one}
        epoch = number(epochs.pop(), 0) if len(epochs) == 1 else missing(NOT_MEASURED)
        body.append([rule, epoch, *cells])
    return Table(caption, ["rule", "epoch", *titles(pairs)], body)


def by_epoch(
    rows: pd.DataFrame, rules: Sequence[str], pairs: Sequence[Mapped], caption: str
) -> Table:
    """Tabulate alignment over training: a row per rule and epoch, else as `last_checkpoints`."""
    courses = [select.courses(rows, rules, pair) for pair in pairs]
    body = []
    for rule in rules:
        found = [one[rule].set_index("epoch") if rule in one else None for one in courses]
        epochs = sorted({e for one in found if one is not None for e in one.index})
        for epoch in epochs:
            body.append([rule, number(epoch, 0), *(_at(one, epoch) for one in found)])
    return Table(caption, ["rule", "epoch", *titles(pairs)], body)


def _at(course: pd.DataFrame | None, epoch: int) -> Markup:
    if course is None or epoch not in course.index:
        return missing(NOT_MEASURED)
    return score(course.loc[epoch])


def ceilings(table: pd.DataFrame, interval: float, caption: str) -> Table:
    """Tabulate the noise ceilings with the nulls of lower and upper bound.

    Args:
        table: `statistics/ceilings.csv`.
        interval: coverage of the null's interval.
        caption: of the table.

    Returns:
        A row per ROI and kind of pairs.
    """
    top = f"{50 * (1 + interval):g}th percentile"
    head = ["ROI", "pairs", "lower", "by chance", top, "informative", "upper", "by chance", top]
    head += ["upper, any model", "lower, raw", "upper, raw"]
    lower = ["lower", "null_lower_mean", "null_lower_high"]
    upper = ["upper", "null_upper_mean", "null_upper_high"]
    upper += ["upper_any_model", "lower_raw", "upper_raw"]
    if table["reliability"].notna().any():
        head += ["reliability", top]
        upper += ["reliability", "null_reliability_high"]
    body = []
    for _, row in table.iterrows():
        low, high = (
            [number(row[column], reason=row["reason"]) for column in columns]
            for columns in (lower, upper)
        )
        told = select.informative(row)
        body.append([row["roi"], select.PAIRS_WORDS[row["pairs"]], *low, told, *high])
    return Table(caption, head, body)


def accuracy(training: pd.DataFrame, rules: Sequence[str], caption: str) -> Table:
    """Tabulate held-out accuracy, mean over seeds with the lowest and the highest seed.

    Args:
        training: rows of the table `statistics/training.csv`, of one network.
        rules: labels, in order.
        caption: of the table.

    Returns:
        A row per rule, a column per epoch.
    """
    epochs = sorted(training["epoch"].unique())
    body = [
        [rule, *(_accuracy(training[training["rule"] == rule], epoch) for epoch in epochs)]
        for rule in rules
    ]
    return Table(caption, ["rule", *(f"epoch {epoch}" for epoch in epochs)], body)


def _accuracy(rows: pd.DataFrame, epoch: int) -> Markup:
    values = rows.loc[rows["epoch"] == epoch, "held_out_accuracy"]
    if values.empty and len(rows) and not rows["trains"].any():
        return missing("does not train")
    return _seeds(values)


def learning(diagnostics: pd.DataFrame, rules: Sequence[str], caption: str) -> Table:
    """Tabulate whether each rule learned, with the numbers that the verdict rests on.

    Args:
        diagnostics: rows of the table `statistics/diagnostics.csv`, of one network.
        rules: labels, in order.
        caption: of the table.

    Returns:
        A row per rule: verdict, accuracy, change of each conv layer, dead units, angle to
        backpropagation at the first and the last trained checkpoint, effective rank.
    """
    layers = diagnostics.loc[diagnostics["convolution"], "layer"].unique()
    verdicts = learned(diagnostics, rules)
    body = []
    for rule in rules:
        rows = diagnostics[diagnostics["rule"] == rule]
        last = rows[rows["epoch"] == rows["epoch"].max()]
        first = rows[rows["epoch"] == rows.loc[rows["epoch"] > 0, "epoch"].min()]
        verdict = verdicts[rule]
        shown = [
            _seeds(last.drop_duplicates("seed")["held_out_accuracy"]),
            *(_change(last[last["layer"] == layer], verdict) for layer in layers),
            _most_dead(last),
            _over_layers(first, layers, "angle_to_bp", "no update"),
            _over_layers(last, layers, "angle_to_bp", "no update"),
            _over_layers(last, layers, "effective_rank", "no errors"),
        ]
        body.append([rule, _verdict(verdict), *shown])
    heads = [f"change of {layer}" for layer in layers]
    angles = ["angle to bp, °, first", "angle to bp, °, last"]
    head = ["rule", "verdict", "accuracy", *heads, "dead units", *angles, "effective rank"]
    return Table(caption, head, body)


def _verdict(verdict: Verdict) -> Markup:
    symbol = "⚠" if verdict.doubtful else "✓" if verdict.trained else "–"
    look = "verdict doubtful" if verdict.doubtful else "verdict"
    return Markup('<span class="{}">{} {}</span>').format(look, symbol, verdict.words)


def _change(rows: pd.DataFrame, verdict: Verdict) -> Markup:
    if not verdict.trained:
        return missing("not trained")
    change = percent(rows["weight_change"].mean())
    still = rows["layer"].iloc[0] in dict(verdict.still)
    return Markup("<strong>⚠ {}</strong>").format(change) if still else change


def _most_dead(rows: pd.DataFrame) -> Markup:
    layers = rows.groupby("layer")["dead_units"].mean().dropna()
    if layers.empty:
        return missing(NOT_MEASURED)
    where = f" in {layers.idxmax()}" if layers.max() > 0 else ""
    shown = Markup("{}{}").format(percent(layers.max()), where)
    many = rows["trains"].all() and layers.max() > MOSTLY_DEAD
    return Markup("<strong>⚠ {}</strong>").format(shown) if many else shown


def _over_layers(rows: pd.DataFrame, layers: Sequence[str], column: str, reason: str) -> Markup:
    # layer by layer first: a layer without update in some seed must not weigh less
    each = rows[rows["layer"].isin(layers)].groupby("layer")[column].mean()
    return number(each.mean(), 1, reason)


def _seeds(accuracy: pd.Series) -> Markup:
    mean = percent(accuracy.mean())
    if accuracy.isna().all() or len(accuracy) < 2:
        return mean
    return Markup('{} <span class="interval">[{}, {}]</span>').format(
        mean, percent(accuracy.min()), percent(accuracy.max())
    )
