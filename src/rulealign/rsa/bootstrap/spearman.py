"""The stimulus bootstrap of Spearman correlations between RDMs, re-ranked in every draw."""

from __future__ import annotations

from collections.abc import Callable
from math import comb

import numpy as np

from rulealign.errors import DataError
from rulealign.provenance import derive_seed
from rulealign.rsa.bootstrap.draw_blocks import WORK_MB, draw_blocks

_LEAST_STIMULI = 3
_CHANCE = 0.01


def bootstrap_seed(study_seed: int, n_stimuli: int) -> int:
    """Derive the seed that every rule, layer, ROI and epoch of a study shares.

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
    # 2 stimuli have one pair, and one pair has no order
    drawn = np.random.default_rng(seed).integers(n_stimuli, size=(draws, n_stimuli))
    counts = np.stack([np.bincount(row, minlength=n_stimuli) for row in drawn])
    distinct = (counts > 0).sum(axis=1)
    few = np.flatnonzero(distinct < _LEAST_STIMULI)
    if len(few):
        raise DataError(
            f"{n_stimuli} stimuli are too few for {draws} resamples: {len(few)} of these (the first"
            f" is resample {few[0]}) have fewer than {_LEAST_STIMULI} different stimuli, and order"
            f" no pairs. Bring at least {enough_stimuli(draws)} stimuli."
        )
    return counts


def enough_stimuli(draws: int) -> int:
    """Give the smallest number of stimuli that hardly any set of resamples fails with.

    Args:
        draws: number of resamples.

    Returns:
        With so many stimuli, the chance that any of the resamples has fewer than 3 different ones
        is below 1%: 10 for 1,000 resamples, 11 for 10,000.
    """
    n = _LEAST_STIMULI
    while 1 - (1 - _too_few(n)) ** draws >= _CHANCE:
        n += 1
    return n


def _too_few(n: int) -> float:
    # n draws of one stimulus, or of both of two
    return (n + comb(n, 2) * (2**n - 2)) / n**n


def bootstrap_spearman(
    models: np.ndarray,
    brains: np.ndarray,
    counts: np.ndarray,
    *,
    combine: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    work_mb: float = WORK_MB,
    threads: int = 1,
    progress: Callable[[float], None] | None = None,
) -> np.ndarray:
    """Correlate every model RDM with every brain RDM in every resample of the stimuli.

    The same numbers as writing a resample out (a stimulus drawn twice gives its pairs twice, its
    pair with itself is dropped), ranking both RDMs anew and correlating the ranks. Instead, a
    pair's weight is the product of its stimuli's counts, its rank comes from the weights' running
    sum in an order made once (see `weighted_ranks`), and rho is the weighted correlation of the
    ranks. Up to 775 stimuli, all that is summed up is whole numbers below 2^53: draws are the same
    to the last bit for any number of threads and megabytes; beyond, they are so to about 1e-15.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs, finite and not constant.
        brains: shape (n_brains, n_pairs); of the same stimuli in the same order.
        counts: integer, shape (draws, n_stimuli); from `resample_counts`.
        combine: float64, shape (n_brains, n_scores); what is kept of each draw is
            `rho @ combine`, such as means over subjects. By default every rho.
        mask: bool, shape (n_pairs,); which pairs are there to be drawn, ranked and correlated. By
            default all. The others are left out, which is to give them the weight 0.
        work_mb: megabytes to work in besides the arguments and the result; decides how many models
            are treated at a time. The brains and one model are treated even if they need more.
        threads: resamples that are worked on at a time.
        progress: is told the fraction that is done, after each block of draws.

    Returns:
        float64, shape (draws, n_models, n_scores). To write them as they come, or where they are
        too many to hold, see `draw_blocks.draw_blocks`.

    Raises:
        DataError: numbers of pairs and stimuli do not fit, an RDM is constant or not finite, or
            is constant over the pairs of one resample.
    """
    n_scores = len(np.atleast_2d(brains)) if combine is None else combine.shape[1]
    scores = np.empty((len(counts), len(np.atleast_2d(models)), n_scores))
    how = {"combine": combine, "mask": mask, "work_mb": work_mb, "threads": threads}
    for block in draw_blocks(models, brains, counts, **how):
        scores[block.draws, block.models] = block.scores
        if progress is not None:
            progress(block.done)
    return scores


def require_draws(n_draws: int, coverage: float, key: str = "bootstrap_draws") -> None:
    """Refuse fewer draws than the ends of an interval need.

    Args:
        n_draws: number of draws.
        coverage: fraction of the draws within the interval, such as .95.
        key: of `statistics`, that says how many draws there are.

    Raises:
        DataError: less than one draw would lie beyond each end.
    """
    needed = round(2 / (1 - coverage))
    if n_draws < needed:
        raise DataError(
            f"an interval of {coverage:g} needs at least {needed} draws, not {n_draws}; raise"
            f" statistics.{key}, or lower statistics.interval."
        )


def percentile_interval(draws: np.ndarray, coverage: float) -> tuple[np.ndarray, np.ndarray]:
    """Take the central interval of draws by percentiles.

    Args:
        draws: shape (draws, ...), finite.
        coverage: fraction of the draws within, such as .95.

    Returns:
        Lower and upper end, each of the shape of one draw.

    Raises:
        DataError: there are fewer draws than the interval needs.
    """
    require_draws(len(draws), coverage)
    tail = 100 * (1 - coverage) / 2
    low, high = np.percentile(draws, [tail, 100 - tail], axis=0)
    return low, high
