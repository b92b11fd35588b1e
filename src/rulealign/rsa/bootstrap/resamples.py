"""The resamples of stimuli that all scores of a study share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts

if TYPE_CHECKING:
    import numpy as np

    from rulealign.plan.settings.scores import OverTimeSettings, ScoreSettings


def study_resamples(settings: ScoreSettings | OverTimeSettings, n_stimuli: int) -> np.ndarray:
    """Draw the resamples of a study: the same for every network, ROI and stimulus set.

    Args:
        settings: the study's seed, and how many draws.
        n_stimuli: how many stimuli there are.

    Returns:
        Integer, shape (draws, n_stimuli); how often each stimulus is drawn.

    Raises:
        DataError: as in `resample_counts`.
    """
    seed = bootstrap_seed(settings.study_seed, n_stimuli)
    return resample_counts(n_stimuli, settings.bootstrap_draws, seed)
