"""Pearson, cosine and Kendall tau-a between condensed RDMs, and what all comparisons share."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from rulealign.errors import DataError
from rulealign.rsa.compare import masked, require_same_pairs
from rulealign.rsa.ranking import ranks

# Bytes of RDMs that are prepared at a time: a rule may have a thousand of 258,840 pairs.
_WORK_BYTES = 64_000_000

# Below this fraction of an RDM's length, what is left of it after subtraction is rounding.
_ROUNDING = 1e-12

_LEAST_PAIRS = 3


def pearson_matrix(
    models: np.ndarray,
    brains: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Correlate every model RDM with every brain RDM: Pearson's r over pairs.

    Supposes that a model's dissimilarities are linearly related to the brain's; where only their
    order is meant, use `compare.spearman_matrix`. Few large dissimilarities can rule the result.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); condensed RDMs of the same stimuli in the same order.
        mask: bool, shape (n_pairs,); which pairs are correlated. By default all.
        model_names: what to call each model RDM in an error.
        brain_names: what to call each brain RDM in an error.

    Returns:
        float64, shape (n_models, n_brains); from -1 to 1.

    Raises:
        DataError: the numbers of pairs differ, there are fewer than 3, or an RDM is constant or
            not finite over the pairs compared; names it.
    """

    def prepare(rdms: np.ndarray, names: Sequence[str]) -> np.ndarray:
        return unit_rows(centred_rows(rdms), rdms, names, "is constant over the pairs compared")

    return compare_rows(prepare, models, brains, mask, model_names, brain_names)


