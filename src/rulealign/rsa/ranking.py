"""Ranks of dissimilarities: where RDMs enter every comparison that rests on their order.

Distances that are equal in truth differ by what summation rounds, such as the zeros between stimuli
whose sparse features are the same. Ranked as they are, thousands of them would be ordered by noise,
which moved scores by up to .045. So every RDM is counted in steps of its largest dissimilarity
before it is ranked or sorted: a model's, a brain's, a control's, and means over subjects, which are
rounded anew. What partial correlations leave of ranks is never ranked again, and needs no rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from rulealign.rsa.unfit import NOT_FINITE, UnfitRdm

# Single precision, in which features are computed and model RDMs are kept, tells no finer steps of
# the largest apart. A power of two, so that no ratio of counts (of features, of spikes) that are
# below it lies in the middle between two steps, where rounding errors would decide.
_STEPS = 2.0**23

_ORDERS_NONE = ": it orders none, so it has no rank correlation; leave it out."


def in_steps(rdms: np.ndarray) -> np.ndarray:
    """Count dissimilarities in steps of 2^-23 (1.2e-7) of their RDM's largest.

    Counting what is already counted changes nothing. Where one dissimilarity is ten million times
    as large as the others, these are all 0 steps, and tied: mend or leave out such a stimulus.

    Args:
        rdms: shape (n_rdms, n_pairs), any float or integer dtype, finite; condensed RDMs.

    Returns:
        float64, shape (n_rdms, n_pairs); whole numbers from -2^23 to 2^23.
    """
    steps = np.array(rdms, dtype=np.float64)
    largest = np.maximum(steps.max(axis=1), -steps.min(axis=1))[:, np.newaxis]
    steps /= np.where(largest > 0, largest, 1)
    steps *= _STEPS
    return np.rint(steps, out=steps)


def ranks(
    rdms: np.ndarray,
    names: Sequence[str] | None = None,
    kind: str = "",
    method: Literal["average", "dense"] = "average",
) -> np.ndarray:
    """Rank the dissimilarities of each RDM; those that are equal but for rounding are tied.

    Args:
        rdms: shape (n_rdms, n_pairs), any float or integer dtype; condensed RDMs.
        names: what to call each RDM in an error; by default its kind and row.
        kind: model, brain or control.
        method: whether equal ones share their average rank, or one rank without gaps.

    Returns:
        Shape (n_rdms, n_pairs); ranks from 1, float64 where they are averages.

    Raises:
        DataError: an RDM has a NaN or an infinity, or is constant; names it.
    """
    rdms = np.atleast_2d(rdms)
    require_rankable(rdms, names, kind=kind)
    return np.stack([_row_ranks(row, method) for row in in_steps(rdms)])


def _row_ranks(row: np.ndarray, method: str) -> np.ndarray:
    # as scipy.stats.rankdata, whose import takes most jobs longer than their work
    _, dense, times = np.unique(row, return_inverse=True, return_counts=True)
    return dense + 1 if method == "dense" else (np.cumsum(times) - (times - 1) / 2)[dense]


def require_rankable(
    rdms: np.ndarray, names: Sequence[str] | None = None, *, kind: str = "", first: int = 0
) -> None:
    """Refuse RDMs whose dissimilarities have no order.

    Args:
        rdms: shape (n_rdms, n_pairs), any float or integer dtype; condensed RDMs.
        names: what to call each RDM in an error; by default its kind and number.
        kind: model, brain or control, where names are only known further up (`unfit.naming`).
        first: the number of the first of these RDMs among those of its kind.

    Raises:
        DataError: an RDM has a NaN or an infinity, or is constant but for rounding; names it.
    """
    ends = np.stack([rdms.min(axis=1), rdms.max(axis=1)], axis=1)
    finite = np.isfinite(ends).all(axis=1)  # a NaN makes both ends NaN
    lowest, highest = in_steps(np.where(finite[:, np.newaxis], ends, 0)).T
    for faulty, fault, more in (
        (~finite, NOT_FINITE, "."),
        (lowest == highest, "is constant over the pairs compared", _ORDERS_NONE),
    ):
        if faulty.any():
            place = int(np.argmax(faulty))
            if names is None:
                raise UnfitRdm(kind, first + place, fault, more)
            raise UnfitRdm("", first + place, fault, more, name=names[place])


def standardise(ranked: np.ndarray) -> np.ndarray:
    """Centre and scale rows to unit length, so that a dot product is a Pearson correlation.

    Args:
        ranked: float64, shape (n_rdms, n_pairs); ranks of RDMs that are not constant.

    Returns:
        float64, shape (n_rdms, n_pairs).
    """
    centred = ranked - ranked.mean(axis=1, keepdims=True)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)
