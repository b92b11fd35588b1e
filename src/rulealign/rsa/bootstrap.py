"""The stimulus bootstrap of Spearman correlations between RDMs, re-ranked in every draw."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from rulealign.errors import DataError
from rulealign.provenance import derive_seed
from rulealign.rsa.compare import masked, require_rankable, require_same_pairs

# Beyond the processor's cache, gathering by index takes up to three times as long.
_WORK_MB = 8.0


def bootstrap_seed(study_seed: int, n_stimuli: int) -> int:
    """Derive the seed that every rule, layer, area and epoch of a study shares.

    Args:
        study_seed: the study's seed.
        n_stimuli: number of stimuli.

    Returns:
        The seed of `resample_counts`.
    """
    return derive_seed(study_seed, "stimulus bootstrap", n_stimuli)


def resample_counts(n_stimuli: int, draws: int, seed: int) -> np.ndarray:
    """Draw as many stimuli as there are, with replacement, and count each.

    Args:
        n_stimuli: number of stimuli.
        draws: number of resamples.
        seed: of the draws, normally `bootstrap_seed`.

    Returns:
        int64, shape (draws, n_stimuli); every row sums to `n_stimuli`.

    Raises:
        DataError: a resample has fewer than 3 different stimuli, so that it orders no pairs.
    """
    drawn = np.random.default_rng(seed).integers(n_stimuli, size=(draws, n_stimuli))
    counts = np.stack([np.bincount(row, minlength=n_stimuli) for row in drawn])
    distinct = (counts > 0).sum(axis=1)
    if distinct.min() < 3:
        raise DataError(
            f"resample {int(np.argmin(distinct))} of {n_stimuli} stimuli has only"
            f" {int(distinct.min())} different ones; a bootstrap needs more stimuli."
        )
    return counts


def bootstrap_spearman(
    models: np.ndarray,
    brains: np.ndarray,
    counts: np.ndarray,
    *,
    combine: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    work_mb: float = _WORK_MB,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Correlate every model RDM with every brain RDM in every resample of the stimuli.

    The same numbers as writing a resample out (a stimulus drawn twice gives its pairs twice, its
    pair with itself is dropped), ranking both RDMs anew and correlating the ranks. Instead, a
    pair's weight is the product of its stimuli's counts. An RDM is sorted once; in a draw the
    cumulative sum of the weights in that order is each pair's rank, equal dissimilarities share
    the middle of their span, and rho is the weighted correlation of the ranks. Twice the ranks
    are whole numbers, so nothing is lost to rounding before the products.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs, finite and not constant.
        brains: shape (n_brains, n_pairs); of the same stimuli in the same order.
        counts: integer, shape (draws, n_stimuli); from `resample_counts`.
        combine: float64, shape (n_brains, n_scores); what is kept of each draw is
            `rho @ combine`, such as means over subjects. By default every rho.
        mask: bool, shape (n_pairs,); which pairs are there to be drawn, ranked and correlated. By
            default all. The others are left out, which is to give them the weight 0.
        work_mb: megabytes to work in besides inputs and result; decides how many models are
            treated at a time (at least 4 per brain RDM, whose ranks are made anew each time).
        progress: is told the fraction that is done, after each resample of each set of models.

    Returns:
        float64, shape (draws, n_models, n_scores).

    Raises:
        DataError: numbers of pairs and stimuli do not fit, an RDM is constant or not finite, or
            is constant over the pairs of one resample.
    """
    models, brains, counts = np.atleast_2d(models), np.atleast_2d(brains), np.asarray(counts)
    _require_fit(models, brains, counts)
    brains = masked(brains, mask)
    _require_ranks(brains, "brain", 0)
    combine = np.eye(len(brains)) if combine is None else combine
    scores = np.empty((len(counts), len(models), combine.shape[1]))
    brain_ranks = _WeightedRanks(brains)
    first, second = masked(np.stack(np.triu_indices(counts.shape[1], 1)), mask)
    for chunk in _chunks(len(models), *brains.shape, work_mb):
        # masked by sets: a second copy of a thousand RDMs of 258,840 pairs would be a gigabyte
        compared = masked(models[chunk], mask)
        _require_ranks(compared, "model", chunk.start)
        model_ranks = _WeightedRanks(compared)
        for draw, count in enumerate(counts):
            weights = count[first] * count[second]
            model, model_size = model_ranks.centred(weights)
            brain, brain_size = brain_ranks.centred(weights)
            _require_spread(model_size, "model", chunk.start, draw)
            _require_spread(brain_size, "brain", 0, draw)
            rho = (model @ (brain * weights).T) / np.outer(model_size, brain_size)
            scores[draw, chunk] = rho @ combine
            if progress is not None:
                rows = chunk.stop - chunk.start
                progress((chunk.start + rows * (draw + 1) / len(counts)) / len(models))
    return scores


