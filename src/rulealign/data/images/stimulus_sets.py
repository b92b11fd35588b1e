"""Which trials of a THINGS-like data set become stimuli, their patterns and their images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.data.file_names import concept_of, is_image, natural_order
from rulealign.data.things.tables import read_any_trials
from rulealign.errors import ConfigurationError, DataError
from rulealign.store import as_written

Chosen = dict[str, np.ndarray]
"""Stimulus id -> places of its trials; ids in order."""


def _first_exemplar(trials: pd.DataFrame) -> pd.Series:
    train = trials[trials["trial_type"] == "train"]
    return _where_image_in(trials, train.groupby("concept")["stimulus"].min())


def _concept_mean(trials: pd.DataFrame) -> pd.Series:
    return trials["concept"].where(trials["trial_type"] == "train")


def _test_repeats(trials: pd.DataFrame) -> pd.Series:
    return _where_image_in(trials, trials.loc[trials["trial_type"] == "test", "stimulus"])


def _where_image_in(trials: pd.DataFrame, names: Sequence[str] | pd.Series) -> pd.Series:
    return trials["stimulus"].where(trials["stimulus"].isin(names))


def _all(trials: pd.DataFrame) -> pd.Series:
    return trials["stimulus"]


STIMULUS_SETS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "first-exemplar": _first_exemplar,
    "concept-mean": _concept_mean,
    "test-repeats": _test_repeats,
    "all": _all,
}
"""Name of a stimulus set -> the stimulus of each trial, missing for trials that are not in it."""

_AS_PUBLISHED = ("first-exemplar", "concept-mean", "test-repeats")  # each as often, by design


def choose_trials(trials: pd.DataFrame, stimulus_set: str, place: str) -> Chosen:
    """Find the stimuli of a set and their trials.

    Args:
        trials: the columns of `things_tables.TRIAL_COLUMNS`, one row per trial.
        stimulus_set: `first-exemplar` (of each concept the alphabetically first of the images
            shown once; as published), `concept-mean` (each concept is one stimulus, called by its
            name: all trials of its images shown once), `test-repeats` (the images shown in every
            session), `all` (every image), or the path of a list of yours (it has a "/"): a text
            file, one image name a line; empty lines do not count, and neither does the order.
        place: where the trials come from, for messages.

    Returns:
        Stimulus id -> its trials, the same number for each stimulus of the three published sets;
        see `require_equally_often` for the others. Ids are in alphabetical order, or, where trials
        name images without the ending of a file, in natural order (2 before 10), as folders of
        images have.

    Raises:
        ConfigurationError: there is no such set, or no such list.
        DataError: the set is empty, images of a published one were not shown equally often (once,
            for the first exemplars), or a list is empty, has a name twice or one that no trial has
            (names the nearest).
    """
    trials = trials.reset_index(drop=True)
    labels = _stimulus_of_trial(trials, stimulus_set, place).dropna()
    places = labels.groupby(labels).groups
    named_files = trials["stimulus"].map(is_image).any()
    ordered = sorted(places, key=None if named_files else natural_order)
    chosen = {str(name): places[name].to_numpy() for name in ordered}
    if not chosen:
        raise DataError(f"{place}: has no trials for the stimulus set '{stimulus_set}'.")
    if stimulus_set in _AS_PUBLISHED:
        expected = 1 if stimulus_set == "first-exemplar" else _usual(chosen)
        for name, shown in chosen.items():
            if len(shown) != expected:
                raise DataError(
                    f"{place}: '{name}' was shown {len(shown)} times, {expected} expected in the"
                    f" stimulus set '{stimulus_set}'; all its stimuli must be shown equally often."
                )
    return chosen


def _usual(chosen: Chosen) -> int:
    return Counter(map(len, chosen.values())).most_common(1)[0][0]


def require_equally_often(chosen: Chosen, place: str) -> None:
    """Refuse stimuli whose patterns would be means of different numbers of trials.

    Noise adds its variance over the number of trials to how far a mean lies from all others, so
    that those shown less often stand apart, alike in all subjects, whatever the brain does. Not
    needed where single trials are compared across folds (no bias), nor in regressions.

    Args:
        chosen: stimulus id -> its trials.
        place: where the trials come from, for the message.

    Raises:
        DataError: a stimulus has more or fewer trials than most; names it and the remedies.
    """
    usual = _usual(chosen)
    for name, shown in chosen.items():
        if len(shown) != usual:
            raise DataError(
                f"{place}: '{name}' was shown {len(shown)} times, and most stimuli {usual} times:"
                " means of fewer trials are noisier, and lie farther from all others. Set"
                " brain.distance to {crossnobis: {folds: run}}, which noise adds nothing to; or"
                " compare a list of images that were shown equally often (brain.stimulus_set)."
            )


def stimulus_images(trials: pd.DataFrame | Path, stimulus_set: str) -> dict[str, list[str]]:
    """List the images of each stimulus of a set.

    Args:
        trials: a table of trials, as in `choose_trials`, or the path of one (CSV).
        stimulus_set: as in `choose_trials`.

    Returns:
        Stimulus id -> names of its images, such as dog_01s.jpg, both in alphabetical order: the
        stimulus itself, but for `concept-mean` all images that are averaged.

    Raises:
        ConfigurationError: as in `choose_trials`.
        DataError: the table is wrong, or as in `choose_trials`.
    """
    table, place = _table(trials)
    shown = table["stimulus"].to_numpy()
    return {
        name: sorted(set(shown[places].tolist()))
        for name, places in choose_trials(table, stimulus_set, place).items()
    }


def other_stimulus_ids(trials: pd.DataFrame | Path, stimulus_set: str) -> list[str]:
    """List the images of a table of trials that no stimulus of a set shows.

    Args:
        trials: as in `stimulus_images`.
        stimulus_set: as in `choose_trials`.

    Returns:
        The names of the images, in alphabetical order.

    Raises:
        ConfigurationError: as in `choose_trials`.
        DataError: as in `stimulus_images`, or there are no other images.
    """
    table, place = _table(trials)
    compared = stimulus_images(table, stimulus_set)
    others = sorted(set(table["stimulus"]).difference(*compared.values()))
    if not others:
        raise DataError(f"{place}: has no images but those of '{stimulus_set}'.")
    return others


def _table(trials: pd.DataFrame | Path) -> tuple[pd.DataFrame, str]:
    if isinstance(trials, pd.DataFrame):
        return trials, "the table of trials"
    return as_written(read_any_trials(trials)), str(trials)


def _stimulus_of_trial(trials: pd.DataFrame, stimulus_set: str, place: str) -> pd.Series:
    if stimulus_set in STIMULUS_SETS:
        return STIMULUS_SETS[stimulus_set](trials)
    if "/" not in stimulus_set:
        raise ConfigurationError(
            f"there is no stimulus set '{stimulus_set}'; there are: {list(STIMULUS_SETS)}. A list"
            " of image names is given by its path, with a '/', such as ./images.txt"
        )
    return _where_image_in(trials, _read_list(Path(stimulus_set).expanduser(), trials, place))


def _read_list(path: Path, trials: pd.DataFrame, place: str) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"stimulus set '{path}': cannot be read as a list of image names ({error})."
        ) from error
    known, line_of = set(trials["stimulus"]), {}
    for number, name in enumerate(map(str.strip, lines), start=1):
        if name in line_of:
            raise DataError(f"{path}: line {number}: '{name}' is in line {line_of[name]} already.")
        if name and name not in known:
            nearest = get_close_matches(name, sorted(known), n=3, cutoff=0.5)
            raise DataError(
                f"{path}: line {number}: no trial of {place} shows '{name}'; the nearest names"
                f" are {nearest}."
            )
        if name:
            line_of[name] = number
    if not line_of:
        raise DataError(f"{path}: lists no images; write one image name a line.")
    return list(line_of)


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
    paths = [Path(images) / concept_of(name) / name for name in ids]
    missing = [name for name, path in zip(ids, paths, strict=True) if not path.is_file()]
    if missing:
        raise DataError(
            f"{images}: {len(missing)} of {len(ids)} images are missing: {missing}. Each must lie"
            " at <concept>/<stimulus>."
        )
    return paths
