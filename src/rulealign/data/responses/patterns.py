"""From single trials of an ROI to patterns: voxels z-scored, trials averaged or kept apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import numpy as np

from rulealign.data.images.stimulus_sets import Chosen, choose_trials, require_equally_often
from rulealign.data.things.tables import TRIAL_COLUMNS
from rulealign.errors import ConfigurationError, DataError
from rulealign.store import open_h5, read_ids

if TYPE_CHECKING:
    import pandas as pd

ZSCORES = ("all-trials", "run")
"""Over which of its trials a voxel may be z-scored."""


@dataclass(frozen=True)
class RepeatedPatterns:
    """Single trials of a stimulus set.

    Attributes:
        ids: the stimuli in alphabetical order.
        patterns: float64, shape (trials, voxels), in units of each voxel's standard deviation.
        stimulus: place in `ids` of each trial's stimulus, int64, shape (trials,).
        session: of each trial, int64, shape (trials,).
        run: of each trial within its session, likewise.
    """

    ids: list[str]
    patterns: np.ndarray
    stimulus: np.ndarray
    session: np.ndarray
    run: np.ndarray


def read_response_trials(responses_h5: Path, which: str = "trials") -> pd.DataFrame:
    """Read the trials of an ROI's responses.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.
        which: `trials`, or `dropped`: those that the study had left out.

    Returns:
        The columns of `things_tables.TRIAL_COLUMNS`, one row per trial.

    Raises:
        StoreError: the file cannot be read.
    """
    import pandas as pd

    with open_h5(responses_h5) as file:
        found = file.get(which, {})
        return pd.DataFrame(
            {name: _column(found[name]) if name in found else [] for name in TRIAL_COLUMNS}
        )


def _column(dataset: h5py.Dataset) -> np.ndarray:
    return dataset.asstr()[()] if h5py.check_string_dtype(dataset.dtype) else dataset[()]


def read_trials_and_responses(responses_h5: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """Read an ROI's trials and responses.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.

    Returns:
        trials: as in `read_response_trials`.
        responses: float32, shape (voxels, trials), as in the source.

    Raises:
        StoreError: the file cannot be read.
    """
    with open_h5(responses_h5) as file:
        responses = file["responses"][()]
    return read_response_trials(responses_h5), responses


def read_times(responses_h5: Path) -> np.ndarray | None:
    """Read when the response of each voxel was taken.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.

    Returns:
        float64, shape (voxels,), in ms, where each voxel is a sensor at a time; else None.

    Raises:
        StoreError: the file cannot be read.
    """
    with open_h5(responses_h5) as file:
        return file["voxels/time"][()] if "voxels/time" in file else None


def runs_of(trials: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Go through the runs of a trial table.

    Args:
        trials: with the columns session and run (counted anew in every session).

    Yields:
        The run in words, and the places of its trials; runs in the order of their numbers.
    """
    for (session, run), places in trials.reset_index(drop=True).groupby(["session", "run"]):
        yield f"session {session}, run {run}", places.index.to_numpy()


def zscore(
    responses: np.ndarray,
    trials: pd.DataFrame,
    how: str,
    voxels: Sequence[str] | None = None,
) -> np.ndarray:
    """Give every voxel the mean 0 and the standard deviation 1.

    Args:
        responses: shape (voxels, trials), any float dtype; computed in float64.
        trials: session and run of each trial.
        how: `all-trials`: over all its trials (train and test, all sessions), as published; `run`:
            over the trials of each run, which makes patterns of one run anti-similar, see
            `cleaning.cleaning_on_noise`.
        voxels: the voxels' ids, for errors; by default their places.

    Returns:
        float64, shape (voxels, trials).

    Raises:
        ConfigurationError: there is no such way.
        DataError: a voxel is constant over the trials; names it and the run.
    """
    if how not in ZSCORES:
        raise ConfigurationError(f"zscore: there is no '{how}'; use one of {list(ZSCORES)}")
    if how == "all-trials":
        return _scored(responses, voxels, "in every trial")
    scores = np.empty(responses.shape, dtype=np.float64)
    for run, places in runs_of(trials):
        scores[:, places] = _scored(responses[:, places], voxels, f"in all of {run}")
    return scores


def _scored(responses: np.ndarray, voxels: Sequence[str] | None, where: str) -> np.ndarray:
    constant = np.ptp(responses, axis=1) == 0
    if constant.any():
        place = int(np.argmax(constant))
        raise DataError(
            f"voxel {voxels[place] if voxels else place} has the same response {where}, so it"
            f" cannot be z-scored ({constant.sum()} such voxels)."
        )
    scores = responses.astype(np.float64)
    spread = scores.std(axis=1, keepdims=True)
    scores -= scores.mean(axis=1, keepdims=True)
    scores /= spread
    return scores


