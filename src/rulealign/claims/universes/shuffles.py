"""Scores with the brain's stimuli permuted: what a network reaches that is not aligned at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from rulealign.claims.universes.analyses import Analysed, Brains
from rulealign.provenance import derive_seed

_BATCH = 50
"""Permutations that share the work on the models' side."""


def shuffled_orders(study_seed: int, n_stimuli: int, shuffles: int) -> np.ndarray:
    """Draw the permutations of the stimuli that every rule, layer, ROI and epoch shares.

    Args:
        study_seed: the study's seed.
        n_stimuli: number of stimuli.
        shuffles: number of permutations.

    Returns:
        int64, shape (shuffles, n_stimuli).
    """
    seed = derive_seed(study_seed, "shuffled stimuli", n_stimuli)
    every = np.tile(np.arange(n_stimuli), (shuffles, 1))
    return np.random.default_rng(seed).permuted(every, axis=1)


def shuffled_rdms(rdms: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Permute the stimuli of RDMs, those of all in the same way.

    Args:
        rdms: shape (n_rdms, n_pairs); condensed.
        orders: shape (shuffles, n_stimuli).

    Returns:
        Shape (shuffles * n_rdms, n_pairs); RDMs of the first permutation first.
    """
    n_stimuli = orders.shape[1]
    first, second = np.triu_indices(n_stimuli, 1)
    place = np.zeros((n_stimuli, n_stimuli), dtype=np.int64)
    place[first, second] = place[second, first] = np.arange(len(first))
    return np.concatenate([rdms[:, place[order[first], order[second]]] for order in orders])


def shuffled_scores(
    brains: Brains, orders: np.ndarray, analysed: Callable[[Brains], Analysed]
) -> np.ndarray:
    """Score networks against brains whose stimuli are permuted.

    Permutations pay no heed to runs: where pairs of one run are left out and subjects share an
    order of presentation, the null is a little too narrow. One permutation costs about what one
    resample does, times the number of subjects.

    Args:
        brains: what networks are held against; their `counts` are left aside.
        orders: from `shuffled_orders`; at least one.
        analysed: what makes the rows of an analysis of some brains.

    Returns:
        float64, shape (shuffles, n_rows, n_scores); NaN where a row has no score.
    """
    once, found = np.ones((1, orders.shape[1]), dtype=np.int64), []
    for start in range(0, len(orders), _BATCH):
        batch = orders[start : start + _BATCH]
        many = replace(
            brains,
            rdms=shuffled_rdms(brains.rdms, batch),
            weights=np.kron(np.eye(len(batch)), brains.weights),
            names=list(brains.names) * len(batch),
            counts=once,
        )
        values = analysed(many).values[0]
        found.append(values.reshape(len(values), len(batch), -1).transpose(1, 0, 2))
    return np.concatenate(found)
