"""Similarity of representations from their Gram matrices: debiased linear CKA, and Procrustes.

Neither fits weights or holds stimuli out: they say how alike two geometries are as they stand.
"""

from __future__ import annotations

import numpy as np

from rulealign.encoding.gram import centred
from rulealign.errors import DataError

_LEAST_STIMULI = 4


def debiased_cka(
    models: np.ndarray, brains: np.ndarray, counts: np.ndarray | None = None
) -> np.ndarray:
    """Compare Gram matrices by debiased linear CKA.

    Only pairs of different stimuli count: what each stimulus adds to all of its pairs is taken
    away (least squares), and what is left of both matrices is held together by its cosine. With
    every stimulus once this is the CKA of the unbiased HSIC; biased CKA is near 1 where features
    are more than stimuli. A resample is the same with its copies written out, pairs of a stimulus
    with itself left out.

    Args:
        models: shape (n_models, n_stimuli, n_stimuli).
        brains: shape (n_brains, n_stimuli, n_stimuli); of the same stimuli in the same order.
        counts: integer, shape (draws, n_stimuli); by default every stimulus once.

    Returns:
        float64, shape (draws, n_models, n_brains), or (n_models, n_brains) without counts; around
        0 for unrelated representations, 1 for equal ones.

    Raises:
        DataError: there are fewer than 4 stimuli, also in a draw, or a representation has no
            variance between stimuli.

    Source: Kornblith et al. 2019, ICML; Song et al. 2012, JMLR 13:1393 (equation 5).
    """
    n = models.shape[-1]
    weights = np.ones((1, n)) if counts is None else np.asarray(counts, dtype=np.float64)
    if ((weights > 0).sum(axis=1) < _LEAST_STIMULI).any():
        raise DataError(f"debiased CKA needs {_LEAST_STIMULI} different stimuli or more.")
    off = 1 - np.eye(n)
    models, brains = models * off, brains * off
    of_models, of_brains = (_length(each, weights) for each in (models, brains))
    fitted = [_effects(model, weights) for model in models]
    cka = np.stack(
        [
            np.stack([_product(model, brain, weights, own) for brain in brains], axis=1)
            for model, own in zip(models, fitted, strict=True)
        ],
        axis=1,
    )
    cka /= of_models[:, :, None] * of_brains[:, None, :]
    return cka[0] if counts is None else cka


def _effects(gram: np.ndarray, weights: np.ndarray) -> np.ndarray:
    # a of the least squares fit gram_ij = a_i + a_j over pairs that count c_i c_j times:
    # (N - 2 c_i) a_i + s = k_i, where k_i = sum_j c_j gram_ij, s = sum_j c_j a_j
    sums, left = weights @ gram, weights.sum(axis=1, keepdims=True) - 2 * weights
    even = np.where(left == 0, 1, left)
    shares = weights / even
    common = (shares * sums).sum(axis=1, keepdims=True) / (1 + shares.sum(axis=1, keepdims=True))
    effects = (sums - common) / even
    for draw in np.flatnonzero((left == 0).any(axis=1)):  # a stimulus that is half of a resample
        system = np.diag(left[draw]) + weights[draw]
        effects[draw] = np.linalg.solve(system, sums[draw])
    return effects


def _product(
    one: np.ndarray, other: np.ndarray, weights: np.ndarray, effects: np.ndarray
) -> np.ndarray:
    # of what is left of both over all pairs, per draw; diagonals are 0
    whole = ((weights @ (one * other)) * weights).sum(axis=1)
    return whole - 2 * (weights * effects * (weights @ other)).sum(axis=1)


def _length(grams: np.ndarray, weights: np.ndarray) -> np.ndarray:
    # of what is left of each, shape (draws, n_grams)
    squares = [_product(gram, gram, weights, _effects(gram, weights)) for gram in grams]
    whole = [((weights @ gram**2) * weights).sum(axis=1) for gram in grams]
    for square, size in zip(squares, whole, strict=True):
        if (square <= 1e-12 * size).any():
            raise DataError("a representation has no variance between stimuli; it has no CKA.")
    return np.sqrt(np.stack(squares, axis=1))


def procrustes_distance(models: np.ndarray, brains: np.ndarray) -> np.ndarray:
    """Measure how far representations are apart after the best rotation of one to the other.

    Both are centred over stimuli and scaled to length 1 (Frobenius). Not debiased: with more
    features than stimuli, even unrelated representations are nearer than sqrt(2); compare models
    of the same stimuli with each other, and read no level.

    Args:
        models: shape (n_models, n_stimuli, n_stimuli); Gram matrices.
        brains: shape (n_brains, n_stimuli, n_stimuli); of the same stimuli in the same order.

    Returns:
        float64, shape (n_models, n_brains); from 0 to sqrt(2).

    Raises:
        DataError: a representation has no variance between stimuli.

    Source: Williams et al. 2021, NeurIPS (generalized shape metrics).
    """
    roots = [[_unit_root(gram) for gram in grams] for grams in (models, brains)]
    overlap = [[np.linalg.norm(a.T @ b, "nuc") for b in roots[1]] for a in roots[0]]
    return np.sqrt(np.maximum(2 - 2 * np.array(overlap), 0))


def _unit_root(gram: np.ndarray) -> np.ndarray:
    # patterns with this Gram matrix, centred, of length 1
    values, vectors = np.linalg.eigh(centred(gram))
    values = np.maximum(values, 0)
    if values.sum() <= 1e-12 * np.abs(gram).max():
        raise DataError("a representation has no variance between stimuli; it has no shape.")
    return vectors * np.sqrt(values / values.sum())