def cosine_matrix(
    models: np.ndarray,
    brains: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Take the cosine of the angle between every model RDM and every brain RDM.

    Means something only where 0 does: for cross-validated distances, not for 1 - Pearson, which
    has a large mean, so that any two RDMs have a cosine near 1.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); condensed RDMs of the same stimuli in the same order.
        mask: bool, shape (n_pairs,); which pairs are compared. By default all.
        model_names: what to call each model RDM in an error.
        brain_names: what to call each brain RDM in an error.

    Returns:
        float64, shape (n_models, n_brains); from -1 to 1.

    Raises:
        DataError: the numbers of pairs differ, there are fewer than 3, or an RDM is zero or not
            finite over the pairs compared; names it.
    """

    def prepare(rdms: np.ndarray, names: Sequence[str]) -> np.ndarray:
        return unit_rows(rdms, rdms, names, "is zero for all pairs compared")

    return compare_rows(prepare, models, brains, mask, model_names, brain_names)


def kendall_tau_a_matrix(
    models: np.ndarray,
    brains: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Compare the order of dissimilarities: Kendall's tau-a.

    Of all couples of stimulus pairs, the fraction that both RDMs order alike less the fraction
    that they order oppositely; couples tied in either count as neither, so that a model with ties
    does not gain by them, as it may by Spearman's rho (Nili et al. 2014, PLoS Comput Biol
    10:e1003553). Slow: 0.08 s for two RDMs of 720 stimuli; not for a bootstrap of many.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); condensed RDMs of the same stimuli in the same order.
        mask: bool, shape (n_pairs,); which pairs are compared. By default all.
        model_names: what to call each model RDM in an error.
        brain_names: what to call each brain RDM in an error.

    Returns:
        float64, shape (n_models, n_brains); from -1 to 1, and never 1 where there are ties.

    Raises:
        DataError: the numbers of pairs differ, there are fewer than 3, or an RDM is constant or
            not finite over the pairs compared; names it.
    """

    def prepare(rdms: np.ndarray, names: Sequence[str]) -> np.ndarray:
        return ranks(rdms, names, method="dense").astype(np.int64)

    def product(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        return np.array([[_tau_a(model, brain) for brain in theirs] for model in ours])

    return compare_rows(prepare, models, brains, mask, model_names, brain_names, product)


def _tau_a(model: np.ndarray, brain: np.ndarray) -> float:
    # tau-b is (concordant - discordant) over the root of the couples not tied in one, times the
    # same of the other; below ten million pairs the difference comes back as the whole number it is
    from scipy.stats import kendalltau  # slow to import

    couples = len(model) * (len(model) - 1) // 2
    untied = [float(couples - _tied_couples(order)) for order in (model, brain)]
    tau_b = kendalltau(model, brain, method="asymptotic").statistic
    return round(tau_b * np.sqrt(untied[0]) * np.sqrt(untied[1])) / couples


def _tied_couples(order: np.ndarray) -> int:
    counts = np.bincount(order)
    return int((counts * (counts - 1) // 2).sum())


def compare_rows(
    prepare: Callable[[np.ndarray, Sequence[str]], np.ndarray],
    models: np.ndarray,
    brains: np.ndarray,
    mask: np.ndarray | None,
    model_names: Sequence[str] | None,
    brain_names: Sequence[str] | None,
    product: Callable[[np.ndarray, np.ndarray], np.ndarray] = lambda ours, theirs: ours @ theirs.T,
) -> np.ndarray:
    """Compare every model RDM with every brain RDM, by sets of models that bound the memory.

    Args:
        prepare: given RDMs, float64 (n_rdms, pairs taken), and their names, makes the rows that
            are multiplied.
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); condensed RDMs.
        mask: bool, shape (n_pairs,); which pairs are taken. None for all.
        model_names: what to call each model RDM in an error; None for its row.
        brain_names: what to call each brain RDM in an error; None for its row.
        product: given prepared models and brains, makes their comparisons.

    Returns:
        float64, shape (n_models, n_brains).

    Raises:
        DataError: the numbers of pairs differ, there are fewer than 3, an RDM is not finite, or
            `prepare` refuses it.
    """
    models, brains = np.atleast_2d(models), np.atleast_2d(brains)
    require_same_pairs(models, brains)
    ours, theirs = (
        names or [f"{kind} RDM {place}" for place in range(count)]
        for names, kind, count in (
            (model_names, "model", len(models)),
            (brain_names, "brain", len(brains)),
        )
    )
    prepared = prepare(_taken(brains, mask, theirs), theirs)
    rows = max(1, _WORK_BYTES // (8 * models.shape[1]))
    parts = [slice(start, start + rows) for start in range(0, len(models), rows)]
    return np.vstack(
        [product(prepare(_taken(models[p], mask, ours[p]), ours[p]), prepared) for p in parts]
    )


def _taken(rdms: np.ndarray, mask: np.ndarray | None, names: Sequence[str]) -> np.ndarray:
    taken = masked(rdms, mask).astype(np.float64)
    if taken.shape[1] < _LEAST_PAIRS:
        raise DataError(f"a comparison needs at least {_LEAST_PAIRS} pairs, not {taken.shape[1]}.")
    faulty = ~np.isfinite(taken).all(axis=1)
    if faulty.any():
        raise DataError(f"{names[np.argmax(faulty)]} has dissimilarities that are NaN or infinite.")
    return taken


def centred_rows(rdms: np.ndarray) -> np.ndarray:
    """Subtract each RDM's mean over its pairs.

    Args:
        rdms: float64, shape (n_rdms, n_pairs).

    Returns:
        float64, shape (n_rdms, n_pairs).
    """
    return rdms - rdms.mean(axis=1, keepdims=True)


def unit_rows(rows: np.ndarray, rdms: np.ndarray, names: Sequence[str], fault: str) -> np.ndarray:
    """Scale rows to unit length, so that a dot product is a cosine.

    Args:
        rows: float64, shape (n_rdms, n); what was made of each RDM.
        rdms: float64, shape (n_rdms, n_pairs); the RDMs, whose size tells what is rounding.
        names: what to call each RDM in an error.
        fault: what is wrong with an RDM of which nothing is left.

    Returns:
        float64, shape (n_rdms, n).

    Raises:
        DataError: a row is zero but for rounding; names its RDM.
    """
    length = np.linalg.norm(rows, axis=1)
    nothing = length <= _ROUNDING * np.linalg.norm(rdms, axis=1)
    if nothing.any():
        raise DataError(f"{names[np.argmax(nothing)]} {fault}: it has no direction; leave it out.")
    return rows / length[:, np.newaxis]
