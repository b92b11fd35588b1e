"""From an ROI's responses to its RDM by the distance that a study asks for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.responses.patterns import read_times, repeated_patterns, select_patterns
from rulealign.errors import DataError
from rulealign.rsa.distances import distance_class

if TYPE_CHECKING:
    from rulealign.data.responses.patterns import RepeatedPatterns
    from rulealign.plan.settings.brain import DistanceSettings
    from rulealign.rsa.distance import OfAverages, OfTrials


@dataclass(frozen=True)
class BrainDistance:
    """The RDM of one ROI of one subject.

    Attributes:
        ids: the stimuli in alphabetical order.
        rdm: float64, shape (pairs,), in the order of `numpy.triu_indices(stimuli, 1)`.
        repetitions: trials per stimulus; their mean, where stimuli have different numbers.
        words: the distance, in words.
        kept_apart: whether trials were compared one by one, and not their means.
        times: float64, shape (times,), in ms, where responses have any; then `rdm` is the mean over
            them.
        over_time: float64, shape (times, pairs): the RDM at each.
    """

    ids: list[str]
    rdm: np.ndarray
    repetitions: float
    words: str
    kept_apart: bool
    times: np.ndarray | None = None
    over_time: np.ndarray | None = None


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
        DataError: the stimuli, their patterns or their trials do not allow it; names the file and
            the stimulus.
    """
    asked, distance = (responses_h5, settings.stimulus_set, settings.zscore), settings.distance
    apart = distance_class(distance.name).single_trials
    # errors of reading name the file
    if apart:
        trials = repeated_patterns(*asked, half=half)
        ids, repetitions = trials.ids, len(trials.stimulus) / len(trials.ids)
        compute = _of_trials(distance, trials)
    else:
        ids, patterns, repetitions = select_patterns(*asked, half=half)
        compute = _of_averages(distance, patterns, ids)
    moments = read_times(responses_h5)
    known = (repetitions, distance.words, apart)
    if moments is None:
        return BrainDistance(ids, _named(compute, slice(None), str(responses_h5)), *known)
    times = np.unique(moments)
    at_each = [_named(compute, moments == one, f"{responses_h5}: {one:g} ms") for one in times]
    return BrainDistance(ids, np.mean(at_each, axis=0), *known, times, np.stack(at_each))


_Compute = Callable[[slice | np.ndarray], np.ndarray]
"""From which voxels are taken to their RDM."""


def _of_trials(distance: OfTrials, trials: RepeatedPatterns) -> _Compute:
    return lambda voxels: distance.rdm(replace(trials, patterns=trials.patterns[:, voxels]))


def _of_averages(distance: OfAverages, patterns: np.ndarray, ids: list[str]) -> _Compute:
    return lambda voxels: distance.rdm(patterns[:, voxels], ids=ids)


def _named(compute: _Compute, voxels: slice | np.ndarray, where: str) -> np.ndarray:
    try:
        return compute(voxels)
    except DataError as error:
        raise DataError(f"{where}: {error}") from error


def half_rdms(responses_h5: Path, settings: DistanceSettings) -> np.ndarray | None:
    """Compute the RDMs of two halves of the trials: every other one of each stimulus.

    For how reliable an RDM of all trials is. Where stimuli came in one order again and again, the
    halves share the noise of runs; not for such data.

    Args:
        responses_h5: as in `brain_distance`.
        settings: likewise.

    Returns:
        float64, shape (2, pairs); None, with a printed line, where stimuli have too few trials.
    """
    try:
        return np.stack([brain_distance(responses_h5, settings, half=half).rdm for half in (0, 1)])
    except DataError as error:
        print(f"the reliability of this RDM stays unknown: {error}")
        return None
