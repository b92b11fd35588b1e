"""How well layers predict responses, and how alike both are: the tables of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from rulealign.arm import Arm
from rulealign.encoding.seven_parts import PARTS
from rulealign.report import select
from rulealign.report.formatting import missing, number, p_value, score
from rulealign.report.tabulate import Table
from rulealign.rsa.layer_table import NO_SPACE

if TYPE_CHECKING:
    from rulealign.config.evaluation import View
    from rulealign.config.study import Study

CAPTIONS = {
    "ridge_r2": "Cross-validated R² of ridge regression from a layer's features to all voxels of an"
    " ROI together: 0 is no better than the mean response, 1 is perfect. Not divided by a noise"
    " ceiling. The interval is conditional on the fitted models",
    "voxel_r2": "Cross-validated R² of ridge regression from a layer's features to each voxel of an"
    " ROI, mean over voxels: 0 is no better than the mean response, 1 is perfect. The interval is"
    " conditional on the fitted models",
    "voxel_r2_of_ceiling": "The same divided by each voxel's noise ceiling, over voxels whose"
    " ceiling is high enough to divide by: 1 is all that can be predicted",
    "voxel_r": "Pearson's r of each voxel with its prediction, mean over voxels",
    "voxel_r_of_ceiling": "The same divided by the square root of each voxel's noise ceiling",
    "unique_r2": "What gradients or teaching signals add to activations: R² of both together less"
    " that of activations alone. A gradient holds activations, so only this part is its own",
    "shared_r2": "R² that activations and other features have in common (Borcard's shared part):"
    " what both alone have more than together",
    "above_norm_r2": "R² of gradients or teaching signals less that of their length alone, one"
    " number per stimulus: where it is not above 0, only the size of the signal predicts",
    "cka": "Debiased linear CKA of a layer with an ROI, nothing fitted: around 0 for unrelated"
    " representations, 1 for equal ones",
}
"""Measure -> what its table says."""


def tables(study: Study, found: Mapping[str, pd.DataFrame], view: View) -> list[Table]:
    """Tabulate encoding at each rule's last checkpoint, one table per measure.

    Args:
        study: the study.
        found: the result tables; `encoding` and `encoding_order` may be missing.
        view: what is shown; its centring has no bearing on these measures.

    Returns:
        Per measure a row per rule, layer and kind of features, a column per ROI; last the order of
        layers over the hierarchy.
    """
    if "encoding" not in found:
        return []
    rows = _at_view(found["encoding"], view, "descriptor")
    goal = f"mean over subjects [interval over {study.statistics.generalise_to}]"
    made = [
        _table(study, rows[rows["measure"] == measure], f"{text}; {goal}; {select.words(view)}.")
        for measure, text in CAPTIONS.items()
        if (rows["measure"] == measure).any()
    ]
    if rows["measure"].isin(PARTS).any():
        made.append(_of_three(study, rows, f"{goal}; {select.words(view)}"))
    if "encoding_order" in found:
        rows = _at_view(found["encoding_order"], view, "among")
        made.append(_order(study, rows, select.words(view)))
    return made


def _of_three(study: Study, rows: pd.DataFrame, told: str) -> Table:
    caption = (
        "What activations (A), a gradient (G) and teaching signals (T) of a layer predict alone and"
        " in common (Borcard's seven parts): R² that only one of them has, that exactly two share,"
        " that all share; last R² of all three, which is the sum of the seven. A part below 0: the"
        f" features help each other, or noise; {told}."
    )
    heads = [_initials(measure.removesuffix("_r2")) for measure in PARTS]
    keys, body = ["network", "rule", "layer", "features", "roi"], []
    for key, own in rows[rows["measure"].isin(PARTS)].groupby(keys, sort=False):
        network, rule, layer, features, roi = key
        of = own.set_index("measure").loc[list(PARTS)]
        cells = [_cell(row) for _, row in of.iterrows()]
        gradient = features.split("+")[1]
        body.append([_label(study, Arm(network, rule)), layer, gradient, roi, *cells])
    return Table(caption, ["rule", "layer", "G", "ROI", *heads], body)


def _initials(part: str) -> str:
    kind, *spaces = part.split("_")
    joined = " and ".join(one[0].upper() for one in spaces)
    return {"unique": f"only {joined}", "common": "A, G and T", "whole": "all"}.get(kind, joined)


def _at_view(rows: pd.DataFrame, view: View, descriptor: str) -> pd.DataFrame:
    rows = rows[(rows["stimuli"] == view.stimuli) & (rows["size"] == view.size)]
    rows = rows[rows[descriptor].isin([view.descriptor, NO_SPACE])]
    return rows[rows["epoch"] == rows.groupby(["network", "rule"])["epoch"].transform("max")]


def _order(study: Study, rows: pd.DataFrame, view: str) -> Table:
    rois = [name for name in rows if name.startswith("depth:")]
    caption = (
        "Depth of the layer that predicts an ROI best, chosen on other stimuli (0 to 1; mean over"
        f" subjects), and its order over the hierarchy: {_STATISTICS[rows['statistic'].iloc[0]]}"
        " [interval over subjects]; p of permuted layers. A - B: what A has more than B, subject by"
        f" subject; {view}."
    )
    body = [
        [
            _label(study, Arm(row["network"], row["rule"])),
            row["features"],
            *(number(row[roi], 2) for roi in rois),
            score(row.rename({"value": "score"})),
            p_value(row["p"]),
        ]
        for _, row in rows.iterrows()
    ]
    heads = [name.removeprefix("depth:") for name in rois]
    return Table(caption, ["rule", "features", *heads, "order", "p"], body)


_STATISTICS = {
    "rank_correlation": "rank correlation of depth with the ROI's place",
    "depth_difference": "depth in the last ROI less that in the first",
}


def _table(study: Study, rows: pd.DataFrame, caption: str) -> Table:
    rois, body = list(study.brain.rois), []
    for arm in study.arms:
        rule = _label(study, arm)
        own = rows[(rows["network"] == arm.network) & (rows["rule"] == arm.rule)]
        for (layer, features), of_layer in own.groupby(["layer", "features"], sort=False):
            by_roi = of_layer.set_index("roi")
            body.append([rule, layer, features, *(_cell(by_roi.loc[roi]) for roi in rois)])
    return Table(caption, ["rule", "layer", "features", *rois], body)


def _label(study: Study, arm: Arm) -> str:
    return str(arm) if len(study.networks) > 1 else arm.rule


def _cell(row: pd.Series) -> str:
    return missing(row["reason"]) if pd.isna(row["score"]) else score(row)
