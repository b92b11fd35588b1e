"""The dictionary of columns that lies beside the tables of a study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import pandas as pd

from rulealign.atomic import whole

TABLES = {
    "alignment": "a row per rule, epoch, layer, setting and ROI: means over seeds",
    "alignment_subjects": "a row per rule, seed, epoch, layer, setting, ROI and subject",
    "layers": "every layer with every ROI, beside the choice among layers",
    "trajectories": "a row per measure of a trained rule's course",
    "baselines": "a row per epoch of a trained rule: its score less that of its baseline",
    "controls": "scores of features of the images alone",
    "encoding": "a row per measure of a rule, epoch, layer and ROI",
    "encoding_order": "a row per rule, epoch and kind of features, and per pair of kinds: which"
    " layers predict which ROI",
    "over_time": "scores at the last epoch with ROIs over time: a row per layer and time, one for"
    " each layer's peak, and one per network for the order of the peaks",
    "ceilings": "a row per ROI and kind of pairs: noise ceilings",
    "training": "a row per rule, seed and checkpoint: what was learned",
    "diagnostics": "a row per rule, seed, epoch and layer: whether the rule learned",
    "quality": "checks of the brain data",
    "inputs": "a row per stimulus set, brain RDM and copy",
    "claims": "a row per claim and universe",
    "claims_summary": "a row per claim; columns that begin with cell_ are of its primary universe's"
    " cell, as in specification_curves",
    "specification_curves": "a row per claim and cell of universes",
    "mixed_models": "a row per claim: a mixed model of seeds and subjects",
}
"""Table -> what its rows are."""

_VERDICTS = "number of universes with this verdict"
_P = "p adjusted over the claims of the family"
MEANINGS = {
    "network": "label of the network",
    "rule": "label of the learning rule",
    "seed": "seed of the network",
    "epoch": "checkpoint: epochs of training; 0 is the initial network",
    "stimuli": "label of the stimulus set",
    "size": "pixels per side at which images are shown",
    "layer": "layer of the network",
    "descriptor": "how a layer is described: global-average, grid-n,"
    " full-projected-n, vector (has no positions)",
    "centring": "whether each feature's mean over the stimuli is subtracted first",
    "roi": "region of interest",
    "convention": "per_subject: mean of the subjects' scores; mean_rdm: score with their mean RDM",
    "pairs": "pairs of stimuli that are compared",
    "n_seeds": "seeds that were averaged",
    "n_stimuli": "stimuli",
    "n_voxels": "voxels that were averaged, of all subjects together; empty where none is known",
    "n_pairs": "pairs of stimuli that were compared",
    "n_subjects": "subjects",
    "score": "agreement of RDMs: Spearman's rho, -1 to 1; in baselines a difference of two, in"
    " encoding the value of the measure",
    "low": "lower end of the interval, in the unit of the value",
    "high": "upper end of the interval, in the unit of the value",
    "seed_low": "lowest score of a seed",
    "seed_high": "highest score of a seed",
    "subject": "name of the subject",
    "other": "name of the other subject",
    "among": "descriptor of the layers among which is chosen",
    "held_out": "the layer's mean score in folds of stimuli",
    "chosen": "share of folds that chose the layer, 0 to 1",
    "nested": "score of the choice on stimuli that it was not made with",
    "folds": "folds",
    "fixed": "whether layer_map names the layer for the ROI",
    "mean_vector_share": "share of an uncentred RDM's variance that the mean vector explains",
    "reason": "why a number or a verdict is missing, or limited; empty elsewhere",
    "features": "what predicts: activations, the gradient of a loss, or teaching; A+B+C: all three"
    " together; in encoding_order A - B: the order of A less that of B, subject by subject",
    "statistic": "in encoding_order rank_correlation (depth with place) or depth_difference (last"
    " less first); in over_time score, peak (time of the highest score) or rank_correlation (depth"
    " with the time of the peak)",
    "time": "time after the onset of the stimulus, in ms",
    "n_rois": "ROIs of the hierarchy",
    "depth": "depth of the layer that predicts the ROI best, chosen on other stimuli, 0 to 1; of a"
    " pair of features the difference",
    "measure": "what is measured of the course",
    "unit": "unit of value",
    "value": "the measured value",
    "baseline": "what is subtracted: label of a rule, or of the axis of universes",
    "generalises_to": "what the interval is over",
    "percentile_low": "percentile of the resamples of the stimuli, lower end",
    "percentile_high": "percentile of the resamples of the stimuli, upper end",
    "standard_error": "standard error of the value, in its unit",
    "degrees_of_freedom": "of its t distribution",
    "p": "two-sided p",
    "control": "features of the images: in controls, whose score it is; elsewhere, partialled out",
    "distance": "the dissimilarity of the brain RDMs",
    "acquisition": "scanner, task and averaging",
    "repetitions": "trials per stimulus, or their mean; 0 where RDMs were given",
    "lower": "lower bound of the noise ceiling, Spearman's rho",
    "upper": "upper bound of the noise ceiling, Spearman's rho",
    "upper_any_model": "bound that holds for any model, ties included",
    "lower_raw": "lower bound, subjects averaged without ranking",
    "upper_raw": "upper bound, subjects averaged without ranking",
    "null_lower_mean": "lower bound with stimuli shuffled, mean",
    "null_lower_high": "lower bound with stimuli shuffled, upper end of the interval",
    "null_upper_mean": "upper bound with stimuli shuffled, mean",
    "null_upper_high": "upper bound with stimuli shuffled, upper end of the interval",
    "reliability": "agreement of the only subject's sessions or halves, Spearman's rho",
    "null_reliability_high": "the same with stimuli shuffled, upper end of the interval",
    "informative": "whether the brain data are clear of chance",
    "informative_by": "what tells it",
    "settings_hash": "fingerprint of the settings that made it",
    "trains": "whether the rule changes weights",
    "init": "initial weights",
    "held_out_accuracy": "accuracy on held-out images, 0 to 1",
    "held_out_images": "held-out images",
    "loss": "training loss of the epoch",
    "convolution": "whether the layer is one",
    "weight_change": "length of the change of weights since epoch 0, over their length then",
    "chance": "accuracy of guessing, 0 to 1",
    "dead_units": "share of units that never respond, 0 to 1",
    "angle_to_bp": "angle between the update and that of backpropagation, degrees",
    "effective_rank": "effective rank of the errors at the layer's output",
    "stable_rank": "their stable rank: squared singular values summed, over the largest",
    "norm_mean_drift": "change of normalisation means since the checkpoint before",
    "norm_variance_drift": "change of normalisation variances since the checkpoint before",
    "rerun_drift": "largest difference of the same gradient computed twice",
    "check": "family of the check",
    "guard": "number of the guard in docs/method.md",
    "item": "what of it",
    "expected": "what the value should be, or be below",
    "flagged": "whether it needs attention",
    "finding": "the same in words",
    "kind": "what the row is of: kind of the rule; or stimuli, brain RDM, copy",
    "file": "name of the file",
    "ids_fingerprint": "fingerprint of the ids in order",
    "copy": "what it is a copy of",
    "claim": "label of the claim",
    "statement": "the claim in words",
    "direction": "the declared direction",
    "smallest_effect": "the smallest effect of interest, in the unit of the score",
    "smallest_effect_reason": "why that one",
    "family": "claims that are adjusted together",
    "family_size": "their number",
    "primary": "whether it is the primary universe, or its cell",
    "comparison": "how RDMs are compared",
    "initialisation": "initial weights of the networks",
    "effect": "the claimed contrast or level, in units of the score",
    "verdict": "holds, reversed, unresolved, uninformative or missing",
    "p_equivalence": "p of an effect beyond the smallest one, on either side",
    "crossed_low": "published interval over stimuli and subjects, lower end",
    "crossed_high": "published interval over stimuli and subjects, upper end",
    "seeds_same_sign": "seeds with the sign of the effect",
    "p_seeds": "exact sign-flip test over seeds, one-sided",
    "p_seeds_floor": "smallest p that so many seeds allow",
    "cohens_d_paired": "mean over standard deviation of the seeds' effects",
    "cohens_d_unpaired": "effect over the pooled standard deviation over seeds",
    "note": "what limits the numbers of the row",
    "universes": "number of universes",
    "null": "what the curve is tested against",
    "median": "median of the effects over the cell, in standard errors",
    "p_adjusted": "p by Holm over the family",
    "claimed_side": "share of effects on the claimed side, 0 to 1",
    "holds": _VERDICTS,
    "reversed": _VERDICTS,
    "unresolved": _VERDICTS,
    "uninformative": _VERDICTS,
    "missing": _VERDICTS,
    "p_bh": f"{_P} (Benjamini-Hochberg)",
    "p_holm": f"{_P} (Holm)",
    "p_reason": "why p is missing",
    "p_seeds_bh": f"{_P} (Benjamini-Hochberg)",
    "p_seeds_holm": f"{_P} (Holm)",
    "p_seeds_reason": "why p is missing",
    "summary": "in which universes it holds, in words",
    "sd_seeds": "standard deviation over seeds",
    "sd_subjects": "standard deviation over subjects",
    "sd_rest": "standard deviation of the rest",
}
"""Column -> what it holds, with its unit."""


def write_dictionary(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write what the rows and columns of a study's tables are: `statistics/README.md`.

    Args:
        path: the page to make, in Markdown.
        tables: name -> the table.

    Raises:
        StoreError: the disk is full.
    """
    parts = ["# Tables of this study\n\nNumbers have 10 significant digits; empty: missing.\n"]
    parts += [section(name, table.columns) for name, table in tables.items()]
    with whole(path) as temporary:
        temporary.write_text("\n".join(parts), encoding="utf-8")


def section(name: str, columns: Iterable[str], level: str = "##") -> str:
    """Write what the rows and columns of one table are.

    Args:
        name: of the table, such as "ceilings".
        columns: their names, in order.
        level: of the title, in Markdown.

    Returns:
        A title, a sentence and a table, in Markdown.
    """
    rows = "\n".join(f"| `{column}` | {_meaning(column, name)} |" for column in columns)
    what = TABLES.get(name, name)
    title = f"{level} {name}.csv\n\n{what[0].upper()}{what[1:]}.\n\n"
    return f"{title}| column | what it holds |\n|---|---|\n{rows}\n"


_OF_UNIVERSES = {
    "features": "what networks are read by: activations, gradient or teaching",
    "measure": "how networks are held against the brain: rsa, encoding or cka",
}
"""Meanings of columns in tables of claims, where they are others than elsewhere."""


def _meaning(column: str, table: str) -> str:
    if column in _OF_UNIVERSES and table in ("claims", "claims_summary", "specification_curves"):
        return _OF_UNIVERSES[column]
    # cell_median is of a cell, depth:V1 of an ROI
    return MEANINGS.get(column.removeprefix("cell_").partition(":")[0], MEANINGS.get(column, ""))
