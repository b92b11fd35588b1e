"""From an ROI's responses to its RDM by the distance that a study asks for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.responses.patterns import RepeatedPatterns, repeated_patterns, select_patterns
from rulealign.errors import ConfigurationError, DataError
from rulealign.rsa.distances import crossnobis_rdm, euclidean_rdm
from rulealign.rsa.rdm import correlation_rdm

if TYPE_CHECKING:
    from rulealign.plan.settings.brain import DistanceSettings

CORRELATION = "1 - Pearson"
"""In the words of an RDM: its distances have one scale for all subjects."""

_OF_MEANS = {
    "correlation": (partial(correlation_rdm, centred=False), CORRELATION),
    "euclidean": (euclidean_rdm, "squared Euclidean per voxel"),
}
"""Distance between averaged patterns -> its function, and its words."""


@dataclass(frozen=True)
class BrainDistance:
    """The RDM of one ROI of one subject.

    Attributes:
        ids: the stimuli in alphabetical order.
        rdm: float64, shape (pairs,), in the order of `numpy.triu_indices(stimuli, 1)`.
        repetitions: trials per stimulus.
        words: the distance, in words.
    """

    ids: list[str]
    rdm: np.ndarray
    repetitions: int
    words: str


def brain_distance(
    responses_h5: Path, settings: DistanceSettings, *, half: int | None = None
) -> BrainDistance:
    """Compute the RDM of an ROI.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.
        settings: which stimuli, z-scores and distance.
        half: of the trials, as in `patterns.select_patterns`; by default all.

    Returns:
        The RDM and what it is.

    Raises:
        ConfigurationError: there is no such distance.
        DataError: the stimuli, their patterns or their trials do not allow it; names the file and
            the stimulus.
    """
    # errors of reading name the file
    asked, distance = (responses_h5, settings.stimulus_set, settings.zscore), settings.distance
    if isinstance(distance, str):
        compute = partial(_averaged, *select_patterns(*asked, half=half), distance)
    else:
        trials = repeated_patterns(*asked, half=half)
        compute = partial(_cross_validated, trials, distance.crossnobis.folds)
    try:
        return compute()
    except DataError as error:
        raise DataError(f"{responses_h5}: {error}") from error


def half_rdms(responses_h5: Path, settings: DistanceSettings) -> np.ndarray | None:
    """Compute the RDMs of two halves of the trials: every other one of each stimulus.

    For how reliable an RDM of all trials is. Where stimuli came in one order again and again, the
    halves share the noise of runs; not for such data.

    Args:
        responses_h5: as in `brain_distance`.
        settings: likewise.

    Returns:
        float64, shape (2, pairs); None, with a printed line, where stimuli have too few trials.

    Raises:
        ConfigurationError: as in `brain_distance`.
    """
    try:
        return np.stack([brain_distance(responses_h5, settings, half=half).rdm for half in (0, 1)])
    except DataError as error:
        print(f"the reliability of this RDM stays unknown: {error}")
        return None


def _averaged(ids: list[str], patterns: np.ndarray, repetitions: int, name: str) -> BrainDistance:
    if name not in _OF_MEANS:
        known = f"{', '.join(_OF_MEANS)}, or {{crossnobis: {{folds: run}}}}"
        raise ConfigurationError(f"distance: there is no '{name}'; use {known}")
    compute, words = _OF_MEANS[name]
    return BrainDistance(ids, compute(patterns, ids=ids), repetitions, words)


def _cross_validated(trials: RepeatedPatterns, folds: str) -> BrainDistance:
    rdm = crossnobis_rdm(
        trials.patterns, trials.stimulus, fold_labels(trials, folds), ids=trials.ids
    )
    words = (
        f"crossnobis, folds: {folds}, noise normalised with Ledoit-Wolf shrinkage (estimated"
        " outside of the fold)"
    )
    return BrainDistance(trials.ids, rdm, int(np.bincount(trials.stimulus).max()), words)


def fold_labels(trials: RepeatedPatterns, folds: str) -> np.ndarray:
    """Give each trial the number of its fold.

    Args:
        trials: single trials.
        folds: `session`, or `run`: runs are counted anew in every session, so that run 1 of two
            sessions are two folds.

    Returns:
        A number for each trial, int64, shape (trials,).

    Raises:
        ConfigurationError: there are no such folds.
    """
    if folds not in ("run", "session"):
        raise ConfigurationError(f"folds: there are no '{folds}'; use run or session")
    if folds == "session":
        return trials.session
    both = np.stack([trials.session, trials.run])
    return np.unique(both, axis=1, return_inverse=True)[1].reshape(-1)
