"""The squared Euclidean distance of averaged patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rulealign.rsa.distance import OfAverages

if TYPE_CHECKING:
    import numpy as np


class Euclidean(OfAverages):
    """The squared Euclidean distance per voxel.

    Noise makes every distance larger, and more so for stimuli with fewer trials: where these
    differ, use `crossnobis`.
    """

    name = "euclidean"
    short = "squared, per voxel"
    gram = "squared-euclidean"

    @property
    def words(self) -> str:
        """Say what RDMs of it hold; see `Distance.words`."""
        return "squared Euclidean per voxel"

    def rdm(self, patterns: np.ndarray, *, ids: Sequence[str]) -> np.ndarray:
        """Compute the distances; see `pattern_distances.euclidean_rdm`."""
        from rulealign.rsa.pattern_distances import euclidean_rdm

        return euclidean_rdm(patterns, ids=ids)
