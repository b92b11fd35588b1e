"""The layer x area table: every layer beside the fixed one and the one chosen on other stimuli."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.compare import CONVENTIONS, convention_weights, spearman_matrix, with_mean
from rulealign.rsa.layers import choose_layer, fold_masks, layer_choice_seed, score_folds
from rulealign.rsa.model_rdms import MODEL_KEYS, ModelRdms
from rulealign.store import require_same_ids

_NETWORK = [key for key in MODEL_KEYS if key != "layer"]


def layer_area_rows(
    models: ModelRdms,
    brain: BrainRdms,
    settings: Mapping[str, Any],
    layer_map: Sequence[Mapping[str, str]],
    mask: np.ndarray | None = None,
) -> pd.DataFrame:
    """Score every layer of one rule's networks against one area, with the nested choice.

    A fixed map from layers to areas is a choice too, and not a neutral one (guard 21): these rows
    show what the other layers score, which of them a choice on other stimuli takes, and what the
    choice scores. Rows of all areas together are the layer x area table.

    Args:
        models: the RDMs of the rule's networks.
        brain: the subjects' RDMs of the area.
        settings: `study_seed`, `layer_folds`, `layer_splits` and `pairs` (all or cross_run).
        layer_map: pairs of `layer` and `roi` that were fixed before the run.
        mask: bool, shape (n_pairs,); the pairs in different runs. By default all.

    Returns:
        A row per RDM and convention: `MODEL_KEYS`, `roi`, `convention`, `pairs`; `fixed`, whether
        the map names this layer for the area; `score`, over all these pairs; `held_out`, the
        layer's mean score in the folds; `chosen`, the fraction of folds that chose it; `nested`,
        the score of the choice, the same for all layers of a network; `folds`, how many there were.

    Raises:
        DataError: stimulus ids differ (names the first), a fold is too small, or an RDM is
            constant or not finite.
        ConfigurationError: there are fewer than 2 folds or no split.
    """
    require_same_ids(models.ids, brain.ids, "the models' RDMs", f"the RDMs of {brain.roi}")
    brains, weights = with_mean(brain.rdms), convention_weights(len(brain.subjects))
    n_stimuli = len(brain.ids)
    seed = layer_choice_seed(settings["study_seed"], n_stimuli)
    masks = fold_masks(n_stimuli, settings["layer_folds"], settings["layer_splits"], seed, mask)
    scores = spearman_matrix(models.rdms, brains, mask=mask, model_names=models.names) @ weights
    folds = score_folds(models.rdms, brains, masks, combine=weights)
    columns = {name: np.empty(scores.shape) for name in ("held_out", "chosen", "nested")}
    for places in models.index.groupby(_NETWORK, sort=False).indices.values():
        choice = choose_layer(folds, places)
        columns["held_out"][places] = choice.layers
        columns["nested"][places] = choice.score
        taken = choice.chosen[:, np.newaxis] == np.arange(len(places))[:, np.newaxis]
        columns["chosen"][places] = taken.mean(axis=0)
    fixed = {pair["layer"] for pair in layer_map if pair["roi"] == brain.roi}
    rows = models.index.loc[models.index.index.repeat(len(CONVENTIONS))].reset_index(drop=True)
    return rows.assign(
        roi=brain.roi,
        convention=np.tile(CONVENTIONS, len(models.index)),
        pairs=settings["pairs"],
        fixed=rows["layer"].isin(fixed),
        score=scores.reshape(-1),
        **{name: values.reshape(-1) for name, values in columns.items()},
        folds=len(masks),
    )
