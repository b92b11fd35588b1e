"""Folds over stimuli: which are held out together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rulealign.errors import DataError, GuardError
from rulealign.provenance import derive_seed

if TYPE_CHECKING:
    import pandas as pd


def folds_seed(study_seed: int, n_stimuli: int) -> int:
    """Derive the seed of the folds that every rule, layer, ROI and epoch of a study shares.

    Args:
        study_seed: the study's seed.
        n_stimuli: number of stimuli.

    Returns:
        The seed of `stimulus_folds`.
    """
    return derive_seed(study_seed, "encoding folds", n_stimuli)


def groups_of(*labels: Sequence[str]) -> np.ndarray:
    """Give stimuli that must not be torn apart one number: those that share a label.

    Args:
        labels: per kind of label (concept, run) that of each stimulus; stimuli that share one with
            a third share a group.

    Returns:
        int64, shape (n_stimuli,); equal for stimuli of one group, which are numbered in the order
        of the first kind of label.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components  # slow to import

    n = end = len(labels[0])
    held = []
    for names, code in (np.unique(np.asarray(kind), return_inverse=True) for kind in labels):
        held.append(end + code)
        end += len(names)
    pairs = np.tile(np.arange(n), len(labels)), np.concatenate(held)
    joined = coo_array((np.ones(len(pairs[0])), pairs), shape=(end, end))
    group = connected_components(joined, directed=False)[1][:n]
    order = np.argsort(labels[0], kind="stable")
    _, first, found = np.unique(group[order], return_index=True, return_inverse=True)
    numbers = np.empty(n, dtype=np.int64)
    numbers[order] = first.argsort().argsort()[found]
    return numbers


def runs_of_single_trials(trials: pd.DataFrame, chosen: Mapping[str, np.ndarray]) -> list[str]:
    """Name the run of each stimulus, where every one was shown once, so that runs share noise.

    Args:
        trials: session and run of each trial.
        chosen: stimulus -> places of its trials, as `stimulus_sets.choose_trials` gives them.

    Returns:
        A label per stimulus, for `groups_of`; [] where a stimulus was shown again, and where all
        are of one run (or files name none), whose noise no fold can be without.
    """
    if any(len(places) > 1 for places in chosen.values()):
        return []
    shown = trials.iloc[[places[0] for places in chosen.values()]]
    runs = zip(shown["session"], shown["run"], strict=True)
    labels = [f"{session}, {run}" for session, run in runs]
    return labels if len(set(labels)) > 1 else []


def require_apart(groups: np.ndarray, fit: np.ndarray, test: np.ndarray, what: str) -> None:
    """Refuse folds that have a group on both sides: a stimulus, its other exemplar, its run.

    Args:
        groups: shape (n_stimuli,); of `groups_of`.
        fit: places of the stimuli that weights are fitted to, or a mask of them.
        test: the same of those that are predicted.
        what: whose folds, for the error.

    Raises:
        GuardError: names how many groups are on both sides.
    """
    both = np.intersect1d(groups[fit], groups[test])
    if len(both):
        raise GuardError(
            f"{what}: {len(both)} groups of stimuli (exemplars of a concept, or stimuli of a run)"
            " are on both sides of a fold; delete the file of its folds and rerun the command."
        )


def stimulus_folds(groups: Sequence[str], folds: int, seed: int) -> np.ndarray:
    """Split stimuli into folds at random, the stimuli of a group always into the same one.

    Args:
        groups: per stimulus, what must not be torn apart: of `groups_of`, or its own id.
        folds: number of folds; they hold equally many groups but for a remainder.
        seed: of the split, normally `folds_seed`.

    Returns:
        int64, shape (n_stimuli,); the fold of each.

    Raises:
        DataError: there are fewer groups than folds.
    """
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    if len(names) < folds:
        raise DataError(
            f"{len(names)} stimuli that may be held out apart do not fill {folds} folds; lower"
            " encoding.folds or encoding.inner_folds, or bring more stimuli."
        )
    return np.random.default_rng(seed).permutation(np.arange(len(names)) % folds)[group]
