"""Which pairs of stimuli a comparison rests on: all, those in different runs, or those present.

Slow changes of the signal make stimuli of one run similar. Where subjects share their order of
presentation (as two of THINGS-fMRI do), that looks like agreement (guard 4); pairs in different
runs do not carry it. Of given RDMs that lack pairs (NaN), those are left that every RDM has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.images.stimulus_sets import choose_trials
from rulealign.data.things.tables import read_any_trials
from rulealign.errors import ConfigurationError, DataError, StoreError
from rulealign.provenance import state_hash
from rulealign.rsa.compare import ALL_PAIRS, CROSS_RUN, PRESENT
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
_KINDS = {
    CROSS_RUN: "are in different runs for every subject",
    PRESENT: "are in every RDM of every ROI",
}


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
    _require_usable(mask, ids, f"stimulus set '{stimulus_set}'", CROSS_RUN)
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


def _require_usable(mask: np.ndarray, ids: Sequence[str], what: str, kind: str) -> None:
    first, second = np.triu_indices(len(ids), 1)
    alone = np.setdiff1d(np.arange(len(ids)), np.union1d(first[mask], second[mask]))
    if len(alone) or mask.sum() < _LEAST_PAIRS:
        why = f"stimulus '{ids[alone[0]]}' is in none of them" if len(alone) else "too few to rank"
        raise DataError(
            f"{what}: {int(mask.sum())} of {len(mask)} pairs {_KINDS[kind]}, and {why}. Set"
            " `pairs: all`, or compare other stimuli or subjects."
        )


def write_present_pairs(brain_files: Sequence[Path], output: Path) -> None:
    """Write which pairs of stimuli no given RDM lacks: `brain/pairs.h5`.

    One set of pairs for all ROIs: their draws may be subtracted then.

    Args:
        brain_files: `sub-<s>_roi-<r>_rdm.h5` of all subjects and ROIs; NaN where a pair is missing.
        output: the file to make: `present`, bool (n_pairs,), ids in `ids/stimulus`.

    Raises:
        DataError: the RDMs are of other stimuli, or too few pairs are left: fewer than 3, or none
            of some stimulus.
        StoreError: a file cannot be read, or the disk is full.
    """
    ids: list[str] = []
    mask = np.ones(0, dtype=bool)
    for path in brain_files:
        with open_h5(Path(path)) as file:
            own, there = read_ids(file, "stimulus"), ~np.isnan(file["rdm"][()])
        ids, mask = ids or own, mask & there if len(mask) else there
        require_same_ids(ids, own, str(brain_files[0]), str(path))
        print(f"{path}: {int((~there).sum()):,} of {len(there):,} pairs are missing")
    _require_usable(mask, ids, str(output), PRESENT)
    write_h5(output, {PRESENT: mask}, ids={"stimulus": ids}, settings={}, attributes={})
    print(f"{mask.sum():,} of {len(mask):,} pairs {_KINDS[PRESENT]}, and are compared")


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
    tables = {name: as_written(read_any_trials(Path(name))) for name in names}
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
        path: a file made by `write_pairs` or `write_present_pairs`; not read, and may be None, for
            all pairs.
        ids: the stimuli's ids, in the order of the RDMs that are compared.
        kind: `all`, `cross_run` or `present`.

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
    if kind not in _KINDS or path is None:
        raise ConfigurationError(
            f"pairs: '{kind}' needs a file of the pairs in different runs, which only data with"
            f" runs have; there are the kinds {[ALL_PAIRS, *_KINDS]}."
        )
    with open_h5(path) as file:
        found = read_ids(file, "stimulus")
        mask = file[kind][()] if kind in file else np.empty(0)
    if mask.dtype != bool or mask.shape != (len(found) * (len(found) - 1) // 2,):
        raise StoreError(
            f"{path}: has no truth value '{kind}' for each pair of its stimuli; it was not"
            " made by this pipeline. Delete it and rerun the command."
        )
    require_same_ids(ids, found, "the stimuli compared", str(path))
    _require_usable(mask, found, str(path), kind)
    return mask


def pairs_hash(mask: np.ndarray | None) -> str:
    """Name the very pairs that draws rest on, so that draws over others are not mixed with them.

    Args:
        mask: bool, shape (n_pairs,), or None for all pairs.

    Returns:
        16 hexadecimal digits, or `all`.
    """
    return ALL_PAIRS if mask is None else state_hash({CROSS_RUN: mask})
