"""A resample of stimuli, written out pair by pair."""

import numpy as np
from scipy.spatial.distance import squareform


def written_out(rdm, count, mask=None):
    """List a resample's dissimilarities: a stimulus drawn k times is there k times.

    Args:
        rdm: shape (n_pairs,).
        count: int, shape (n_stimuli,); how often each was drawn.
        mask: bool, shape (n_pairs,); the pairs that count. All by default.
    """
    drawn = np.repeat(np.arange(len(count)), count)
    first, second = drawn[np.array(np.triu_indices(len(drawn), 1))]
    kept = first != second
    if mask is not None:
        kept &= squareform(mask.astype(float))[first, second] > 0
    return squareform(rdm)[first, second][kept]
