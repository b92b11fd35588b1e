"""The layer x ROI rows of one arm and ROI: every layer, beside the choice on other stimuli."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.errors import DataError
from rulealign.plan.settings.scores import LayerChoiceSettings
from rulealign.provenance import fingerprint
from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.draw_blocks import WORK_MB
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.compare import CONVENTIONS, convention_weights, with_mean
from rulealign.rsa.layers import FoldScores, choose_layer, fold_masks, layer_choice_seed
from rulealign.rsa.mean_share import COLUMN, mean_shares
from rulealign.rsa.model_rdms import MODEL_KEYS, ModelRdms
from rulealign.rsa.unfit import ConstantInDraw
from rulealign.store import require_same_ids, write_csv

AMONG = "among"
"""Column: the descriptor of the layers with positions among which the choice is made."""

NO_SPACE = "vector"
"""The descriptor of layers without positions, which are there to choose under every other one."""

_NETWORK = [key for key in MODEL_KEYS if key not in ("layer", "descriptor")]
_CHOICE = ("held_out", "chosen", "nested")
_NONE = "no choice of a layer"


def write_layer_roi(
    path: Path,
    rdm_files: Sequence[Path],
    models: ModelRdms,
    brain: BrainRdms,
    scores: np.ndarray,
    settings: LayerChoiceSettings,
    mask: np.ndarray | None = None,
    **how: Any,
) -> None:
    """Write the layer x ROI rows of one arm and ROI: `alignment/*_layers.csv`.

    Args:
        path: the CSV to make: the rows of `layer_roi_rows`, the share of each uncentred RDM's
            variance that the mean feature vector explains (guard 33), and `settings_hash`, of what
            the choice was made with (guard 20).
        rdm_files: the files that the models were read from.
        models: as in `layer_roi_rows`, like all that follow.
        brain: see there.
        scores: see there.
        settings: see there.
        mask: see there.
        **how: `work_mb` and `threads`; see there.

    Raises:
        DataError: stimulus ids differ, or a network is not in the files.
        StoreError: a file has no share of the mean vector, or the disk is full.
    """
    rows = layer_roi_rows(models, brain, scores, settings, mask, **how)
    shares = mean_shares(rdm_files)
    keys = [name for name in shares.columns if name != COLUMN]
    rows = rows.merge(shares, how="left", on=keys, validate="many_to_one", indicator="found")
    if (rows.pop("found") != "both").any():  # of given RDMs the share itself is missing
        raise DataError(f"{rdm_files[0]} and others lack networks that were read from them.")
    used = settings.narrowed(LayerChoiceSettings).plain()
    write_csv(path, rows.assign(settings_hash=fingerprint(used)))


def layer_roi_rows(
    models: ModelRdms,
    brain: BrainRdms,
    scores: np.ndarray,
    settings: LayerChoiceSettings,
    mask: np.ndarray | None = None,
    *,
    work_mb: float = WORK_MB,
    threads: int = 1,
) -> pd.DataFrame:
    """Set every layer of the networks of one arm beside the choice among them, for one ROI.

    A fixed map from layers to ROIs is a choice too, and not a neutral one (guard 21): these rows
    show what the other layers score, which of them a choice on other stimuli takes (guard 26), and
    what the choice scores. A side of a fold is a resample in which each of its stimuli occurs once,
    so that all sides are ranked from one sorting of each RDM.

    Args:
        models: the RDMs of the arm's networks.
        brain: the subjects' RDMs of the ROI.
        scores: float64, shape (n_models * 2,); the scores over all pairs, of each RDM in the order
            of `compare.CONVENTIONS`, as in alignment tables.
        settings: of the choice.
        mask: bool, shape (n_pairs,); the pairs in different runs. By default all.
        work_mb: as in `bootstrap_spearman`.
        threads: see there.

    Returns:
        A row per RDM and convention: `MODEL_KEYS`, `among`, `roi`, `convention`, `pairs`; `score`,
        over all these pairs; `held_out`, the layer's mean score in the folds; `chosen`, the
        fraction of folds that chose it; `nested`, the score of the choice, the same for all layers
        of a choice; `folds`, how many there were. A layer without positions has such rows for each
        descriptor of the others. Where stimuli are too few, or a layer among which is chosen does
        not order those of a side, what rests on folds is missing, and `reason` says why; it is
        empty elsewhere.

    Raises:
        DataError: stimulus ids differ (names the first), or an RDM cannot be ranked at all.
        ConfigurationError: there are fewer than 2 folds or no split.
    """
    require_same_ids(models.ids, brain.ids, "the models' RDMs", f"the RDMs of {brain.roi}")
    folds, unfit = _fold_scores(models, brain, settings, mask, work_mb=work_mb, threads=threads)
    for reason in dict.fromkeys(unfit.values()):
        print(f"{brain.roi}: {reason}", flush=True)
    by_model = np.asarray(scores).reshape(len(models.index), len(CONVENTIONS))
    parts = []
    for among, places in _choices(models.index):
        reason = next((unfit[place] for place in places if place in unfit), "")
        own = models.index.iloc[places].assign(among=among, reason=reason)
        parts.append(_choice_rows(own, by_model[places], None if reason else folds, places))
    rows = pd.concat(parts, ignore_index=True).assign(roi=brain.roi, pairs=settings.pairs)
    keys = [*MODEL_KEYS, AMONG, "roi", "convention", "pairs"]
    rows = rows[[*keys, "score", *_CHOICE, "folds", "reason"]]
    return rows.sort_values(keys, kind="stable", ignore_index=True)


def _choices(index: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    # the layers of one network that are alternatives: of one descriptor, and those without any
    for places in index.groupby(_NETWORK, sort=False).indices.values():
        descriptors = index["descriptor"].iloc[places]
        for among in sorted(set(descriptors) - {NO_SPACE}) or [NO_SPACE]:
            yield among, places[descriptors.isin([among, NO_SPACE])]


def _fold_scores(
    models: ModelRdms,
    brain: BrainRdms,
    settings: LayerChoiceSettings,
    mask: np.ndarray | None,
    **how: Any,
) -> tuple[FoldScores | None, dict[int, str]]:
    # scores on the sides of all folds; and place of a model -> why it has none (NaN there)
    n_stimuli, folds, splits = len(brain.ids), settings.layer_folds, settings.layer_splits
    seed = layer_choice_seed(settings.study_seed, n_stimuli)
    n_models = len(models.rdms)
    try:
        masks = fold_masks(n_stimuli, folds, splits, seed, mask)
    except MissingValue as missing:
        return None, dict.fromkeys(range(n_models), f"{_NONE}: {missing.reason}")
    sides = np.array(masks).reshape(2 * folds * splits, -1)
    counts, brains = _stimuli_of(sides, n_stimuli), with_mean(brain.rdms)
    how |= {"combine": convention_weights(len(brain.subjects)), "mask": mask}
    sampled = np.full((len(sides), n_models, len(CONVENTIONS)), np.nan)
    unfit: dict[int, str] = {}

    def score(first: int, last: int) -> None:
        # a model that is not ordered leaves the others as they are; slices copy no RDM
        own = slice(first, last)
        try:
            sampled[:, own] = bootstrap_spearman(models.rdms[own], brains, counts, **how)
        except ConstantInDraw as error:
            if error.kind == "brain" or last - first == 1:
                of_brain = error.kind == "brain"
                name = brain.names[error.place] if of_brain else models.names[first]
                unfit.update(dict.fromkeys(range(first, last), _not_ordered(name, error.draw)))
                return
            middle = (first + last) // 2
            score(first, middle)
            score(middle, last)

    score(0, n_models)
    # outside of each fold, then inside
    return FoldScores(sampled[0::2], sampled[1::2]), unfit


def _not_ordered(name: str, side: int) -> str:
    where = "inside" if side % 2 else "outside"
    return (
        f"{_NONE}: {name} is constant over the pairs {where} of fold {side // 2 + 1}, so that it"
        " has no ranks there; it takes more stimuli, or fewer folds"
    )


def _stimuli_of(sides: np.ndarray, n_stimuli: int) -> np.ndarray:
    # one for each stimulus of a side; one without a pair that is compared counts for nothing
    first, second = np.triu_indices(n_stimuli, 1)
    counts = np.zeros((len(sides), n_stimuli), dtype=np.int64)
    for side, count in zip(sides, counts, strict=True):
        count[first[side]] = count[second[side]] = 1
    return counts


def _choice_rows(
    index: pd.DataFrame, scores: np.ndarray, folds: FoldScores | None, places: np.ndarray
) -> pd.DataFrame:
    # rows: layers, and conventions within each
    columns = dict.fromkeys(_CHOICE, np.full(scores.shape, np.nan))
    if folds is not None:
        choice = choose_layer(folds, places)
        taken = choice.chosen[:, np.newaxis] == np.arange(len(places))[:, np.newaxis]
        columns["held_out"], columns["chosen"] = choice.layers, taken.mean(axis=0)
        columns["nested"] = np.broadcast_to(choice.score, scores.shape)
    values = {name: column.reshape(-1) for name, column in columns.items()}
    rows = index.loc[index.index.repeat(len(CONVENTIONS))].reset_index(drop=True)
    conventions = np.tile(CONVENTIONS, len(index))
    made = 0 if folds is None else len(folds.scoring)
    return rows.assign(convention=conventions, score=scores.reshape(-1), folds=made, **values)
