"""Whether layers, or ROIs, are in an order: rank correlations, and a null that permutes layers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import permutations
from math import factorial

import numpy as np

from rulealign.provenance import derive_seed

LEAST_PLACES = 4
"""With fewer different places, a rank correlation with them is hardly a number."""

_MOST_PERMUTATIONS = 5000
_DECIMALS = 9  # equal but for rounding are equal ranks


def rank_correlations(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Correlate values with places by Spearman's rho, ties by average ranks.

    Args:
        places: shape (n,); such as depths of layers.
        values: shape (n, n_subjects); of every subject at these places.

    Returns:
        float64, shape (n_subjects,); 0 for a subject who has the same value everywhere and so no
        order.
    """
    from scipy.stats import rankdata  # slow to import

    centre = (len(places) + 1) / 2
    place = rankdata(np.round(places, _DECIMALS)) - centre
    ranked = rankdata(np.round(values, _DECIMALS), axis=0).T - centre
    length = np.linalg.norm(ranked, axis=1) * np.linalg.norm(place)
    return np.divide(ranked @ place, length, out=np.zeros(len(ranked)), where=length > 0)


def layer_orders(n_layers: int, study_seed: int) -> Iterator[Sequence[int]]:
    """List orders of layers for a null: all, or so many at random, the given one among them.

    Args:
        n_layers: how many layers there are.
        study_seed: of the study.

    Yields:
        Places of the layers, in each order.
    """
    if factorial(n_layers) <= _MOST_PERMUTATIONS:
        yield from permutations(range(n_layers))
        return
    rng = np.random.default_rng(derive_seed(study_seed, "order of layers", n_layers))
    yield list(range(n_layers))
    for _ in range(_MOST_PERMUTATIONS - 1):
        yield rng.permutation(n_layers)
