"""From an ROI's responses to its RDM by the distance that a study asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from rulealign.data.responses.patterns import RepeatedPatterns, repeated_patterns, select_patterns
from rulealign.errors import ConfigurationError, DataError
from rulealign.rsa.distances import crossnobis_rdm, euclidean_rdm
from rulealign.rsa.rdm import correlation_rdm

DISTANCES = ("correlation", "euclidean", "crossnobis")
"""The distances between the patterns of two stimuli."""

CORRELATION = "1 - Pearson"
"""In the words of an RDM: its distances have one scale for all subjects."""


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
    responses_h5: Path,
    stimulus_set: str,
    zscore: str,
    distance: str | Mapping[str, Any],
    *,
    half: int | None = None,
) -> BrainDistance:
    """Compute the RDM of an ROI.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.
        stimulus_set: as in `stimulus_sets.choose_trials`.
        zscore: as in `patterns.zscore`.
        distance: `correlation` (1 - Pearson of averaged patterns), `euclidean` (squared, of
            averaged patterns), or {"crossnobis": {"folds": "run" or "session"}} (of single trials).
        half: of the trials, as in `patterns.select_patterns`; by default all.

    Returns:
        The RDM and what it is.

    Raises:
        ConfigurationError: there is no such distance, or no such folds.
        DataError: the stimuli, their patterns or their trials do not allow it; names the file and
            the stimulus.
    """
    name = distance if isinstance(distance, str) else next(iter(distance))
    if name not in DISTANCES or isinstance(distance, str) == (name == "crossnobis"):
        raise ConfigurationError(
            f"distance: there is no {distance!r}; use correlation, euclidean, or"
            " {crossnobis: {folds: run}}"
        )
    # errors of reading name the file
    asked = responses_h5, stimulus_set, zscore
    if name == "crossnobis":
        trials = repeated_patterns(*asked, half=half)
        compute = partial(_cross_validated, trials, distance["crossnobis"]["folds"])
    else:
        compute = partial(_averaged, *select_patterns(*asked, half=half), name)
    try:
        return compute()
    except DataError as error:
        raise DataError(f"{responses_h5}: {error}") from error


def half_rdms(
    responses_h5: Path, stimulus_set: str, zscore: str, distance: str | Mapping[str, Any]
) -> np.ndarray | None:
    """Compute the RDMs of two halves of the trials: every other one of each stimulus.

    For how reliable an RDM of all trials is. Where stimuli came in one order again and again, the
    halves share the noise of runs; not for such data.

    Args:
        responses_h5: as in `brain_distance`, like all that follow.
        stimulus_set: see there.
        zscore: see there.
        distance: see there.

    Returns:
        float64, shape (2, pairs); None, with a printed line, where stimuli have too few trials.

    Raises:
        ConfigurationError: as in `brain_distance`.
    """
    asked = responses_h5, stimulus_set, zscore, distance
    try:
        return np.stack([brain_distance(*asked, half=half).rdm for half in (0, 1)])
    except DataError as error:
        print(f"the reliability of this RDM stays unknown: {error}")
        return None


def _averaged(ids: list[str], patterns: np.ndarray, repetitions: int, name: str) -> BrainDistance:
    if name == "euclidean":
        rdm = euclidean_rdm(patterns, ids=ids)
        return BrainDistance(ids, rdm, repetitions, "squared Euclidean per voxel")
    rdm = correlation_rdm(patterns, centred=False, ids=ids)
    return BrainDistance(ids, rdm, repetitions, CORRELATION)


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
