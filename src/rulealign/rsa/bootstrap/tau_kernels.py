"""Compiled loops of `weighted_tau`. Importing this imports numba, which takes a moment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numba import njit

# unsigned throughout: numba looks out for negative places otherwise
_HIGH, _LOW, _BITS = np.uint64(0x7FFF), np.uint64(0xFFFF), np.uint64(16)
_TIED = np.uint64(1 << 31)  # as `weighted_ranks.sorted_pairs` marks a pair equal to the next
_ONE, _FIVE, _TEN = np.uint64(1), np.uint64(5), np.uint64(10)
_WIDTH, _LAST = np.uint64(32), np.uint64(31)


def _jit(function: Callable) -> Callable:
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder to keep compiled code in can be written to
        return njit(nogil=True)(function)


@_jit
def dense_ranks(
    in_order: np.ndarray,
    counts: np.ndarray,
    starts: np.ndarray,
    places: np.ndarray,
    ranks: np.ndarray,
) -> np.ndarray:
    """Rank the drawn pairs of RDMs from 1, equal dissimilarities sharing a rank, without gaps.

    Args:
        in_order: uint32, shape (n_rdms, n_pairs); from `weighted_ranks.sorted_pairs`.
        counts: int64, shape (n_stimuli,); of `weighted_ranks.Resample`, like the next two.
        starts: uint64, shape (n_stimuli,).
        places: uint64, shape (n_stimuli,).
        ranks: int32, shape (n_rdms, n_slots); is filled in for drawn pairs.

    Returns:
        int64, shape (n_rdms,); how many different values there are.
    """
    found = np.zeros(in_order.shape[0], dtype=np.int64)
    for row in range(in_order.shape[0]):
        rank, more = 0, True
        for place in range(in_order.shape[1]):
            pair = np.uint64(in_order[row, place])
            first, second = (pair >> _BITS) & _HIGH, pair & _LOW
            if counts[first] * counts[second]:
                rank += more
                more = False
                ranks[row, starts[first] + places[second]] = rank
            more = more or pair < _TIED  # the next pair is more dissimilar than this one
        found[row] = rank
    return found


@_jit
def _list_drawn(
    in_order: np.ndarray,
    counts: np.ndarray,
    starts: np.ndarray,
    places: np.ndarray,
    slots: np.ndarray,
    weights: np.ndarray,
    ends: np.ndarray,
) -> tuple[int, int]:
    # drawn pairs in ascending order, with the place where the equals of a first one end
    drawn, start, values = 0, 0, 0
    for place in range(in_order.shape[0]):
        pair = np.uint64(in_order[place])
        first, second = (pair >> _BITS) & _HIGH, pair & _LOW
        weight = counts[first] * counts[second]
        if weight:
            slots[drawn], weights[drawn] = starts[first] + places[second], weight
            drawn += 1
        if pair < _TIED and drawn > start:
            ends[start] = drawn
            start = drawn
            values += 1
    return drawn, values


@_jit
def _add(
    rank: int,
    weight: int,
    inner: np.ndarray,
    middle: np.ndarray,
    outer: np.ndarray,
    from_here: np.ndarray,
) -> None:
    # so that the three sums at r make the weight of all ranks up to r
    block, whole = rank >> _FIVE, rank >> _TEN
    base, steps = block << _FIVE, (rank & _LAST) << _FIVE
    for step in range(_WIDTH):
        inner[base + step] += weight & from_here[steps + step]
    base, steps = whole << _FIVE, ((block & _LAST) + _ONE) << _FIVE
    for step in range(_WIDTH):
        middle[base + step] += weight & from_here[steps + step]
    for step in range(whole + _ONE, np.uint64(len(outer))):
        outer[step] += weight


@_jit
def _difference(
    drawn: int,
    slots: np.ndarray,
    weights: np.ndarray,
    ends: np.ndarray,
    ranks: np.ndarray,
    inner: np.ndarray,
    middle: np.ndarray,
    outer: np.ndarray,
    from_here: np.ndarray,
) -> int:
    inner[:], middle[:], outer[:] = 0, 0, 0
    difference, before, start = np.int64(0), np.int64(0), 0
    while start < drawn:
        end = ends[start]
        for place in range(start, end):  # all equals are looked up before any is added
            rank = np.uint64(ranks[slots[place]])
            under = rank - _ONE
            below = outer[under >> _TEN] + middle[under >> _FIVE] + inner[under]
            up_to = outer[rank >> _TEN] + middle[rank >> _FIVE] + inner[rank]
            # the weight below, less that above, which is before - up_to
            difference += np.int64(weights[place]) * (below + up_to - before)
        for place in range(start, end):
            weight = weights[place]
            _add(np.uint64(ranks[slots[place]]), weight, inner, middle, outer, from_here)
            before += weight
        start = end
    return difference


@_jit
def concordances(
    in_order: np.ndarray,
    counts: np.ndarray,
    starts: np.ndarray,
    places: np.ndarray,
    ranks: np.ndarray,
    differences: np.ndarray,
    n_values: np.ndarray,
) -> int:
    """Count concordant less discordant couples of occurrences of pairs, for all models and brains.

    Args:
        in_order: uint32, shape (n_models, n_pairs); from `weighted_ranks.sorted_pairs`.
        counts: as in `dense_ranks`, like the next two.
        starts: uint64, shape (n_stimuli,).
        places: uint64, shape (n_stimuli,).
        ranks: int32, shape (n_brains, n_slots); from `dense_ranks`.
        differences: int64, shape (n_models, n_brains); is filled.
        n_values: int64, shape (n_models,); is filled with the number of different values.

    Returns:
        The number of occurrences.
    """
    n_slots = ranks.shape[1]
    slots, ends = np.empty(n_slots, dtype=np.uint64), np.empty(n_slots, dtype=np.int64)
    weights = np.empty(n_slots, dtype=np.int32)
    top = (n_slots >> 10) + 1  # ranks go up to n_slots
    inner, middle = np.empty(top << 10, dtype=np.int32), np.empty(top << 5, dtype=np.int32)
    outer = np.empty(top, dtype=np.int32)
    # 33 rows of 32: row k is 0 before entry k and all ones from there on
    rows = np.arange(32) >= np.arange(33).reshape(-1, 1)
    from_here = np.where(rows, -1, 0).astype(np.int32).ravel()
    drawn = 0
    for model in range(in_order.shape[0]):
        drawn, n_values[model] = _list_drawn(
            in_order[model], counts, starts, places, slots, weights, ends
        )
        for brain in range(ranks.shape[0]):
            differences[model, brain] = _difference(
                drawn, slots, weights, ends, ranks[brain], inner, middle, outer, from_here
            )
    return weights[:drawn].sum()
