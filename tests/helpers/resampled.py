"""A resample of stimuli, written out pair by pair."""

import numpy as np
from scipy.spatial.distance import squareform


def written_out(rdm, count):
    """List a resample's dissimilarities: a stimulus drawn k times is there k times."""
    drawn = np.repeat(np.arange(len(count)), count)
    first, second = np.triu_indices(len(drawn), 1)
    different = drawn[first] != drawn[second]
    return squareform(rdm)[drawn[first], drawn[second]][different]
