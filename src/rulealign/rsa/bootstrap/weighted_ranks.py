"""Ranks of pairs in a resample of the stimuli: an RDM is sorted once, and ranked by running sums.

In a resample, a pair occurs as often as the product of its stimuli's counts says. Going through an
RDM's pairs in ascending order, the sum of these weights is the rank: no resample is sorted anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from rulealign.errors import DataError
from rulealign.rsa.ranking import in_steps

BYTES_PER_PAIR = 4
"""Bytes of `sorted_pairs` for each pair of an RDM."""

SORTING_BYTES = 40
"""Bytes for each pair while one RDM is sorted."""

_TIED = np.uint32(1 << 31)  # a pair is as dissimilar as the one that comes next
_MOST_STIMULI = 1 << 15  # two of their places and the bit above fit 32 bits


@dataclass(frozen=True)
class Resample:
    """One resample of the stimuli, as `weighted_ranks` needs it.

    Only pairs of drawn stimuli get a slot, in the order of `numpy.triu_indices`, from slot 1 on;
    slot 0 takes all others. The drawn stimuli a < b have the slot `starts[a] + places[b]`.

    Attributes:
        counts: int64, shape (n_stimuli,); how often each stimulus was drawn.
        starts: uint64, shape (n_stimuli,); what a pair's first stimulus adds to its slot.
        places: uint64, shape (n_stimuli,); what its second one adds.
        weights: float64, shape (n_slots,); how often each pair occurs: 0 in slot 0, and where a
            mask leaves a pair out.
    """

    counts: np.ndarray
    starts: np.ndarray
    places: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, counts: np.ndarray, allowed: np.ndarray | None = None) -> Resample:
        """Lay out the slots of one resample.

        Args:
            counts: integer, shape (n_stimuli,).
            allowed: bool, shape (n_stimuli, n_stimuli), from `square`; None for all pairs.

        Returns:
            The resample.
        """
        counts = counts.astype(np.int64)
        drawn = np.flatnonzero(counts)
        places = np.cumsum(counts > 0) - (counts > 0)
        starts = places * (2 * len(drawn) - places - 3) // 2
        times = np.multiply.outer(counts[drawn], counts[drawn])
        if allowed is not None:
            times *= allowed[np.ix_(drawn, drawn)]
        weights = np.zeros(1 + len(drawn) * (len(drawn) - 1) // 2)
        weights[1:] = times[_upper(len(drawn))]
        return cls(counts, starts.astype(np.uint64), places.astype(np.uint64), weights)


def square(mask: np.ndarray, n_stimuli: int) -> np.ndarray:
    """Write a mask of pairs as a table of stimuli by stimuli.

    Args:
        mask: bool, shape (n_pairs,), pairs in the order of `numpy.triu_indices(n_stimuli, 1)`.
        n_stimuli: number of stimuli.

    Returns:
        bool, shape (n_stimuli, n_stimuli), false on and below the diagonal.
    """
    table = np.zeros((n_stimuli, n_stimuli), dtype=bool)
    table[_upper(n_stimuli)] = mask
    return table


def _upper(size: int) -> np.ndarray:
    return ~np.tri(size, dtype=bool)


def sorted_pairs(rdms: np.ndarray, n_stimuli: int, mask: np.ndarray | None) -> np.ndarray:
    """Sort the pairs of RDMs by their dissimilarity.

    Args:
        rdms: shape (n_rdms, n_pairs), finite; condensed RDMs.
        n_stimuli: their number of stimuli.
        mask: bool, shape (n_pairs,); the pairs to keep; None for all.

    Returns:
        uint32, shape (n_rdms, pairs that are kept): the two stimuli of each pair in 15 and 16 bits,
        in ascending order of dissimilarity; the highest bit tells that the next pair's is equal.

    Raises:
        DataError: there are more than 32,768 stimuli.
    """
    if n_stimuli > _MOST_STIMULI:
        raise DataError(f"{n_stimuli} stimuli are more than the {_MOST_STIMULI} that fit here.")
    first, second = (place.astype(np.uint32) for place in np.triu_indices(n_stimuli, 1))
    pairs = (first << np.uint32(16)) | second
    pairs = pairs if mask is None else pairs[mask]
    in_order = np.empty((len(rdms), len(pairs)), dtype=np.uint32)
    for rdm, row in zip(rdms, in_order, strict=True):
        values = in_steps((rdm if mask is None else rdm[mask])[np.newaxis])[0]
        order = np.argsort(values)
        np.take(pairs, order, out=row)
        values = values[order]
        row[:-1] |= np.where(values[1:] == values[:-1], _TIED, np.uint32(0))
    return in_order


def weighted_ranks(in_order: np.ndarray, resample: Resample, ranks: np.ndarray) -> np.ndarray:
    """Rank the pairs of RDMs in a resample, equal dissimilarities sharing their average rank.

    Args:
        in_order: uint32, shape (n_rdms, n_pairs); from `sorted_pairs`.
        resample: of the same stimuli and mask.
        ranks: float64, shape (n_rdms, n_slots); is filled with twice the ranks less their weighted
            mean, whole numbers. Slots of weight 0 hold any whole number.

    Returns:
        float64, shape (n_rdms,); the root of each RDM's weighted sum of squares of `ranks`, 0 for
        an RDM that is constant over the pairs of the resample.
    """
    sizes = np.empty(len(in_order))
    _compiled()(
        in_order,
        *(resample.counts, resample.starts, resample.places, resample.weights),
        *(int(resample.weights.sum()), ranks, sizes),
    )
    return sizes


@cache
def _compiled() -> Callable[..., None]:
    # numba is imported at first use: other modules need no bootstrap, and it takes a moment
    from numba import njit

    # the order of additions is free: sums of whole numbers below 2^53 are exact in any
    options = {"nogil": True, "fastmath": {"reassoc", "nsz", "contract"}}
    try:
        return njit(cache=True, **options)(_rank_rows)
    except RuntimeError:  # no folder to keep compiled code in can be written to
        return njit(**options)(_rank_rows)


def _rank_rows(
    in_order: np.ndarray,
    counts: np.ndarray,
    starts: np.ndarray,
    places: np.ndarray,
    weights: np.ndarray,
    total: int,
    ranks: np.ndarray,
    sizes: np.ndarray,
) -> None:
    # unsigned throughout: numba looks out for negative places otherwise
    low, high, bits = np.uint64(0xFFFF), np.uint64(0x7FFF), np.uint64(16)
    tied, nowhere, one = np.uint64(1 << 31), np.uint64(0), np.uint64(1)
    n_pairs = np.uint64(in_order.shape[1])
    # ranks are put where they belong in one short row, which stays in the processor's cache
    out = np.zeros(len(weights), dtype=np.int32)
    for row in range(in_order.shape[0]):
        pairs = in_order[row]
        below = -total  # twice the weight of all lower pairs, less the mean of what it will be
        at = np.uint64(0)
        while at < n_pairs:
            pair = np.uint64(pairs[at])
            if pair < tied:  # no equals: the rank is the middle of the pair's own occurrences
                first, second = pair >> bits, pair & low
                weight = counts[first] * counts[second]
                slot = starts[first] + places[second]
                out[slot if weight else nowhere] = below + weight
                below += 2 * weight
                at += one
                continue
            start, weight, more = at, 0, True
            while more:
                pair = np.uint64(pairs[at])
                weight += counts[(pair >> bits) & high] * counts[pair & low]
                more = pair >= tied
                at += one
            for place in range(start, at):
                pair = np.uint64(pairs[place])
                first, second = (pair >> bits) & high, pair & low
                slot = starts[first] + places[second]
                out[slot if counts[first] * counts[second] else nowhere] = below + weight
            below += 2 * weight
        squares = 0.0
        for slot in range(len(weights)):
            rank = float(out[slot])
            ranks[row, slot] = rank
            squares += weights[slot] * rank * rank
        sizes[row] = np.sqrt(squares)