def _require_fit(models: np.ndarray, brains: np.ndarray, counts: np.ndarray) -> None:
    require_same_pairs(models, brains)
    n_stimuli = counts.shape[1]
    if models.shape[1] != n_stimuli * (n_stimuli - 1) // 2:
        raise DataError(f"RDMs of {models.shape[1]} pairs do not fit {n_stimuli} counted stimuli.")


def _require_ranks(rdms: np.ndarray, kind: str, start: int) -> None:
    require_rankable(rdms, [f"{kind} RDM {start + place}" for place in range(len(rdms))])


def _chunks(n_models: int, n_brains: int, n_pairs: int, work_mb: float) -> Iterator[slice]:
    rows = max(int(work_mb * 1e6 / (n_pairs * _WeightedRanks.BYTES_PER_PAIR)), 4 * n_brains)
    for start in range(0, n_models, rows):
        yield slice(start, min(start + rows, n_models))


class _WeightedRanks:
    """Ranks of RDMs whose pairs occur with weights; sorted once, ranked for any weights."""

    BYTES_PER_PAIR = 40

    def __init__(self, rdms: np.ndarray) -> None:
        n_rdms, n_pairs = rdms.shape
        self._order = np.argsort(rdms, axis=1, kind="stable")
        starts, stops = _tie_spans(np.take_along_axis(rdms, self._order, axis=1))
        # where in the flattened cumulative sums each pair's ties begin and end
        rows = np.arange(n_rdms)[:, np.newaxis] * (n_pairs + 1)
        below, self._through = np.empty_like(starts), np.empty_like(stops)
        np.put_along_axis(below, self._order, starts + rows, axis=1)
        np.put_along_axis(self._through, self._order, stops + rows, axis=1)
        self._tied = np.flatnonzero(self._through - below > 1)
        self._below_tied = below.reshape(-1)[self._tied]
        # twice the sum of the weights is below n_stimuli^2, and fits 32 bits
        self._cumulative = np.zeros((n_rdms, n_pairs + 1), dtype=np.int32)
        self._gathered = np.empty((n_rdms, n_pairs), dtype=np.int32)
        self._ranks, self._squares = np.empty((2, n_rdms, n_pairs))

    def centred(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rank all pairs, each as often as its weight says.

        Args:
            weights: int64, shape (n_pairs,); how often each pair occurs.

        Returns:
            Twice the mid-ranks less their weighted mean, float64, shape (n_rdms, n_pairs), in a
            buffer that the next call fills; and the root of their weighted sum of squares.
        """
        total, gathered = weights.sum(), self._gathered
        # mode="clip" spares numpy a copy; all places are valid by construction
        np.take((2 * weights).astype(np.int32), self._order, out=gathered, mode="clip")
        np.cumsum(gathered, axis=1, dtype=np.int32, out=self._cumulative[:, 1:])
        cumulative = self._cumulative.reshape(-1)
        np.take(cumulative, self._through, out=gathered, mode="clip")
        # below a pair without equals lies what lies through it, less the pair itself
        np.subtract(gathered, weights + float(total), out=self._ranks)
        through_tied = gathered.reshape(-1)[self._tied]
        middle = (cumulative[self._below_tied] / 2 + through_tied / 2) - total
        self._ranks.reshape(-1)[self._tied] = middle
        np.square(self._ranks, out=self._squares)
        return self._ranks, np.sqrt(self._squares @ weights.astype(np.float64))


def _tie_spans(in_order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    # per sorted place: the first place of its run of equal values, and the one after its last
    n_rdms, n_pairs = in_order.shape
    edge = np.ones((n_rdms, n_pairs + 1), dtype=bool)
    edge[:, 1:-1] = in_order[:, 1:] != in_order[:, :-1]
    places = np.arange(n_pairs + 1)
    starts = np.maximum.accumulate(np.where(edge, places, 0)[:, :-1], axis=1)
    stops = np.minimum.accumulate(np.where(edge, places, n_pairs)[:, :0:-1], axis=1)[:, ::-1]
    return starts, stops


def _require_spread(sizes: np.ndarray, kind: str, start: int, draw: int) -> None:
    if not sizes.all():
        raise DataError(
            f"{kind} RDM {start + int(np.argmin(sizes))} is constant over the pairs of resample"
            f" {draw} and has no ranks there; a bootstrap needs more stimuli or finer RDMs."
        )


def percentile_interval(draws: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """Take the central interval of draws by percentiles.

    Args:
        draws: shape (draws, ...), finite.
        coverage: fraction of the draws within, such as .95.

    Returns:
        Lower and upper end, each of the shape of one draw.
    """
    tail = 100 * (1 - coverage) / 2
    low, high = np.percentile(draws, [tail, 100 - tail], axis=0)
    return low, high
