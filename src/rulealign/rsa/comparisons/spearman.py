"""Spearman's rho of RDMs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulealign.rsa.comparison import Comparison

if TYPE_CHECKING:
    import numpy as np


class Spearman(Comparison):
    """The correlation of ranks: supposes that dissimilarities have an order, and no scale.

    Ties share their average rank, by which a model of few different values may gain: there,
    Kendall's tau-a is fairer.
    """

    words = "Spearman's ρ"
    partial = True

    @classmethod
    def each(cls, *rdms_and_counts: np.ndarray, **how: Any) -> np.ndarray:
        """Compare in every resample, ranking anew; see `Comparison.each`."""
        return cls.sampled(*rdms_and_counts, **how)

    @classmethod
    def sampled(cls, *rdms_and_counts: np.ndarray, **how: Any) -> np.ndarray:
        """Score in every resample, in bounded memory; see `Comparison.sampled`."""
        from rulealign.rsa.bootstrap.spearman import bootstrap_spearman

        return bootstrap_spearman(*rdms_and_counts, **how)
