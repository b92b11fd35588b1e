"""Scores of layers over time, and the same in resamples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from rulealign.plan.settings.scores import OverTimeSettings
from rulealign.rsa.bootstrap.primary import STIMULI, SUBJECTS
from rulealign.rsa.bootstrap.resamples import study_resamples
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman
from rulealign.rsa.bootstrap.subjects import MIN_SUBJECTS, subject_counts, subject_seed, t_interval
from rulealign.rsa.compare import spearman_matrix
from rulealign.rsa.model_rdms import MODEL_KEYS, ModelRdms
from rulealign.rsa.timed_rdms import TimedRdms

LAYER_KEYS = [key for key in MODEL_KEYS if key != "seed"]
"""Columns that tell layers apart, in sorting order."""


@dataclass(frozen=True)
class Courses:
    """Scores of layers over time, means over seeds.

    Attributes:
        index: a row per layer, with the columns `LAYER_KEYS` and `n_seeds`.
        times: float64, shape (n_times,), in ms.
        scores: float64, shape (layers, n_subjects, n_times).
        drawn: float64, shape (draws, layers, n_times); means over subjects, in resamples of these
            or, where they are few, of stimuli.
        settings: of the study.
    """

    index: pd.DataFrame
    times: np.ndarray
    scores: np.ndarray
    drawn: np.ndarray
    settings: OverTimeSettings

    @classmethod
    def of(
        cls,
        models: ModelRdms,
        brain: TimedRdms,
        settings: OverTimeSettings,
        mask: np.ndarray | None,
    ) -> Courses:
        """Score models at each time, and in resamples.

        Args:
            models: of one arm, at one epoch.
            brain: of an ROI, over time; the same stimuli in the same order.
            settings: of resamples and intervals.
            mask: bool, shape (n_pairs,); the pairs that are compared. By default all.

        Returns:
            The courses of all layers.

        Raises:
            UnfitRdm: an RDM is constant or not finite.
        """
        groups = models.index.groupby(LAYER_KEYS, sort=True)
        index, place = groups.size().rename("n_seeds").reset_index(), groups.ngroup().to_numpy()
        # shape (layers, models): the mean over seeds
        seeds = (place == np.arange(len(index))[:, np.newaxis]) / index[["n_seeds"]].to_numpy()
        n_subjects, n_times, n_pairs = brain.rdms.shape
        flat = brain.rdms.reshape(-1, n_pairs)
        names = {"model_names": models.names, "brain_names": brain.names}
        rho = seeds @ spearman_matrix(models.rdms, flat, mask=mask, **names)
        scores = rho.reshape(-1, n_subjects, n_times)
        if n_subjects >= MIN_SUBJECTS:
            drawn = _over_subjects(scores, settings)
        else:
            mean = np.tile(np.eye(n_times), (n_subjects, 1)) / n_subjects
            counts = study_resamples(settings, len(models.ids))
            each = bootstrap_spearman(models.rdms, flat, counts, combine=mean, mask=mask)
            drawn = np.einsum("lm,dmt->dlt", seeds, each)
        return cls(index, brain.times, scores, drawn, settings)

    @property
    def over_subjects(self) -> bool:
        """Say whether intervals are over subjects."""
        return self.scores.shape[1] >= MIN_SUBJECTS

    @property
    def generalises_to(self) -> str:
        """Say what intervals are over."""
        return SUBJECTS if self.over_subjects else STIMULI

    def peaks(self, scores: np.ndarray) -> np.ndarray:
        """Find when scores are highest.

        Args:
            scores: shape (..., n_times).

        Returns:
            float64, shape (...), in ms; the first time, of several with the same score.
        """
        return self.times[scores.argmax(axis=-1)]

    def t_interval(self, by_subject: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give means over subjects the interval that generalises to other subjects.

        Args:
            by_subject: shape (n_subjects, ...).

        Returns:
            Lower and upper end, each of the shape of one subject's values.
        """
        n, coverage = len(by_subject), self.settings.interval
        variance = by_subject.var(axis=0, ddof=1) / n
        found = t_interval(by_subject.mean(axis=0), variance, n - 1, coverage)
        return found.low, found.high


def _over_subjects(scores: np.ndarray, settings: OverTimeSettings) -> np.ndarray:
    n = scores.shape[1]
    counts = subject_counts(n, settings.bootstrap_draws, subject_seed(settings.study_seed, n))
    return np.einsum("ds,lst->dlt", counts / n, scores)
