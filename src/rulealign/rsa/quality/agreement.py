"""Agreement between subjects on all pairs of stimuli, and on those of different runs (guard 4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform

from rulealign.provenance import derive_seed
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.compare import spearman_matrix
from rulealign.rsa.quality.rows import entry
from rulealign.rsa.ranking import ranks, standardise

_DRAWS, _FAR = 200, 4


def cross_run(trials: Mapping[str, pd.DataFrame], ids: Sequence[str]) -> np.ndarray | None:
    """Find the pairs of stimuli that were in different runs for every subject.

    Args:
        trials: subject -> its trials: stimulus, session, run.
        ids: the stimuli.

    Returns:
        bool, shape (n_pairs,), pairs in the order of `numpy.triu_indices(len(ids), 1)`; None where
        stimuli were shown in several runs (or are concepts), so that a pair has no run, and where
        fewer than 3 pairs or all would be left.
    """
    first, second = np.triu_indices(len(ids), 1)
    mask = np.ones(len(first), dtype=bool)
    for table in trials.values():
        runs = table.groupby(["session", "run"]).ngroup()
        own = runs.groupby(table["stimulus"]).agg(["nunique", "first"]).reindex(list(ids))
        if not (own["nunique"] == 1).all():
            return None
        run = own["first"].to_numpy()
        mask &= run[first] != run[second]
    return mask if trials and 3 <= mask.sum() < len(mask) else None


def agreement_rows(
    brain: BrainRdms, mask: np.ndarray | None, sharing: Collection[frozenset[str]], seed: int
) -> list[dict[str, Any]]:
    """Correlate the RDMs of every two subjects.

    Where agreement falls by leaving out pairs of one run, is that more than leaving out others
    would do? The null permutes which stimuli belong together (200 draws, correlations of ranks
    over all pairs). Flagged where the drop exceeds the null's mean by 4 standard deviations, and
    the two subjects are known to share an order, or the pairs left out are, by the same measure,
    more alike than others in both.

    Args:
        brain: the subjects' RDMs of one ROI, named as in the table.
        mask: of `cross_run`; None where there is none.
        sharing: the pairs of subjects that share an order of presentation.
        seed: the study's.

    Returns:
        Rows `agreement` per two subjects: all, cross_run and drop.
    """
    every = spearman_matrix(brain.rdms, brain.rdms, mask=brain.present)
    kept = None if mask is None else spearman_matrix(*[brain.rdms[:, mask]] * 2)
    null = None if mask is None else _null(brain, mask, seed)
    rows = []
    for a, b in combinations(range(len(brain.subjects)), 2):
        one, other = brain.subjects[a], brain.subjects[b]
        about = {"guard": 4, "subject": one, "other": other, "roi": brain.roi}
        rows.append(entry("agreement", "all", every[a, b], **about))
        if kept is not None:
            rows.append(entry("agreement", "cross_run", kept[a, b], **about))
            known = frozenset((one, other)) in sharing
            finding = _finding(every[a, b], kept[a, b], null, (a, b), known)
            drop = every[a, b] - kept[a, b]
            finding = f"{one} and {other}, {brain.roi}: {finding}" if finding else ""
            more = {"flagged": bool(finding), "finding": finding, "expected": 0}
            rows.append(entry("agreement", "drop", drop, **about, **more))
    return rows


def _finding(
    every: float,
    kept: float,
    far: tuple[np.ndarray, np.ndarray],
    pair: tuple[int, int],
    known: bool,
) -> str:
    drops, alike = far
    noisy = alike[pair[0]] > _FAR and alike[pair[1]] > _FAR
    if not drops[pair] > _FAR or not (known or noisy):
        return ""
    why = "they share an order of presentation" if known else "such pairs are more alike in both"
    return (
        f"agreement falls from {every:.3f} to {kept:.3f} without pairs of one run: {why}, so that"
        " run noise looks like agreement; compare on cross-run pairs"
    )


def _null(brain: BrainRdms, mask: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    # how far beyond its null each drop is, and how far more alike the pairs left out are
    ranked = standardise(ranks(brain.rdms))
    whole = ranked @ ranked.T
    square, n = squareform(mask), len(brain.ids)
    first, second = np.triu_indices(n, 1)
    rng = np.random.default_rng(derive_seed(seed, brain.roi, "pairs of one run"))
    orders = (rng.permutation(n) for _ in range(_DRAWS))
    masks = (square[order[first], order[second]] for order in orders)
    drawn = [_left_out(ranked, whole, one) for one in masks]
    found = _left_out(ranked, whole, mask)
    return tuple(
        (observed - np.mean(draws, axis=0)) / np.std(draws, axis=0)
        for observed, draws in zip(found, zip(*drawn, strict=True), strict=True)
    )


def _left_out(
    ranked: np.ndarray, whole: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    kept = standardise(ranked[:, mask])
    return whole - kept @ kept.T, -ranked[:, ~mask].mean(axis=1)
