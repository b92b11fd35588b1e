"""Whitened cosine and correlation of RDMs, which allow for the dependence between pairs.

Two pairs that share a stimulus share its noise. For squared distances (crossnobis, Mahalanobis;
1 - Pearson is half the squared distance of standardised patterns) of stimuli that do not differ,
the covariance of all pairs is proportional to V, the elementwise square of C S C^T: C has a row
with 1 and -1 for each pair, S is the covariance of the stimuli's patterns over voxels (Diedrichsen
et al. 2021, arXiv:2007.02789). A whitened cosine is a' V^-1 b / sqrt(a' V^-1 a  b' V^-1 b).

V has a row per pair: 67 billion numbers at 720 stimuli. It is never made.
- S = 1: V = 2 + T T', where T (pairs x stimuli) tells which stimuli a pair is of. Its inverse root
  needs only the eigenvectors of T' T, one row per stimulus; some pairs are some rows of T.
  Over all pairs this is the cosine of the double-centred RDMs (linear CKA).
- any S: with contrasts B and G = B D B' of the square RDM D, a' V^-1 b is the trace of
  Ga (B S B')^-1 Gb (B S B')^-1, but for a constant factor.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isqrt

import numpy as np
from scipy.linalg import LinAlgError, cholesky, eigh, helmert, solve_triangular
from scipy.spatial.distance import squareform

from rulealign.errors import DataError
from rulealign.rsa.compare import masked
from rulealign.rsa.similarity import centred_rows, compare_rows, unit_rows

# Below this fraction of the largest, a pivot of a covariance's root is rounding.
_LEAST_PIVOT = 1e-7

_Whiten = Callable[[np.ndarray], np.ndarray]


def whitened_cosine_matrix(
    models: np.ndarray,
    brains: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    covariance: np.ndarray | None = None,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Take the whitened cosine of every model RDM with every brain RDM.

    For cross-validated distances, whose 0 is true: elsewhere use `whitened_pearson_matrix`.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); condensed RDMs of the same stimuli in the same order.
        mask: bool, shape (n_pairs,); which pairs are compared: their rows and columns of V are
            inverted. By default all.
        covariance: float64, shape (n_stimuli, n_stimuli); of the noise of the stimuli's patterns,
            S above, up to a factor. By default the same for all, and independent.
        model_names: what to call each model RDM in an error.
        brain_names: what to call each brain RDM in an error.

    Returns:
        float64, shape (n_models, n_brains); from -1 to 1.

    Raises:
        DataError: the numbers of pairs differ, are fewer than 3 or those of no whole number of
            stimuli; an RDM is zero or not finite; the covariance does not fit, is not positive
            definite, or comes with a mask.
    """
    whiten = _whitener(np.atleast_2d(models).shape[1], mask, covariance)

    def prepare(rdms: np.ndarray, names: Sequence[str]) -> np.ndarray:
        return unit_rows(whiten(rdms), rdms, names, "is zero for all pairs compared")

    return compare_rows(prepare, models, brains, mask, model_names, brain_names)


def whitened_pearson_matrix(
    models: np.ndarray,
    brains: np.ndarray,
    *,
    mask: np.ndarray | None = None,
    covariance: np.ndarray | None = None,
    model_names: Sequence[str] | None = None,
    brain_names: Sequence[str] | None = None,
) -> np.ndarray:
    """Take the whitened correlation of every model RDM with every brain RDM.

    The whitened cosine of RDMs less their means over the pairs compared. These are plain means,
    as in rsatoolbox; over all pairs and without `covariance` they are the weighted means too.

    Args:
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); condensed RDMs of the same stimuli in the same order.
        mask: as in `whitened_cosine_matrix`.
        covariance: as in `whitened_cosine_matrix`.
        model_names: what to call each model RDM in an error.
        brain_names: what to call each brain RDM in an error.

    Returns:
        float64, shape (n_models, n_brains); from -1 to 1.

    Raises:
        DataError: as in `whitened_cosine_matrix`, or an RDM is constant over the pairs compared.
    """
    whiten = _whitener(np.atleast_2d(models).shape[1], mask, covariance)

    def prepare(rdms: np.ndarray, names: Sequence[str]) -> np.ndarray:
        fault = "is constant over the pairs compared"
        centred = unit_rows(centred_rows(rdms), rdms, names, fault)
        return unit_rows(whiten(centred), centred, names, fault)

    return compare_rows(prepare, models, brains, mask, model_names, brain_names)


