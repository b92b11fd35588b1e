"""Encoding: how much of the responses ridge regression predicts of held-out stimuli."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.claims.gram_measure import GramMeasure

if TYPE_CHECKING:
    import numpy as np

    from rulealign.encoding.ridge import Grid
    from rulealign.encoding.roi_gram import RoiGram
    from rulealign.plan.settings.claims import MeasuredSettings


class Encoding(GramMeasure):
    """Cross-validated R^2 of all voxels together (`encoding.ridge`), by folds of the encoding arm.

    Folds and fits are made once, on the distinct stimuli: resamples weight held-out errors, so that
    no copy of a stimulus is on both sides of a fold, and intervals are conditional on the fits;
    what stimuli of different folds do to each other's errors is added.
    """

    words, label = "by encoding", "encoding"
    fits = True

    @classmethod
    def sampled(
        cls,
        features: np.ndarray,
        grams: np.ndarray,
        counts: np.ndarray,
        folds: RoiGram,
        settings: MeasuredSettings,
    ) -> np.ndarray:
        """See `GramMeasure.sampled`."""
        import numpy as np

        from rulealign.encoding.folds import folds_seed
        from rulealign.encoding.ridge import held_out
        from rulealign.rsa.bootstrap.mutual import probed, probes

        seed, apart = folds_seed(settings.study_seed, len(features)), folds.folds[0]
        told = [features], grams, apart, folds.groups[0], _grid(settings), seed
        if not cls.mutual_rows(settings.generalise_to):
            return held_out(*told).r2(counts)
        found = held_out(*told, pulls=True)
        signs = probes(settings.study_seed, len(features))
        return np.concatenate([found.r2(counts), probed(found.influence, apart, signs)])

    @classmethod
    def once(
        cls, features: np.ndarray, grams: np.ndarray, folds: RoiGram, settings: MeasuredSettings
    ) -> np.ndarray:
        """See `GramMeasure.once`."""
        from rulealign.encoding.error_forms import many_r2
        from rulealign.encoding.folds import folds_seed

        seed = folds_seed(settings.study_seed, len(features))
        return many_r2(features, grams, folds.folds[0], folds.groups[0], _grid(settings), seed)

    @classmethod
    def of_subjects(cls, errors: np.ndarray, baseline: np.ndarray, cka: np.ndarray) -> np.ndarray:
        """See `GramMeasure.of_subjects`."""
        return 1 - errors.sum(axis=2) / baseline.sum(axis=1)


def _grid(settings: MeasuredSettings) -> Grid:
    from rulealign.encoding.ridge import Grid

    return Grid(settings.penalties, settings.inner_folds)
