"""One minus Pearson's correlation of averaged patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rulealign.rsa.distance import OfAverages

if TYPE_CHECKING:
    import numpy as np


class Correlation(OfAverages):
    """1 - Pearson's r over voxels: blind to the mean and the length of a pattern.

    Where the mean response of an ROI is what tells stimuli apart, it is lost; use `euclidean`.
    """

    name = "correlation"
    short = "1 - Pearson"
    gram = "correlation"

    @property
    def words(self) -> str:
        """Say what RDMs of it hold; see `Distance.words`."""
        from rulealign.rsa.rdm import CORRELATION

        return CORRELATION

    def rdm(self, patterns: np.ndarray, *, ids: Sequence[str]) -> np.ndarray:
        """Compute the distances; see `rdm.correlation_rdm`."""
        from rulealign.rsa.rdm import correlation_rdm

        return correlation_rdm(patterns, centred=False, ids=ids)