def _whitener(n_pairs: int, mask: np.ndarray | None, covariance: np.ndarray | None) -> _Whiten:
    n_stimuli = stimuli_of(n_pairs)
    if covariance is None:
        return _whiten_equal(n_stimuli, mask)
    if mask is not None:
        raise DataError(
            "whitening by a covariance of the stimuli's patterns needs all pairs, as V over some of"
            " them has no inverse of the size of the stimuli. Leave out the mask or the covariance."
        )
    return _whiten_by(np.asarray(covariance, dtype=np.float64), n_stimuli)


def stimuli_of(n_pairs: int) -> int:
    """Tell how many stimuli have this number of pairs.

    Args:
        n_pairs: length of a condensed RDM.

    Returns:
        The number of stimuli.

    Raises:
        DataError: no number of stimuli has.
    """
    n_stimuli = (1 + isqrt(1 + 8 * n_pairs)) // 2
    if n_stimuli * (n_stimuli - 1) // 2 != n_pairs:
        raise DataError(
            f"no number of stimuli has {n_pairs} pairs. Give whole RDMs, and a mask for some pairs."
        )
    return n_stimuli


def _whiten_equal(n_stimuli: int, mask: np.ndarray | None) -> _Whiten:
    # sqrt(2) V^-1/2 = 1 - T U diag((1 - 1/r) / s) U' T', with T'T = U diag(s) U', r = sqrt(1 + s/2)
    first, second = masked(np.stack(np.triu_indices(n_stimuli, 1)), mask)
    together = np.zeros((n_stimuli, n_stimuli))
    together[first, second] = together[second, first] = 1
    np.fill_diagonal(together, together.sum(axis=0))
    sizes, vectors = eigh(together)
    roots = np.sqrt(1 + np.maximum(sizes, 0) / 2)
    # (1 - 1/r) / s, written so that a size of 0 (a stimulus without pairs) divides nothing by 0
    mixing = (vectors / (2 * roots * (roots + 1))) @ vectors.T

    def whiten(rdms: np.ndarray) -> np.ndarray:
        whitened = np.empty_like(rdms)
        for row, rdm in enumerate(rdms):
            sums = np.bincount(first, rdm, n_stimuli) + np.bincount(second, rdm, n_stimuli)
            shared = mixing @ sums
            whitened[row] = rdm - shared[first] - shared[second]
        return whitened

    return whiten


def _whiten_by(covariance: np.ndarray, n_stimuli: int) -> _Whiten:
    if covariance.shape != (n_stimuli, n_stimuli) or not np.allclose(covariance, covariance.T):
        raise DataError(
            f"a covariance of shape {covariance.shape} is not symmetric and of {n_stimuli} stimuli."
        )
    contrasts = helmert(n_stimuli)
    try:
        root = cholesky(contrasts @ covariance @ contrasts.T, lower=True)
    except LinAlgError:
        root = np.zeros((1, 1))
    pivots = np.diag(root)
    if pivots.min() <= _LEAST_PIVOT * pivots.max():
        raise DataError(
            "the covariance of the stimuli's patterns is not positive definite, so V has no"
            " inverse: it was estimated from too few residuals; shrink it, or leave it out."
        )
    basis = solve_triangular(root, contrasts, lower=True)
    basis /= np.linalg.norm(basis)  # a factor means nothing, and may be 1e-14 or 1e14

    def whiten(rdms: np.ndarray) -> np.ndarray:
        return np.stack([(basis @ squareform(rdm, checks=False) @ basis.T).ravel() for rdm in rdms])

    return whiten
