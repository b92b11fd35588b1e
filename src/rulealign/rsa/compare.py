"""Spearman comparison of condensed RDMs, in the two score conventions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rulealign.errors import DataError, GuardError
from rulealign.rsa.ranking import ranks, standardise

PER_SUBJECT = "per_subject"
"""The mean over subjects of rho with each subject's RDM (primary)."""

MEAN_RDM = "mean_rdm"
"""rho with the mean RDM over subjects. Higher than `PER_SUBJECT` by construction."""

_WORK_BYTES = 64_000_000
"""Bytes of ranks that are held at a time: a rule may have a thousand RDMs of 258,840 pairs."""

CONVENTIONS = (MEAN_RDM, PER_SUBJECT)
"""The score conventions, in the sorted order in which tables list them."""

ALL_PAIRS = "all"
"""Kind of pairs that a score rests on: every pair of different stimuli."""

CROSS_RUN = "cross_run"
"""Kind of pairs: stimuli that lie in different runs for every subject (see `pairs`)."""

PRESENT = "present"
"""Kind of pairs: those that no given RDM of the study lacks (see `pairs`)."""


def spearman_matrix(
    models: np.ndarray,
    brains: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Correlate every model RDM with every brain RDM: Spearman's rho, ties by average ranks.

    Pairs share stimuli and are not independent: there is no p-value here, see `bootstrap`.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); condensed RDMs of the same stimuli in the same order.
        mask: bool, shape (n_pairs,); which pairs are ranked and correlated. By default all.
        model_names: what to call each model RDM in an error.
        brain_names: what to call each brain RDM in an error.

    Returns:
        float64, shape (n_models, n_brains); rho, from -1 to 1.

    Raises:
        DataError: the numbers of pairs differ, or an RDM is constant or not finite over the pairs
            compared; names it.
    """
    models, brains = np.atleast_2d(models), np.atleast_2d(brains)
    require_same_pairs(models, brains)
    theirs = standardise(ranks(masked(brains, mask), brain_names, "brain")).T
    names = model_names or [f"model RDM {place}" for place in range(len(models))]
    rows = max(1, _WORK_BYTES // (8 * models.shape[1]))
    parts = [slice(start, start + rows) for start in range(0, len(models), rows)]
    return np.vstack(
        [standardise(ranks(masked(models[part], mask), names[part])) @ theirs for part in parts]
    )


def require_same_pairs(
    models: np.ndarray, brains: np.ndarray, n_stimuli: int | None = None
) -> None:
    """Refuse RDMs of different numbers of pairs.

    Args:
        models: shape (n_models, n_pairs).
        brains: shape (n_brains, n_pairs).
        n_stimuli: that are counted in resamples. By default any number.

    Raises:
        DataError: the numbers of pairs differ, or are not those of so many stimuli.
    """
    if models.shape[1] != brains.shape[1]:
        raise DataError(
            f"the models' RDMs have {models.shape[1]} pairs, the brains' {brains.shape[1]}: they"
            " are of different stimuli."
        )
    if n_stimuli is not None and models.shape[1] != n_stimuli * (n_stimuli - 1) // 2:
        raise DataError(f"RDMs of {models.shape[1]} pairs do not fit {n_stimuli} counted stimuli.")


def masked(rdms: np.ndarray, mask: np.ndarray | None) -> np.ndarray:
    """Take the pairs that a comparison rests on, the same of all its RDMs (guard 30).

    A mask belongs to a comparison, never to an RDM: it does not depend on any RDM's values, and
    every function that takes one applies it anew to whole RDMs.

    Args:
        rdms: shape (n_rdms, n_pairs).
        mask: bool, shape (n_pairs,); None for all pairs.

    Returns:
        Shape (n_rdms, pairs that are taken).

    Raises:
        DataError: the mask is not of truth values, or has another number of pairs.
    """
    if mask is None:
        return rdms
    if mask.dtype != bool or mask.shape != rdms.shape[1:]:
        raise DataError(
            f"a mask of {mask.dtype}, shape {mask.shape}, does not fit RDMs of {rdms.shape[1]}"
            " pairs: it holds true or false for each pair."
        )
    return rdms[:, mask]


def with_mean(subjects: np.ndarray) -> np.ndarray:
    """Add the mean RDM over subjects as a last row.

    Args:
        subjects: float64, shape (n_subjects, n_pairs).

    Returns:
        float64, shape (n_subjects + 1, n_pairs).
    """
    return np.vstack([subjects, subjects.mean(axis=0)])


def convention_weights(n_subjects: int) -> np.ndarray:
    """Weights that turn the correlations with `with_mean`'s rows into the score conventions.

    Args:
        n_subjects: number of subjects.

    Returns:
        float64, shape (n_subjects + 1, 2); one column per convention, in the order of
        `CONVENTIONS`: `rho @ convention_weights(n)` are the scores.
    """
    weights = np.zeros((n_subjects + 1, len(CONVENTIONS)))
    weights[:n_subjects, CONVENTIONS.index(PER_SUBJECT)] = 1 / n_subjects
    weights[n_subjects, CONVENTIONS.index(MEAN_RDM)] = 1
    return weights


def kinds_of_ceilings(pairs: str) -> list[str]:
    """List the kinds of pairs that noise ceilings are over.

    Args:
        pairs: the kind that scores rest on.

    Returns:
        In sorted order, all pairs and those of the scores; over all there is no ceiling where some
        pairs are missing.
    """
    return sorted({pairs} if pairs == PRESENT else {ALL_PAIRS, pairs})


def require_same_convention(one: Sequence[str], other: Sequence[str]) -> None:
    """Refuse to hold scores of one convention beside values of another.

    Args:
        one: the `convention` column of the first table.
        other: the `convention` column of the second table.

    Raises:
        GuardError: the two tables together name more than one convention.
    """
    named = sorted(set(one) | set(other))
    if len(named) > 1:
        raise GuardError(
            f"values of different score conventions are not interchangeable: {named}; choose one"
            " of them in the column `convention` of both tables."
        )


def require_same_pairs_kind(one: Sequence[str], other: Sequence[str]) -> None:
    """Refuse to hold scores over one kind of pairs beside values over another.

    Args:
        one: the `pairs` column of the first table.
        other: the `pairs` column of the second table.

    Raises:
        GuardError: the two tables together name more than one kind of pairs.
    """
    named = sorted(set(one) | set(other))
    if len(named) > 1:
        raise GuardError(
            f"values over different pairs of stimuli are not interchangeable: {named}; choose one"
            " of them in the column `pairs` of both tables."
        )
