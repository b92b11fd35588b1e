"""Maps of stimuli: classical scaling of the ranks of their dissimilarities (Torgerson 1952)."""

from __future__ import annotations

import numpy as np

from rulealign.rsa.ranking import ranks


def full(rdm: np.ndarray, count: int) -> np.ndarray:
    """Write a condensed RDM as a symmetric matrix with zeros on its diagonal.

    Args:
        rdm: shape (pairs,), in the order of `numpy.triu_indices(count, 1)`.
        count: of the stimuli.

    Returns:
        Shape (count, count), of the same dtype.
    """
    square = np.zeros((count, count), dtype=rdm.dtype)
    square[np.triu_indices(count, 1)] = rdm
    return square + square.T


def embedding(rdm: np.ndarray, count: int, name: str) -> np.ndarray:
    """Map stimuli onto a plane, so that distances are near the ranks of their dissimilarities.

    Two dimensions keep a part of an RDM only: no score rests on a map.

    Args:
        rdm: shape (pairs,), float.
        count: of the stimuli.
        name: what to call the RDM in an error.

    Returns:
        float64, shape (count, 2), centred; distances in shares of the highest rank. NaN where the
        RDM lacks pairs.

    Raises:
        DataError: the RDM is constant.
    """
    if np.isnan(rdm).any():
        return np.full((count, 2), np.nan)
    distances = full(ranks(rdm, [name])[0] / len(rdm), count)
    centring = np.eye(count) - 1 / count
    products = -0.5 * centring @ distances**2 @ centring
    values, vectors = np.linalg.eigh(products)
    return vectors[:, -2:][:, ::-1] * np.sqrt(np.maximum(values[-2:][::-1], 0))


def aligned(places: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Turn and mirror a map so that it lies on another one as well as it can (Procrustes).

    Args:
        places: shape (stimuli, 2), centred.
        target: the same of the other map.

    Returns:
        The map; its distances are what they were. As it was, where the other one is NaN.
    """
    if np.isnan(target).any() or np.isnan(places).any():
        return places
    left, _, right = np.linalg.svd(places.T @ target)
    return places @ (left @ right)
