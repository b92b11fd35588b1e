"""Which trials of a THINGS-like data set become stimuli, their patterns and their images."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.data.things_tables import read_trials
from rulealign.errors import ConfigurationError, DataError

Chosen = dict[str, np.ndarray]
"""Stimulus id -> places of its trials; ids in alphabetical order."""


def _first_exemplar(trials: pd.DataFrame) -> list[str]:
    train = trials[trials["trial_type"] == "train"]
    return train.groupby("concept")["stimulus"].min().tolist()


def _test_repeats(trials: pd.DataFrame) -> list[str]:
    return trials.loc[trials["trial_type"] == "test", "stimulus"].unique().tolist()


STIMULUS_SETS: dict[str, Callable[[pd.DataFrame], list[str]]] = {
    "first-exemplar": _first_exemplar,
    "test-repeats": _test_repeats,
}
"""Name of a stimulus set -> which images of a trial table belong to it."""


def choose_trials(trials: pd.DataFrame, stimulus_set: str, place: str) -> Chosen:
    """Find the stimuli of a set and their trials.

    Args:
        trials: the columns of `things_tables.TRIAL_COLUMNS`, one row per trial.
        stimulus_set: `first-exemplar` (of each concept the alphabetically first of the images
            shown once; as published) or `test-repeats` (the images shown in every session).
        place: where the trials come from, for messages.

    Returns:
        Stimulus id -> its trials, the same number for each; ids in alphabetical order.

    Raises:
        ConfigurationError: there is no such set.
        DataError: the set is empty, or its images were not shown equally often (once, for the
            first exemplars).
    """
    if stimulus_set not in STIMULUS_SETS:
        raise ConfigurationError(
            f"there is no stimulus set '{stimulus_set}'; there are: {list(STIMULUS_SETS)}"
        )
    places = trials.reset_index(drop=True).groupby("stimulus").indices
    chosen = {name: places[name] for name in sorted(STIMULUS_SETS[stimulus_set](trials))}
    if not chosen:
        raise DataError(f"{place}: has no trials for the stimulus set '{stimulus_set}'.")
    expected = 1 if stimulus_set == "first-exemplar" else len(next(iter(chosen.values())))
    for name, shown in chosen.items():
        if len(shown) != expected:
            raise DataError(
                f"{place}: '{name}' was shown {len(shown)} times, {expected} expected in the"
                f" stimulus set '{stimulus_set}'."
            )
    return chosen


def stimulus_ids(stimuli_csv: Path, stimulus_set: str) -> list[str]:
    """List the stimuli of a set from a table of trials alone.

    Args:
        stimuli_csv: `sub-01_StimulusMetadata.csv`.
        stimulus_set: as in `choose_trials`.

    Returns:
        The ids, such as dog_01s.jpg, in alphabetical order.

    Raises:
        DataError: the table is wrong, or its images were not shown equally often.
    """
    return list(choose_trials(read_trials(stimuli_csv), stimulus_set, str(stimuli_csv)))


def other_stimulus_ids(stimuli_csv: Path, stimulus_set: str) -> list[str]:
    """List the images of a table of trials that are not in a stimulus set.

    Args:
        stimuli_csv: `sub-01_StimulusMetadata.csv`.
        stimulus_set: as in `choose_trials`.

    Returns:
        The ids, in alphabetical order.

    Raises:
        DataError: the table is wrong, or it has no other images.
    """
    trials, compared = read_trials(stimuli_csv), stimulus_ids(stimuli_csv, stimulus_set)
    others = sorted(set(trials["stimulus"]) - set(compared))
    if not others:
        raise DataError(f"{stimuli_csv}: has no images but those of '{stimulus_set}'.")
    return others


def image_paths(images: Path, ids: Sequence[str]) -> list[Path]:
    """Find the image file of each stimulus: `<concept>/<stimulus>`, and no other.

    Args:
        images: the folder of images, as THINGS lays it out.
        ids: stimuli, such as dog_12s.jpg (of the concept "dog").

    Returns:
        The paths, in the order of the ids.

    Raises:
        DataError: images are missing; names them. Another exemplar never takes their place.
    """
    paths = [Path(images) / name.rpartition("_")[0] / name for name in ids]
    missing = [name for name, path in zip(ids, paths, strict=True) if not path.is_file()]
    if missing:
        raise DataError(
            f"{images}: {len(missing)} of {len(ids)} images are missing: {missing}. Each must lie"
            " at <concept>/<stimulus>."
        )
    return paths
