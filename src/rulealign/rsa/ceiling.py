"""The bounds of a noise ceiling, and their null."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from rulealign.errors import DataError
from rulealign.reasons import MissingValue
from rulealign.rsa.compare import masked
from rulealign.rsa.ranking import ranks, standardise
from rulealign.rsa.unfit import UnfitRdm


class Bounds(NamedTuple):
    """What the true model would score, from how far subjects agree; Spearman's rho.

    Attributes:
        lower: of each subject with the ranks of the others, averaged.
        upper: of each subject with the ranks of all; no model without ties scores higher where the
            subjects' RDMs have none.
        upper_any_model: Pearson's r of each subject's ranks with the mean of all subjects'
            standardised ranks, which is not ranked again; no model scores higher, be it of
            categories and full of ties.
    """

    lower: float
    upper: float
    upper_any_model: float


def nili_bounds(subjects: np.ndarray, mask: np.ndarray | None = None) -> Bounds:
    """Bound the score of any model, from how far subjects agree.

    RDMs are rank-transformed before they are averaged, so that no subject counts more than another
    and the upper bounds are the largest scores there can be. For scores of the convention
    `per_subject` only. With few subjects the upper bounds are high even where they agree by chance:
    see `null_bounds`.

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.
        mask: bool, shape (n_pairs,); the pairs that scores rest on. By default all.

    Returns:
        The bounds.

    Raises:
        DataError: there are fewer than 2 subjects, or an RDM, the mean of all or that of all but
            one is constant or not finite; names it.

    Source: Nili et al. 2014, PLoS Comput Biol 10:e1003553, with ranks averaged as their text has
    it; rsatoolbox gives the same lower and upper bound.
    """
    _require_two(len(subjects))
    ranked = ranks(masked(subjects, mask), kind="brain")
    own = standardise(ranked)
    # the mean over subjects of r with their mean is the length of that mean
    any_model = float(np.linalg.norm(own.mean(axis=0)))
    return Bounds(*_against_means(own, ranked), any_model)


def raw_bounds(
    subjects: np.ndarray, mask: np.ndarray | None = None, *, scaled: bool
) -> tuple[float, float]:
    """Bound scores by means of the dissimilarities themselves, as published for the 92 images.

    A model can beat this upper bound: the mean of dissimilarities is not the best ranking. Shown
    beside `nili_bounds` for comparison with earlier work only.

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.
        mask: as in `nili_bounds`.
        scaled: divide each RDM by its root mean square first. Needed of distances without a common
            scale (Euclidean, crossnobis), where the noisiest subject would rule the mean.

    Returns:
        Lower and upper bound.

    Raises:
        DataError: as in `nili_bounds`.
    """
    _require_two(len(subjects))
    compared = masked(subjects, mask)
    own = standardise(ranks(compared, kind="brain"))
    if scaled:
        compared = compared / np.sqrt((compared**2).mean(axis=1, keepdims=True))
    return _against_means(own, compared)


def _require_two(n_subjects: int) -> None:
    if n_subjects < 2:
        raise DataError(
            f"a noise ceiling needs at least 2 subjects, there is {n_subjects}: it measures how far"
            " they agree."
        )


def _against_means(own: np.ndarray, pooled: np.ndarray) -> tuple[float, float]:
    # own: standardised ranks; pooled: what is averaged over all but each, and over all. Sums in
    # place of means: those of ranks are exact, so that equal ones stay equal
    n = len(pooled)
    sums = np.stack([*(np.delete(pooled, s, axis=0).sum(axis=0) for s in range(n)), pooled.sum(0)])
    names = [f"the mean of all subjects but number {place + 1}" for place in range(n)]
    means = standardise(ranks(sums, [*names, "the mean over subjects"]))
    return float(np.einsum("sp,sp->s", own, means[:-1]).mean()), float((own @ means[-1]).mean())


def null_bounds(
    subjects: np.ndarray, draws: int, seed: int, mask: np.ndarray | None = None
) -> np.ndarray:
    """Draw the bounds under the null that subjects share nothing but their distributions.

    The stimulus labels are shuffled, independently per subject: rows and columns together, so
    that the dependence among a stimulus' pairs stays. The null of the lower bound lies around 0;
    that of the upper bound does not, as every subject is part of the mean (.25 at 15 subjects).
    A mask stays where it is: labels are shuffled over all stimuli, then its places are compared.
    Shuffles do not keep runs together, so that the null over pairs in different runs is too narrow
    where subjects share an order and run noise is strong: of lower bounds simulated without any
    agreement, 12% (two of three subjects share the order) or 23% (all of four do) lay above its
    97.5th percentile with run noise as strong as trial noise, 4% or 7% with a third of that.

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.
        draws: number of permutations.
        seed: of the permutations.
        mask: bool, shape (n_pairs,); the pairs that scores rest on. By default all.

    Returns:
        float64, shape (draws, 2); `lower` and `upper` of each draw.

    Raises:
        DataError: there are fewer than 2 subjects, an RDM is constant or not finite, or a shuffle
            leaves an RDM or a mean constant over the pairs compared, as happens where these are few
            or dissimilarities coarse.
        MissingValue: a subject's RDM lacks pairs (NaN).
    """
    _require_two(len(subjects))
    if np.isnan(subjects).any():
        raise MissingValue(
            "there is no null of the noise ceiling: pairs are missing, and shuffled stimuli would"
            " bring them among those compared"
        )
    generator = np.random.default_rng(seed)
    # ranks of a permuted RDM are the permuted ranks, and only means need ranking anew; but not
    # under a mask, where each shuffle brings other dissimilarities to the places compared
    values = _Shuffled(subjects if mask is not None else ranks(subjects), mask)
    null = np.empty((draws, 2))
    for draw in range(draws):
        drawn = values.draw(generator)
        try:
            own = drawn if mask is None else ranks(drawn, kind="brain")
            null[draw] = _against_means(standardise(own), own)
        except UnfitRdm as unfit:
            raise MissingValue(
                f"there is no null of the noise ceiling: in shuffle {draw} {unfit.reason}. It needs"
                " more stimuli, or finer dissimilarities"
            ) from None
    return null


class _Shuffled:
    """Condensed RDMs whose stimuli can be permuted, each RDM's by its own permutation."""

    def __init__(self, rdms: np.ndarray, mask: np.ndarray | None) -> None:
        from scipy.spatial.distance import squareform  # slow to import

        self._squares = np.stack([squareform(rdm, checks=False) for rdm in rdms])
        self._n = self._squares.shape[1]
        self._first, self._second = masked(np.stack(np.triu_indices(self._n, 1)), mask)

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        order = np.tile(np.arange(self._n), (len(self._squares), 1))
        order = generator.permuted(order, axis=1)
        places = order[:, self._first] * self._n + order[:, self._second]
        flat = self._squares.reshape(len(self._squares), -1)
        return np.take_along_axis(flat, places, axis=1)
