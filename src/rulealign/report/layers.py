"""Every layer with every ROI: the fixed map beside all others, and the choice among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from rulealign.errors import DataError
from rulealign.report import select
from rulealign.report.formatting import NOT_MEASURED, missing, number, percent
from rulealign.report.tabulate import Table
from rulealign.rsa.compare import require_same_pairs_kind
from rulealign.rsa.layer_table import AMONG, NO_SPACE
from rulealign.rsa.mean_share import COLUMN

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study

NESTED = "chosen layer"
"""What the row of the nested score is called."""


def at_view(
    layers: pd.DataFrame,
    view: View,
    beside: pd.DataFrame,
    convention: str = "per_subject",
) -> pd.DataFrame:
    """Take every layer of one view, at each rule's last checkpoint.

    Args:
        layers: the table `statistics/layers.csv`.
        view: what is shown.
        beside: the alignments of that view.
        convention: per_subject or mean_rdm.

    Returns:
        The table's rows.

    Raises:
        DataError: the table has none of this view.
        GuardError: they are over other pairs than the alignments.
    """
    wanted = {"stimuli": view.stimuli, "size": view.size, "centring": view.centring}
    wanted["convention"] = convention
    rows = layers[(layers[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    rows = rows[rows[AMONG].isin([view.descriptor, NO_SPACE])]
    if rows.empty:
        raise DataError(f"the table of layers has no rows for {select.words(view)}, {convention}.")
    require_same_pairs_kind(rows["pairs"], beside["pairs"])
    return rows[rows["epoch"] == rows.groupby(["network", "rule"])["epoch"].transform("max")]


def layers_by_rois(study: Study, rules: Sequence[str], rows: pd.DataFrame) -> Table:
    """Tabulate every layer with every ROI, and the layer that is chosen on other stimuli.

    Args:
        study: the study.
        rules: that train the network, in the study's order.
        rows: those of the report's view and of one network, as `at_view` gives them.

    Returns:
        Per rule a row per layer (its score, bold where the map fixes it, how often it is chosen,
        and what the mean vector explains of its RDM), and a row of the nested score. The caption
        says why one is missing.

    Raises:
        DataError: a layer has not exactly one row for an ROI.
    """
    rois, body = list(study.brain.rois), []
    for rule in rules:
        own = rows[rows["rule"] == rule]
        for layer in dict.fromkeys(own["layer"]):
            found = [_row(own, rule, layer, roi) for roi in rois]
            share = percent(found[0][COLUMN])
            body.append([rule, layer, *map(_cell, found), share])
        nested = [_nested(own[own["roi"] == roi]) for roi in rois]
        body.append([rule, NESTED, *nested, ""])
    return Table(_caption(rows, study.report), ["rule", "layer", *rois, "mean vector"], body)


def _caption(rows: pd.DataFrame, view: View) -> str:
    text = (
        f"Spearman's ρ, {rows['convention'].iloc[0]}, {select.pairs_words(rows)}, last checkpoint"
        " of each rule: every layer with every ROI. Bold: the pairs fixed before the run. In"
        f" brackets: how often a layer is the best one on other stimuli. {NESTED.capitalize()}: the"
        " score of the layers that were chosen so, on stimuli that they were not chosen on (fewer"
        " pairs, but a choice without luck). Mean vector: how much of the variance of the layer’s"
        f" uncentred RDM the mean feature vector explains; {select.words(view)}."
    )
    without = [reason for reason in rows["reason"].dropna().unique() if reason]
    return text + "".join(f" {reason[:1].upper()}{reason[1:]}." for reason in without)


def _row(own: pd.DataFrame, rule: str, layer: str, roi: str) -> pd.Series:
    found = own[(own["layer"] == layer) & (own["roi"] == roi)]
    if len(found) != 1:
        raise DataError(f"the table of layers has {rule}, {layer}, {roi} {len(found)} times.")
    return found.iloc[0]


def _cell(row: pd.Series) -> Markup:
    shown = number(row["score"])
    shown = Markup("<strong>{}</strong>").format(shown) if row["fixed"] else shown
    if pd.isna(row["chosen"]):
        return shown
    return Markup('{} <span class="interval">({})</span>').format(shown, percent(row["chosen"]))


def _nested(rows: pd.DataFrame) -> Markup:
    # the same for all layers that were there to choose
    return number(rows["nested"].iloc[0]) if len(rows) else missing(NOT_MEASURED)
