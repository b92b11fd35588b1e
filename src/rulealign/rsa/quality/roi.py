"""The quality of one subject's responses in one ROI: voxels, faults, neighbours and labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import pandas as pd
from scipy.stats import ttest_1samp

from rulealign.errors import DataError
from rulealign.rsa.quality.rows import RARE, as_table, entry, label
from rulealign.rsa.quality.shift import shift_rows
from rulealign.rsa.quality.time import (
    Trials,
    lag_curves,
    line_weights,
    trials_in_time,
    unit_patterns,
)
from rulealign.rsa.rdm_file import read_attributes
from rulealign.store import open_h5, write_csv

if TYPE_CHECKING:
    from rulealign.plan.settings.brain import QualitySettings

_TRIALS = ("stimulus", "session", "run", "trial_id")
_NAMED = 5  # so many voxels or trials are named; the file has all
Row = dict[str, Any]


def roi_quality(responses_h5: Path, output_csv: Path, settings: QualitySettings) -> pd.DataFrame:
    """Check the responses of one subject in one ROI: `sub-<s>_roi-<r>_quality.csv`.

    Guard 6, neighbours: per run, lag 1 is held against what a straight line through lag 2 to the
    longest foretells (as long as a third of a run, at most `lags`); a t-test over runs flags it at
    p < `RARE`. Guard 22, shift: the labels are shifted within runs; flagged where repeated stimuli
    are told apart best at another shift than 0, clearly (p < `RARE` over stimuli, one-sided, above
    0 and above shift 0). "No signal": not clear of noise at any shift.

    Args:
        responses_h5: `sub-<s>_roi-<r>_responses.h5`.
        output_csv: the table to make; the columns of `quality_rows.COLUMNS`.
        settings: the longest lag and shift.

    Returns:
        The table.

    Raises:
        DataError: a voxel is constant or not finite, or a trial has the same response everywhere.
        StoreError: the file was not made by this pipeline, or the disk is full.
    """
    with open_h5(responses_h5) as file:
        about = {"subject": subject_of(file), "roi": str(read_attributes(file, ["roi"])["roi"])}
        rows = [*_voxels(file), *_faults(file)]
        trials = trials_in_time(read_trial_columns(file))
        try:
            units = unit_patterns(file["responses"][()])
        except DataError as error:
            raise DataError(f"{responses_h5}: {error}") from error
    rows += [
        *_neighbours(units, trials, settings.lags),
        *shift_rows(units, trials, settings.shifts),
    ]
    for row in rows:
        row |= about
        if row["finding"]:
            row["finding"] = f"{about['subject']}, {about['roi']}: {row['finding']}"
    table = as_table(rows)
    write_csv(output_csv, table)
    return table


def subject_of(file: h5py.File) -> str:
    """Name the subject of an open file of this pipeline, such as sub-01."""
    return label(str(read_attributes(file, ["subject"])["subject"]))


def read_trial_columns(file: h5py.File) -> pd.DataFrame:
    """Read when what was shown from an open file of responses.

    Args:
        file: a file of responses.

    Returns:
        stimulus, session, run and trial_id, one row per column of the responses.
    """
    read = {name: file[f"trials/{name}"] for name in _TRIALS}
    strings = {name: h5py.check_string_dtype(one.dtype) for name, one in read.items()}
    columns = {name: d.asstr()[()] if strings[name] else d[()] for name, d in read.items()}
    return pd.DataFrame(columns)


def _voxels(file: h5py.File) -> list[Row]:
    count = len(file["responses"])
    expected = float(file.attrs.get("expected_voxels", np.nan))
    words = f"{count} voxels, {expected:g} are expected of this ROI"
    finding = "" if np.isnan(expected) or count == expected else words
    rows = [entry("voxels", "number", count, expected=expected, finding=finding)]
    for name in ("nc_singletrial", "nc_testset"):
        if f"voxels/{name}" in file:
            ceiling = file[f"voxels/{name}"][()]
            if np.isnan(ceiling).all():
                continue  # the volumes came without noise ceilings
            for how, value in (("mean", np.nanmean), ("median", np.nanmedian)):
                rows.append(entry("noise_ceiling", f"{how} {name}", value(ceiling)))
    return rows


def _faults(file: h5py.File) -> list[Row]:
    faulty = json.loads(file.attrs.get("faulty_voxels", "{}"))
    copies = json.loads(file.attrs.get("duplicated_trials", "[]"))
    rows = []
    for kind, words in (
        ("not_finite", "with values that are not finite"),
        ("constant", "without any change"),
    ):
        ids = faulty.get(kind, [])
        text = f"{_counted(ids, 'voxel')} {words}, left out: {_listed(ids)}" if ids else ""
        rows.append(_fault("faulty_voxels", kind, ids, text))
    pairs = [f"{one['second']} repeats {one['first']}" for one in copies]
    left_out = len(file["dropped/trial_id"]) if "dropped" in file else 0
    remedy = "left out" if left_out else "kept"
    text = f"{_counted(copies, 'trial')} with the responses of an earlier trial, {remedy}"
    text = f"{text}: trial_id {_listed(pairs)}" if copies else ""
    rows.append(_fault("duplicated_trials", "copies", copies, text))
    if file.attrs.get("columns") == "as_stored":
        words = "nothing that can be read tells which trials the responses are of: taken as stored"
        rows.append(entry("columns", "as stored", 1, flagged=True, finding=words))
    return rows


def _fault(check: str, item: str, found: list, finding: str) -> Row:
    return entry(check, item, len(found), expected=0, flagged=bool(found), finding=finding)


def _counted(found: list, what: str) -> str:
    return f"{len(found)} {what}{'' if len(found) == 1 else 's'}"


def _listed(names: list) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(map(str, names[:_NAMED])) + more


def _neighbours(units: np.ndarray, trials: Trials, lags: int) -> list[Row]:
    curves = lag_curves(units, trials, lags)
    rows = [entry("lag_level", "same run", np.nanmean(curves.level), guard=6)]
    for item, values in (*enumerate(curves.by_lag.T, start=1), ("other runs", curves.other_runs)):
        there = values[np.isfinite(values)]
        if len(there) > 1:
            error = there.std(ddof=1) / np.sqrt(len(there))
            rows.append(entry("lag", item, there.mean(), guard=6))
            rows.append(entry("lag_error", item, error, guard=6))
    longest = min(lags, int(np.median(np.bincount(trials.run))) // 3)
    return [*rows, *_neighbour_test(curves.by_lag[:, :longest])]


def _neighbour_test(curves: np.ndarray) -> list[Row]:
    weights = line_weights(curves.shape[1])
    usable = curves[np.isfinite(curves).all(axis=1)]
    if weights is None or len(usable) < 3:
        words = "runs are too few or too short to tell whether neighbouring trials look different"
        return [entry("lag_test", "difference", np.nan, guard=6, expected=0, finding=words)]
    effect = usable[:, 0] - usable[:, 1:] @ weights
    t, p = ttest_1samp(effect, 0)
    flagged, less = bool(p < RARE), "less" if t > 0 else "more"
    finding = (
        f"neighbouring trials are {less} alike than trials further apart in a run (dissimilarity"
        f" {effect.mean():+.3f}, t = {t:.1f} over {len(effect)} runs)"
    )
    return [
        entry("lag_test", "t", t, guard=6),
        entry("lag_test", "runs", len(effect), guard=6),
        entry(
            *("lag_test", "difference", effect.mean()),
            **{
                "guard": 6,
                "expected": 0,
                "flagged": flagged,
                "finding": finding if flagged else "",
            },
        ),
    ]
