"""Measures of features and Gram matrices of responses, for which no voxel is needed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from rulealign.claims.measure import NOT_APPLICABLE, Measure

if TYPE_CHECKING:
    import numpy as np

    from rulealign.encoding.roi_gram import RoiGram
    from rulealign.plan.settings.claims import MeasuredSettings


class GramMeasure(Measure, ABC):
    """A measure of features and Gram matrices of responses, for which no voxel is needed.

    Features lose their mean over stimuli, there is no choice of pairs or comparison, and no control
    is partialled out; of the mean RDM it takes the Gram matrix. A study is planned with its words
    alone: what computes is imported when it is needed.
    """

    fixed: ClassVar[Mapping[str, str]] = {
        "centring": NOT_APPLICABLE,
        "pairs": "all",
        "comparison": NOT_APPLICABLE,
        "control": "none",
    }

    @classmethod
    def mutual_rows(cls, generalise_to: str) -> int:
        """Count the rows that tell what stimuli do to a score in pairs, of a measure that fits.

        Args:
            generalise_to: stimuli, subjects or both; there are none for subjects alone.
        """
        from rulealign.rsa.bootstrap.mutual import PROBES
        from rulealign.rsa.bootstrap.primary import SUBJECTS

        return 2 * PROBES if cls.fits and generalise_to != SUBJECTS else 0

    @classmethod
    @abstractmethod
    def sampled(
        cls,
        features: np.ndarray,
        grams: np.ndarray,
        counts: np.ndarray,
        folds: RoiGram,
        settings: MeasuredSettings,
    ) -> np.ndarray:
        """Score features of one network in resamples of the stimuli.

        Args:
            features: float64, shape (n_stimuli, n_features).
            grams: float64, shape (n_brains, n_stimuli, n_stimuli).
            counts: integer, shape (samples, n_stimuli); how often each stimulus counts.
            folds: what the ROI's stimuli are split into.
            settings: of the universes.

        Returns:
            float64, shape (samples, n_brains); then `mutual_rows` more, by `mutual.probed`.

        Raises:
            MissingValue: the features tell nothing, such as constant ones.
        """

    @classmethod
    @abstractmethod
    def once(
        cls, features: np.ndarray, grams: np.ndarray, folds: RoiGram, settings: MeasuredSettings
    ) -> np.ndarray:
        """Score features against very many Gram matrices, every stimulus once.

        Args:
            features: as in `sampled`, like all that follow.
            grams: see there.
            folds: see there.
            settings: see there.

        Returns:
            float64, shape (n_brains,).
        """

    @classmethod
    @abstractmethod
    def of_subjects(cls, errors: np.ndarray, baseline: np.ndarray, cka: np.ndarray) -> np.ndarray:
        """Give the scores of single subjects that the encoding arm has kept.

        Args:
            errors: shape (n_rows, n_subjects, n_stimuli), as `encode.encode` keeps them.
            baseline: shape (n_subjects, n_stimuli), likewise.
            cka: shape (n_rows, n_subjects), likewise.

        Returns:
            float64, shape (n_rows, n_subjects).
        """
