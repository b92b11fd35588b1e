"""Bootstrap draws of a layer's score that was chosen on other stimuli than it is scored on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rulealign.rsa.layers import choose_layer, score_folds

Compare = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
"""Given models (n_models, n_pairs), others (n_others, n_pairs), counts (draws, n_stimuli) and a
mask (n_pairs,) or None, makes scores, shape (draws, n_models, n_scores)."""


def nested_draws(
    compare: Compare,
    models: np.ndarray,
    others: np.ndarray,
    counts: np.ndarray,
    networks: Sequence[Sequence[int]],
    masks: Sequence[tuple[np.ndarray, np.ndarray]],
) -> np.ndarray:
    """Choose and score a layer anew in every resample, for several networks.

    The stimuli of a resample stay on the sides of a fold where they were, so that no stimulus is on
    both. Sides that several folds share (with two folds, each side chooses once and is scored once)
    are computed once; each side is a smaller RDM, of its own stimuli only.

    Args:
        compare: makes the scores of RDMs, such as `bootstrap_comparison` with its name given.
        models: shape (n_models, n_pairs); condensed RDMs of all layers of all networks.
        others: shape (n_others, n_pairs); brains, and whatever else `compare` needs.
        counts: integer, shape (draws, n_stimuli).
        networks: places of the models that are layers of one network, for each network.
        masks: from `layers.fold_masks`.

    Returns:
        float64, shape (draws, n_networks, n_scores); the mean over folds. Holds three times the
        scores of all models on all sides.

    Raises:
        DataError: an RDM is constant over the pairs of one side of a fold, in a resample.
    """
    known: dict[bytes, np.ndarray] = {}

    def correlate(ours: np.ndarray, theirs: np.ndarray, *, mask: np.ndarray) -> np.ndarray:
        key = mask.tobytes()
        if key not in known:
            known[key] = _on_side(compare, ours, theirs, counts, mask)
        return known[key]

    n_scores = correlate(models, others, mask=masks[0][0]).shape[-1]
    scores = score_folds(models, others, masks, combine=np.eye(n_scores), correlate=correlate)
    return np.stack([choose_layer(scores, places).score for places in networks], axis=1)


def _on_side(
    compare: Compare,
    models: np.ndarray,
    others: np.ndarray,
    counts: np.ndarray,
    mask: np.ndarray,
) -> np.ndarray:
    # RDMs of those stimuli that are in any pair of the side; what the mask leaves out beyond stays
    first, second = np.triu_indices(counts.shape[1], 1)
    there = np.zeros(counts.shape[1], dtype=bool)
    there[first[mask]] = there[second[mask]] = True
    within = there[first] & there[second]
    left = None if mask[within].all() else mask[within]
    return compare(models[:, within], others[:, within], counts[:, there], left)
