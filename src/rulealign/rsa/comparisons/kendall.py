"""Kendall's tau-a of RDMs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rulealign.rsa.comparison import Comparison

if TYPE_CHECKING:
    import numpy as np


class KendallTauA(Comparison):
    """Of all couples of pairs, those that both RDMs order alike less those ordered oppositely.

    Couples tied in either count as neither, so that a model with ties does not gain by them, as it
    may by Spearman's rho; with ties it never reaches 1. Slow: not for hundreds of models of
    hundreds of stimuli.

    Source: Nili et al. 2014, PLoS Comput Biol 10:e1003553.
    """

    words = "Kendall's τ-a"

    @classmethod
    def each(cls, *rdms_and_counts: np.ndarray, **how: Any) -> np.ndarray:
        """Compare in every resample; see `Comparison.each`."""
        from rulealign.rsa.bootstrap.weighted_tau import bootstrap_tau

        return bootstrap_tau(*rdms_and_counts, **how)
