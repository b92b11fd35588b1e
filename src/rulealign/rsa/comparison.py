"""What every comparison of RDMs is, whichever way it compares."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import isqrt
from typing import TYPE_CHECKING, Any, ClassVar

from rulealign.errors import DataError

if TYPE_CHECKING:
    import numpy as np


class Comparison(ABC):
    """One way of comparing model RDMs with brain RDMs.

    A study is planned with its words alone: what computes is imported when it is needed.

    Attributes:
        words: its name in a sentence.
        partial: whether controls can be partialled out of it.
        instead: the comparison that claims use in its place; "" where it is evidence for a claim.
    """

    words: ClassVar[str]
    partial: ClassVar[bool] = False
    instead: ClassVar[str] = ""

    @classmethod
    @abstractmethod
    def each(
        cls,
        models: np.ndarray,
        brains: np.ndarray,
        counts: np.ndarray,
        *,
        mask: np.ndarray | None = None,
        threads: int = 1,
    ) -> np.ndarray:
        """Compare every model RDM with every brain RDM in every resample of the stimuli.

        The same numbers as writing a resample out, leaving out pairs of a stimulus with itself.

        Args:
            models: as in `sampled`, like all that follow.
            brains: see there.
            counts: see there.
            mask: see there.
            threads: see there.

        Returns:
            float64, shape (draws, n_models, n_brains); from -1 to 1.
        """

    @classmethod
    def sampled(
        cls,
        models: np.ndarray,
        brains: np.ndarray,
        counts: np.ndarray,
        *,
        combine: np.ndarray | None = None,
        work_mb: float = 0.0,
        **how: Any,
    ) -> np.ndarray:
        """Score every model RDM in every resample of the stimuli.

        Args:
            models: shape (n_models, n_pairs); condensed RDMs.
            brains: shape (n_brains, n_pairs); of the same stimuli in the same order.
            counts: integer, shape (draws, n_stimuli); from `spearman.resample_counts`.
            combine: float64, shape (n_brains, n_scores); what is kept of each draw is
                `rho @ combine`, such as means over subjects. By default every comparison.
            work_mb: megabytes that Spearman works in; the others take what they need.
            **how: `mask`, bool, shape (n_pairs,), the pairs that are there to be drawn (by default
                all); `threads`, resamples that are worked on at a time, which changes nothing.

        Returns:
            float64, shape (draws, n_models, n_scores).

        Raises:
            DataError: numbers of pairs and stimuli do not fit, an RDM is not finite, or it is
                constant, be it over the pairs of one resample; names it.
        """
        return combined(cls.each(models, brains, counts, **how), combine)

    @classmethod
    def scores(
        cls, models: np.ndarray, brains: np.ndarray, mask: np.ndarray | None = None
    ) -> np.ndarray:
        """Compare every model RDM with every brain RDM: with every stimulus drawn once.

        Args:
            models: as in `sampled`, like all that follow.
            brains: see there.
            mask: see there.

        Returns:
            float64, shape (n_models, n_brains).

        Raises:
            DataError: as in `sampled`, or no number of stimuli has so many pairs.
        """
        import numpy as np

        once = np.ones((1, stimuli_of(np.shape(models)[-1])), dtype=np.int64)
        return cls.each(models, brains, once, mask=mask)[0]


def combined(rho: np.ndarray, combine: np.ndarray | None) -> np.ndarray:
    """Sum comparisons with brains to scores.

    Args:
        rho: float64, shape (draws, n_models, n_brains).
        combine: float64, shape (n_brains, n_scores), such as `convention_weights`; None: every
            comparison is a score.

    Returns:
        float64, shape (draws, n_models, n_scores): `rho @ combine`, summed in the brains' order,
        as the rounding of a matrix product depends on the number of models.
    """
    if combine is None:
        return rho
    scores = rho[:, :, :1] * combine[0]
    for brain in range(1, len(combine)):
        scores += rho[:, :, brain, None] * combine[brain]
    return scores


def stimuli_of(n_pairs: int) -> int:
    """Tell how many stimuli have this number of pairs.

    Args:
        n_pairs: length of a condensed RDM.

    Returns:
        The number of stimuli.

    Raises:
        DataError: no number of stimuli has.
    """
    n_stimuli = (1 + isqrt(1 + 8 * n_pairs)) // 2
    if n_stimuli * (n_stimuli - 1) // 2 != n_pairs:
        raise DataError(
            f"no number of stimuli has {n_pairs} pairs. Give whole RDMs, and a mask for some pairs."
        )
    return n_stimuli
