"""CKA: how alike the geometries of features and responses are, without any fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.claims.gram_measure import GramMeasure

if TYPE_CHECKING:
    import numpy as np

    from rulealign.encoding.roi_gram import RoiGram
    from rulealign.plan.settings.claims import MeasuredSettings


class Cka(GramMeasure):
    """Debiased linear CKA (`encoding.similarity`), which is 0 for unrelated geometries.

    The biased one is near 1 wherever features are more than stimuli.
    """

    words, label = "by CKA", "CKA"

    @classmethod
    def sampled(
        cls,
        features: np.ndarray,
        grams: np.ndarray,
        counts: np.ndarray,
        folds: RoiGram,
        settings: MeasuredSettings,
    ) -> np.ndarray:
        """See `GramMeasure.sampled`; it knows no folds."""
        from rulealign.encoding.similarity import debiased_cka

        # the mean adds nothing, but gradients that are nearly alike drown in it
        centred = features - features.mean(axis=0)
        return debiased_cka((centred @ centred.T)[None], grams, counts)[:, 0]

    @classmethod
    def once(
        cls, features: np.ndarray, grams: np.ndarray, folds: RoiGram, settings: MeasuredSettings
    ) -> np.ndarray:
        """See `GramMeasure.once`."""
        import numpy as np

        every = np.ones((1, len(features)), dtype=np.int64)
        return cls.sampled(features, grams, every, folds, settings)[0]

    @classmethod
    def of_subjects(cls, errors: np.ndarray, baseline: np.ndarray, cka: np.ndarray) -> np.ndarray:
        """See `GramMeasure.of_subjects`."""
        return cka
