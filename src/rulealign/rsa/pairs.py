"""Which pairs of stimuli a comparison rests on: all, or those in different runs of every subject.

Slow changes of the signal make stimuli of one run similar. Where subjects share their order of
presentation (as two of THINGS-fMRI do), that looks like agreement (guard 4); pairs in different
runs do not carry it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.images.stimulus_sets import choose_trials
from rulealign.data.things.tables import read_trials
from rulealign.errors import ConfigurationError, DataError, StoreError
from rulealign.provenance import state_hash
from rulealign.rsa.compare import ALL_PAIRS, CROSS_RUN
from rulealign.store import (
    as_written,
    open_h5,
    read_ids,
    refuse_duplicates,
    require_same_ids,
    write_h5,
)

if TYPE_CHECKING:
    import pandas as pd

_LEAST_PAIRS = 3


def cross_run_mask(
    trial_tables: Mapping[str, pd.DataFrame], ids: Sequence[str], stimulus_set: str
) -> np.ndarray:
    """Find the pairs of stimuli that lie in different runs for every subject.

    Args:
        trial_tables: subject (or file of its trials) -> its trials, one row each, with the columns
            of `things_tables.TRIAL_COLUMNS`. Runs are told apart by session and run together.
        ids: the stimuli's ids, in the order of the RDMs.
        stimulus_set: as in `stimulus_sets.choose_trials`.

    Returns:
        bool, shape (n_pairs,), pairs in the order of `numpy.triu_indices(len(ids), 1)`.

    Raises:
        ConfigurationError: a stimulus was shown in more than one run (repeated images, means over
            exemplars), so that its pairs lie in no run; names the stimulus set and the remedy.
        DataError: there is no subject, a subject's stimuli are others than `ids` (names the first
            difference), or too few pairs are left: fewer than 3, or none of some stimulus.
    """
    if not trial_tables:
        raise DataError("there is no table of trials to find runs in.")
    first, second = np.triu_indices(len(ids), 1)
    mask = np.ones(len(first), dtype=bool)
    for subject, trials in trial_tables.items():
        runs = _runs(trials, ids, stimulus_set, str(subject))
        mask &= runs[first] != runs[second]
    _require_usable(mask, ids, f"stimulus set '{stimulus_set}'")
    return mask


def _runs(trials: pd.DataFrame, ids: Sequence[str], stimulus_set: str, place: str) -> np.ndarray:
    # the number of the run that each stimulus was shown in, counted over all sessions
    chosen = choose_trials(trials, stimulus_set, place)
    require_same_ids(list(ids), list(chosen), "the stimuli compared", place)
    run_of_trial = trials.groupby(["session", "run"], sort=False).ngroup().to_numpy()
    runs = np.empty(len(ids), dtype=np.int64)
    for stimulus, name in enumerate(ids):
        shown = np.unique(run_of_trial[chosen[name]])
        if len(shown) > 1:
            raise ConfigurationError(
                f"{place}: stimulus '{name}' of the stimulus set '{stimulus_set}' has trials in"
                f" {len(shown)} runs, so its pairs are neither within a run nor between two. Set"
                " `pairs: all`, and against run noise the distance crossnobis with folds by run."
            )
        runs[stimulus] = shown[0]
    return runs


def _require_usable(mask: np.ndarray, ids: Sequence[str], what: str) -> None:
    first, second = np.triu_indices(len(ids), 1)
    alone = np.setdiff1d(np.arange(len(ids)), np.union1d(first[mask], second[mask]))
    if len(alone) or mask.sum() < _LEAST_PAIRS:
        why = f"stimulus '{ids[alone[0]]}' is in none of them" if len(alone) else "too few to rank"
        raise DataError(
            f"{what}: {int(mask.sum())} of {len(mask)} pairs are in different runs for every"
            f" subject, and {why}. Set `pairs: all`, or compare other stimuli or subjects."
        )


def write_pairs(trial_csvs: Sequence[Path], stimulus_set: str, output: Path) -> None:
    """Write which pairs of stimuli lie in different runs for every subject: `brain/pairs.h5`.

    Args:
        trial_csvs: `sub-<s>_trials.csv`, one per subject.
        stimulus_set: as in `stimulus_sets.choose_trials`.
        output: the file to make: `cross_run`, bool (n_pairs,), ids in `ids/stimulus`.

    Raises:
        ConfigurationError: a stimulus was shown in more than one run.
        DataError: as in `cross_run_mask`, or a table is wrong, or listed twice.
        StoreError: the disk is full.
    """
    names = [str(path) for path in trial_csvs]
    refuse_duplicates(names, "tables of trials")
    tables = {name: as_written(read_trials(Path(name))) for name in names}
    ids = list(choose_trials(tables[names[0]], stimulus_set, names[0])) if names else []
    mask = cross_run_mask(tables, ids, stimulus_set)
    write_h5(
        output,
        {CROSS_RUN: mask},
        ids={"stimulus": ids},
        settings={"stimulus_set": stimulus_set},
        attributes={"subjects": len(names)},
    )
    print(
        f"{mask.sum():,} of {len(mask):,} pairs are in different runs for all {len(names)} subjects"
    )


def read_pairs(path: Path | None, ids: Sequence[str], kind: str) -> np.ndarray | None:
    """Read which pairs a comparison rests on.

    Args:
        path: a file made by `write_pairs`; not read, and may be None, for all pairs.
        ids: the stimuli's ids, in the order of the RDMs that are compared.
        kind: `all` or `cross_run`.

    Returns:
        bool, shape (n_pairs,), pairs in the order of `numpy.triu_indices(len(ids), 1)`; None for
        all pairs.

    Raises:
        ConfigurationError: there is no such kind, or no file of pairs in different runs.
        DataError: the file is of other stimuli, or of another order (names the first difference;
            guard 28), or leaves too few pairs.
        StoreError: the file cannot be read, or was not made by `write_pairs`.
    """
    if kind == ALL_PAIRS:
        return None
    if kind != CROSS_RUN or path is None:
        raise ConfigurationError(
            f"pairs: '{kind}' needs a file of the pairs in different runs, which only data with"
            f" runs have; there are the kinds '{ALL_PAIRS}' and '{CROSS_RUN}'."
        )
    with open_h5(path) as file:
        found = read_ids(file, "stimulus")
        mask = file[CROSS_RUN][()] if CROSS_RUN in file else np.empty(0)
    if mask.dtype != bool or mask.shape != (len(found) * (len(found) - 1) // 2,):
        raise StoreError(
            f"{path}: has no truth value '{CROSS_RUN}' for each pair of its stimuli; it was not"
            " made by this pipeline. Delete it and rerun the command."
        )
    require_same_ids(ids, found, "the stimuli compared", str(path))
    _require_usable(mask, found, str(path))
    return mask


def pairs_hash(mask: np.ndarray | None) -> str:
    """Name the very pairs that draws rest on, so that draws over others are not mixed with them.

    Args:
        mask: bool, shape (n_pairs,), or None for all pairs.

    Returns:
        16 hexadecimal digits, or `all`.
    """
    return ALL_PAIRS if mask is None else state_hash({CROSS_RUN: mask})
