"""Pearson, cosine and their whitened forms in resamples of the stimuli, by sums over pairs.

A stimulus drawn k times is there k times, so a pair of different stimuli i and j occurs c_i c_j
times. Sums over a resample are sums over pairs with these weights; nothing is written out.

Whitening: two pairs that share a stimulus share its noise. For squared distances (crossnobis; 1 -
Pearson is half the squared distance of standardised patterns) of stimuli that do not differ, whose
noise is equal and independent, the covariance of all pairs is proportional to V = 2 + T T', T
telling which stimuli a pair is of: in a resample written out, which copies. A whitened product is
x'V^-1 y. By Woodbury, 2 x'V^-1 y = x'y - (T'x)' (2 + T'T)^-1 (T'y). Copies of a stimulus have equal
sums T'x, and T'T treats them alike, so that one unknown stands for all copies of a stimulus. With
a_ij = 1 for pairs that are there, this leaves s_x' A^-1 s_y, where
s_x[i] = sqrt(c_i) sum_j c_j a_ij x_ij, and A has sqrt(c_i c_j) a_ij off the diagonal and
2 + sum_j c_j a_ij on it: one row per stimulus that was drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, solve_triangular

from rulealign.rsa.bootstrap.draw_threads import spreading
from rulealign.rsa.compare import masked, require_same_pairs
from rulealign.rsa.unfit import NOT_FINITE, UnfitRdm, require_varied

_ROWS = 32  # models at a time: always as many, so that rounding does not depend on memory

# What is left of a weighted sum of squares is rounding below this share of it.
_ROUNDING = 1e-12


def bootstrap_products(
    models: np.ndarray,
    brains: np.ndarray,
    counts: np.ndarray,
    *,
    centred: bool,
    whitened: bool,
    mask: np.ndarray | None = None,
    threads: int = 1,
) -> np.ndarray:
    """Take the cosine or correlation, whitened or not, of all RDMs in every resample.

    The same numbers as writing a resample out, leaving out pairs of a stimulus with itself, to
    about 1e-12, which is the rounding of the sums. For each pair of stimuli it works in 32 bytes
    for each of 32 models and each brain, 524 MB for 720 stimuli and 19 brains, whatever the number
    of models.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs, finite.
        brains: shape (n_brains, n_pairs); of the same stimuli in the same order.
        counts: integer, shape (draws, n_stimuli); from `bootstrap.resample_counts`.
        centred: whether each RDM's mean over the resample is subtracted: a correlation.
        whitened: whether the dependence between pairs is allowed for.
        mask: bool, shape (n_pairs,); which pairs are there to be drawn. By default all.
        threads: resamples that are worked on at a time; changes nothing.

    Returns:
        float64, shape (draws, n_models, n_brains); from -1 to 1.

    Raises:
        DataError: numbers of pairs and stimuli do not fit, an RDM is not finite, or it is constant
            (of a cosine: zero) over the pairs of one resample; names it.

    Source: Diedrichsen et al. 2021, arXiv:2007.02789, for V.
    """
    models, brains = np.atleast_2d(models), np.atleast_2d(brains)
    pairs = _Pairs.of(counts.shape[1], mask, models, brains)
    theirs = _Rows.of(brains, "brain", 0, pairs, centred, whitened)
    rho = np.empty((len(counts), len(models), len(brains)))
    with spreading(threads) as spread:
        for start in range(0, len(models), _ROWS):
            chosen = slice(start, start + _ROWS)
            ours = _Rows.of(models[chosen], "model", start, pairs, centred, whitened)

            def one(draw: int, ours: _Rows = ours) -> np.ndarray:
                return _compared(draw, counts[draw], ours, theirs, pairs, centred)

            rho[:, chosen] = spread(one, range(len(counts)))
            del ours, one  # before the next models take their place
    return rho


@dataclass(frozen=True)
class _Pairs:
    # the pairs that are compared: their stimuli, and as a table of stimuli by stimuli
    first: np.ndarray
    second: np.ndarray
    allowed: np.ndarray
    mask: np.ndarray | None

    @classmethod
    def of(
        cls, n_stimuli: int, mask: np.ndarray | None, models: np.ndarray, brains: np.ndarray
    ) -> _Pairs:
        require_same_pairs(models, brains, n_stimuli)
        first, second = masked(np.stack(np.triu_indices(n_stimuli, 1)), mask)
        allowed = np.zeros((n_stimuli, n_stimuli))
        allowed[first, second] = allowed[second, first] = 1
        return cls(first, second, allowed, mask)


@dataclass(frozen=True)
class _Rows:
    # RDMs over the pairs compared, their squares, and (for whitening) as tables of stimuli
    values: np.ndarray
    squares: np.ndarray
    tables: np.ndarray | None
    kind: str
    start: int

    @classmethod
    def of(
        cls, rdms: np.ndarray, kind: str, start: int, pairs: _Pairs, centred: bool, whitened: bool
    ) -> _Rows:
        values = masked(rdms, pairs.mask).astype(np.float64)
        if not np.isfinite(values).all():
            place = int(np.argmin(np.isfinite(values).all(axis=1)))
            raise UnfitRdm(kind, start + place, NOT_FINITE)
        if centred:  # changes no correlation; near 0, sums of squares lose no digits
            values -= values.mean(axis=1, keepdims=True)
        tables = None
        if whitened:
            tables = np.zeros((len(rdms), *pairs.allowed.shape))
            tables[:, pairs.first, pairs.second] = values
            tables[:, pairs.second, pairs.first] = values
        return cls(values, values**2, tables, kind, start)


def _compared(
    draw: int, counts: np.ndarray, ours: _Rows, theirs: _Rows, pairs: _Pairs, centred: bool
) -> np.ndarray:
    times = counts.astype(np.float64)
    weights = times[pairs.first] * times[pairs.second]
    weighted = theirs.values * weights
    products = ours.values @ weighted.T
    full = [ours.squares @ weights, theirs.squares @ weights]
    sizes = [size.copy() for size in full]
    means = [np.zeros(len(size)) for size in sizes]
    if centred:
        total = max(weights.sum(), 1)  # nothing drawn at all is refused below
        means = [ours.values @ weights / total, weighted.sum(axis=1) / total]
        products -= total * np.outer(*means)
        sizes = [size - total * mean**2 for size, mean in zip(sizes, means, strict=True)]
    if ours.tables is not None:
        sums = _sums([ours, theirs], means, times, pairs.allowed)
        products -= sums[0].T @ sums[1]
        sizes = [size - (own**2).sum(axis=0) for size, own in zip(sizes, sums, strict=True)]
    for rows, size, whole in zip((ours, theirs), sizes, full, strict=True):
        left = size > _ROUNDING * whole
        require_varied(left, rows.kind, draw, "no direction", rows.start)
    return products / np.sqrt(np.outer(*sizes))


def _sums(
    both: list[_Rows], means: list[np.ndarray], times: np.ndarray, allowed: np.ndarray
) -> list[np.ndarray]:
    # L^-1 s, shape (stimuli that were drawn, RDMs), with A = L L'
    drawn = np.flatnonzero(times)
    there, root = allowed[np.ix_(drawn, drawn)], np.sqrt(times[drawn])
    degrees = there @ times[drawn]
    lower = cholesky(there * np.outer(root, root) + np.diag(2 + degrees), lower=True)
    found = []
    for rows, mean in zip(both, means, strict=True):
        sums = (rows.tables @ times)[:, drawn] - np.outer(mean, degrees)
        found.append(solve_triangular(lower, (sums * root).T, lower=True))
    return found