def read_scores(
    responses_h5: Path,
    stimulus_set: str,
    how: str,
    half: int | None = None,
    *,
    equally_often: bool = False,
) -> tuple[pd.DataFrame, np.ndarray, Chosen]:
    """Read all trials of an ROI, z-scored, and which of them show each stimulus of a set.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.
        stimulus_set: as in `choose_trials`.
        how: as in `zscore`.
        half: as in `select_patterns`.
        equally_often: whether to refuse stimuli with different numbers of trials.

    Returns:
        The trials; the responses to all of them, shape (voxels, trials); stimulus -> its trials.

    Raises:
        DataError: as in `select_patterns`.
    """
    trials, responses = read_trials_and_responses(responses_h5)
    with open_h5(responses_h5) as file:
        voxels = read_ids(file, "voxel")
    chosen = kept_trials(responses_h5, trials, stimulus_set, equally_often=equally_often)
    if half is not None:
        chosen = _half(chosen, half, str(responses_h5))
    try:
        return trials, zscore(responses, trials, how, voxels), chosen
    except DataError as error:
        raise DataError(f"{responses_h5}: {error}") from error


def _half(chosen: Chosen, half: int, place: str) -> Chosen:
    found = {name: places[half::2] for name, places in chosen.items()}
    for name, places in found.items():
        if not len(places):
            raise DataError(f"{place}: stimulus '{name}' has a single trial, which has no halves.")
    return found


def kept_trials(
    responses_h5: Path, trials: pd.DataFrame, stimulus_set: str, *, equally_often: bool = False
) -> Chosen:
    """Choose trials as if none had been left out, so that no other image takes one's place.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.
        trials: its trials, as in `read_response_trials`.
        stimulus_set: as in `choose_trials`.
        equally_often: as in `read_scores`.

    Returns:
        Stimulus -> places of those of its trials that were not left out.

    Raises:
        DataError: as in `choose_trials`, or a stimulus has no trial left.
    """
    import pandas as pd

    dropped = read_response_trials(responses_h5, "dropped")
    every = pd.concat([trials, dropped], ignore_index=True) if len(dropped) else trials
    chosen = choose_trials(every, stimulus_set, str(responses_h5))
    if equally_often:
        require_equally_often(chosen, str(responses_h5))
    kept = {name: places[places < len(trials)] for name, places in chosen.items()}
    for name, places in kept.items():
        if not len(places):
            raise DataError(
                f"{responses_h5}: stimulus '{name}' has no trial left, as duplicated trials were"
                " dropped; set brain.duplicated_trials to 'keep', or compare a list of images"
                " without it."
            )
    return kept


def select_patterns(
    responses_h5: Path, stimulus_set: str, how: str = "all-trials", *, half: int | None = None
) -> tuple[list[str], np.ndarray, int]:
    """Turn an ROI's single trials into one pattern per stimulus.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.
        stimulus_set: as in `choose_trials`.
        how: as in `zscore`; every voxel is z-scored before the trials of a stimulus are averaged.
        half: 0 for the first, third and so on of the trials of each stimulus, 1 for the others;
            voxels are z-scored over all trials either way. By default all.

    Returns:
        ids: the stimuli in alphabetical order.
        patterns: float64, shape (stimuli, voxels), in units of each voxel's standard deviation.
        repetitions: trials averaged per stimulus (less where the study left duplicates out).

    Raises:
        DataError: the set is empty, its images were not shown equally often, or a voxel is
            constant.
    """
    asked = (responses_h5, stimulus_set, how, half)
    _, scores, chosen = read_scores(*asked, equally_often=True)
    patterns = np.stack([scores[:, places].mean(axis=1) for places in chosen.values()])
    return list(chosen), patterns, max(map(len, chosen.values()))


def repeated_patterns(
    responses_h5: Path, stimulus_set: str, how: str = "all-trials", *, half: int | None = None
) -> RepeatedPatterns:
    """Keep the single trials of an ROI that belong to a stimulus set, for cross-validation.

    Args:
        responses_h5: a file made by `things.write_roi_responses`.
        stimulus_set: as in `choose_trials`.
        how: as in `zscore`.
        half: as in `select_patterns`.

    Returns:
        The trials, those of one stimulus after those of the one before it. Stimuli may have
        different numbers of them.

    Raises:
        DataError: the set is empty, or a voxel is constant.
    """
    trials, scores, chosen = read_scores(responses_h5, stimulus_set, how, half)
    places = np.concatenate(list(chosen.values()))
    stimulus = np.repeat(np.arange(len(chosen)), [len(shown) for shown in chosen.values()])
    kept = trials.iloc[places]
    return RepeatedPatterns(
        list(chosen),
        np.ascontiguousarray(scores[:, places].T),
        stimulus,
        kept["session"].to_numpy(dtype=np.int64),
        kept["run"].to_numpy(dtype=np.int64),
    )
