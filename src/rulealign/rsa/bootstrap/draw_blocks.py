"""Bootstrap draws of many RDM correlations, block by block, in bounded memory and on threads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue

import numpy as np

from rulealign.rsa.bootstrap.draw_threads import spreading
from rulealign.rsa.bootstrap.weighted_ranks import (
    BYTES_PER_PAIR,
    SORTING_BYTES,
    Resample,
    sorted_pairs,
    square,
    weighted_ranks,
)
from rulealign.rsa.compare import masked, require_same_pairs
from rulealign.rsa.comparison import combined
from rulealign.rsa.ranking import require_rankable
from rulealign.rsa.unfit import require_varied

WORK_MB = 512.0
"""Megabytes that a bootstrap works in, where nothing else is said."""

_DRAWS_PER_THREAD = 8  # of a block
_ROWS = 32  # models in one matrix product: more do not make it faster


@dataclass(frozen=True)
class Block:
    """Some draws of some models.

    Attributes:
        models: which models.
        draws: which draws.
        scores: float64, shape (draws of the block, models of the block, n_scores).
        done: the fraction of all draws of all models that is done with this block.
    """

    models: slice
    draws: slice
    scores: np.ndarray
    done: float


def draw_blocks(
    models: np.ndarray,
    brains: np.ndarray,
    counts: np.ndarray,
    *,
    combine: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    work_mb: float = WORK_MB,
    threads: int = 1,
) -> Iterator[Block]:
    """Correlate all model RDMs with all brain RDMs in every resample; give draws as they come.

    What is correlated is told in `bootstrap.bootstrap_spearman`, which gives all draws at once.

    Args:
        models: as in `bootstrap_spearman`, like all other arguments.
        brains: float64, shape (n_brains, n_pairs).
        counts: integer, shape (draws, n_stimuli).
        combine: float64, shape (n_brains, n_scores).
        mask: bool, shape (n_pairs,).
        work_mb: megabytes; they hold what is computed with, and the draws of one set of models.
        threads: resamples that are worked on at a time.

    Yields:
        The draws of a first set of models in order, then those of the next set.

    Raises:
        DataError: as in `bootstrap_spearman`.
    """
    models, brains, counts = np.atleast_2d(models), np.atleast_2d(brains), np.asarray(counts)
    n_draws, n_stimuli = counts.shape
    require_same_pairs(models, brains, n_stimuli)
    n_scores = len(brains) if combine is None else combine.shape[1]
    brain_order = _sorted(brains, "brain", 0, n_stimuli, mask)
    fixed, each = _megabytes(counts, brain_order, n_scores, threads)
    allowed = None if mask is None else square(mask, n_stimuli)
    with spreading(threads) as spread:
        for chosen in _slices(len(models), max(1, int((work_mb - fixed) / each))):
            order = _sorted(models[chosen], "model", chosen.start, n_stimuli, mask)
            work = _Work(order, brain_order, chosen.start, counts, allowed, threads)
            for draws in _slices(n_draws, _DRAWS_PER_THREAD * threads):
                rho = spread(work.rho, range(n_draws)[draws])
                done = (chosen.start + len(order) * draws.stop / n_draws) / len(models)
                yield Block(chosen, draws, combined(rho, combine), done)
            del order, work, rho  # before the next set takes their place


def _slices(length: int, size: int) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))


def _sorted(
    rdms: np.ndarray, kind: str, start: int, n_stimuli: int, mask: np.ndarray | None
) -> np.ndarray:
    # one by one: a second copy of a thousand RDMs of 258,840 pairs would be a gigabyte
    for place in range(len(rdms)):
        require_rankable(masked(rdms[place : place + 1], mask), kind=kind, first=start + place)
    return sorted_pairs(rdms, n_stimuli, mask)


def _most_slots(counts: np.ndarray) -> int:
    drawn = int((counts > 0).sum(axis=1).max())
    return 1 + drawn * (drawn - 1) // 2


def _megabytes(
    counts: np.ndarray, brain_order: np.ndarray, n_scores: int, threads: int
) -> tuple[float, float]:
    # what is needed for any number of models, and for each model
    n_brains, n_pairs = brain_order.shape
    n_draws, n_stimuli = counts.shape
    # laying out a resample takes as much as 5 RDMs' ranks
    fixed = 8 * _most_slots(counts) * (n_brains + _ROWS + 5) * threads + brain_order.nbytes
    fixed += SORTING_BYTES * n_stimuli * (n_stimuli - 1) // 2
    block = 8 * _DRAWS_PER_THREAD * threads * 3 * max(n_brains, n_scores)
    # an interval needs a copy of a model's draws, and percentiles one more
    each = BYTES_PER_PAIR * n_pairs + block + 3 * 8 * n_draws * n_scores
    return fixed / 1e6, each / 1e6


class _Work:
    """A set of models and all brains, sorted, with room for each thread to rank them in."""

    def __init__(
        self,
        models: np.ndarray,
        brains: np.ndarray,
        start: int,
        counts: np.ndarray,
        allowed: np.ndarray | None,
        threads: int,
    ) -> None:
        self._models, self._brains, self._start = models, brains, start
        self._counts, self._allowed = counts, allowed
        self._rooms: SimpleQueue[np.ndarray] = SimpleQueue()
        for _ in range(threads):
            rows = len(brains) + min(_ROWS, len(models))
            self._rooms.put(np.zeros(rows * _most_slots(counts)))

    def rho(self, draw: int) -> np.ndarray:
        """Correlate all models with all brains in one resample: shape (n_models, n_brains)."""
        resample, room = Resample.of(self._counts[draw], self._allowed), self._rooms.get()
        try:
            return self._rho(draw, resample, room)
        finally:
            self._rooms.put(room)

    def _rho(self, draw: int, resample: Resample, room: np.ndarray) -> np.ndarray:
        n_brains, n_slots = len(self._brains), len(resample.weights)
        room = room[: len(room) // n_slots * n_slots].reshape(-1, n_slots)
        brains, ranks = room[:n_brains], room[n_brains:]
        brain_sizes = weighted_ranks(self._brains, resample, brains)
        brains *= resample.weights
        products, sizes = [], []
        for start in range(0, len(self._models), _ROWS):
            rows = self._models[start : start + _ROWS]
            sizes.append(weighted_ranks(rows, resample, ranks[: len(rows)]))
            products.append(ranks[: len(rows)] @ brains.T)
        model_sizes = np.concatenate(sizes)
        require_varied(model_sizes > 0, "model", draw, "no ranks", self._start)
        require_varied(brain_sizes > 0, "brain", draw, "no ranks")
        return np.concatenate(products) / np.outer(model_sizes, brain_sizes)
