"""Comparisons of two RDMs as they are defined, pair by pair."""

import functools

import numpy as np
from scipy.stats import pearsonr, spearmanr


def tau_a(one, other):
    """Hold every couple of pairs side by side: ordered alike, less ordered oppositely, over all."""
    upper = np.triu_indices(len(one), 1)
    signs = [np.sign(rdm[:, None] - rdm)[upper] for rdm in (one, other)]
    return (signs[0] * signs[1]).sum() / len(upper[0])


def cosine(one, other, weights=None):
    """Give the cosine of the angle between two lists, under a matrix of weights."""
    weights = np.eye(len(one)) if weights is None else weights
    return one @ weights @ other / np.sqrt((one @ weights @ one) * (other @ weights @ other))


def unshared(first, second):
    """Invert V, the covariance of pairs whose stimuli have equal, independent noise, made whole."""
    return _inverse(tuple(first), tuple(second))


@functools.lru_cache(maxsize=4)  # many RDMs are compared over the same pairs
def _inverse(*places):
    first, second = np.array(places)
    contrasts = np.zeros((len(first), 1 + max(first.max(), second.max())))
    contrasts[np.arange(len(first)), first] = 1
    contrasts[np.arange(len(first)), second] = -1
    return np.linalg.inv((contrasts @ contrasts.T) ** 2)


PLAIN = {
    "spearman": lambda one, other, *_: spearmanr(one, other).statistic,
    "kendall_tau_a": lambda one, other, *_: tau_a(one, other),
    "pearson": lambda one, other, *_: pearsonr(one, other).statistic,
    "cosine": lambda one, other, *_: cosine(one, other),
    "whitened_cosine": lambda one, other, *places: cosine(one, other, unshared(*places)),
    "whitened_pearson": lambda one, other, *places: cosine(
        one - one.mean(), other - other.mean(), unshared(*places)
    ),
}
"""Name -> function of two lists of dissimilarities, and of both stimuli of every pair in them."""
