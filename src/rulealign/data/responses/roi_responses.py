"""THINGS-fMRI and data sets like it: the responses of one subject in one ROI, whatever the form.

Source of the data: Hebart et al. 2023, eLife 12:e82580.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

from rulealign.data.responses.faults import find_duplicated_trials, find_faulty_voxels, trial_names
from rulealign.data.responses.forms import Form
from rulealign.data.responses.roi import RoiVoxels, check_count, choose_voxels, expected_voxels
from rulealign.data.things.tables import TRIAL_COLUMNS
from rulealign.errors import DataError
from rulealign.store import write_csv, write_h5

if TYPE_CHECKING:
    import pandas as pd

    from rulealign.plan.settings.brain import ResponsesSettings


@dataclass(frozen=True)
class _Kept:
    """What of an ROI's responses is kept, and what was found wrong with the rest."""

    responses: np.ndarray
    voxels: np.ndarray
    trials: np.ndarray
    faulty: Mapping[str, list[str]]
    duplicated: list[dict[str, Any]]


def write_trials(form: Form, subject: str, trials_csv: Path, acquisition_json: Path) -> None:
    """Write the trials of one subject, and what the files say of scanner and sequence.

    Args:
        form: the way in.
        subject: label, such as "01".
        trials_csv: the table to make, `TRIAL_COLUMNS` and subject_id.
        acquisition_json: the file to make; {} where no sidecar says anything.

    Raises:
        DataError: a file is missing, damaged or contradicts another.
        StoreError: the disk is full.
    """
    from rulealign.atomic import whole

    trials = form.trials(subject)
    runs = trials[["session", "run"]].drop_duplicates()
    print(
        f"sub-{subject}: {len(trials)} trials in {trials['session'].nunique()} sessions and"
        f" {len(runs)} runs, {trials['stimulus'].nunique()} images"
    )
    write_csv(trials_csv, trials)
    with whole(Path(acquisition_json)) as temporary:
        text = json.dumps(form.acquisition(subject), indent=2, sort_keys=True)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_roi_responses(
    form: Form,
    subject: str,
    roi: str,
    settings: ResponsesSettings,
    output: Path,
) -> None:
    """Extract one ROI of one subject: the same bytes from every form.

    Args:
        form: the way in.
        subject: label, such as "01".
        roi: the ROI's name.
        settings: its voxels, and what is done with faulty data; kept in the file.
        output: the HDF5 file to make: `responses` float32 (voxels, trials) as in the source,
            `trials/<column>` of `TRIAL_COLUMNS`, `voxels/nc_singletrial` and `voxels/nc_testset`
            (float64, percent); ids voxel; attributes subject, roi, expected_voxels (where known),
            and as JSON text faulty_voxels and duplicated_trials: what was found; columns is
            "as_stored" where nothing told which trials they are; and what `Form.space` gives, of
            which times are `voxels/time` (float64, ms, one of each voxel).
            `dropped/` has the columns of `trials/` for trials that were left out.

    Raises:
        DataError: the files do not fit together, the ROI is unknown or empty, or there are faulty
            voxels or duplicated trials and the settings say `stop`.
        StoreError: a file is no HDF5 file, or the disk is full.
    """
    chosen = choose_voxels(form, subject, settings.voxels)
    expected = expected_voxels(subject, settings.voxels) if settings.released else None
    if settings.released:
        print(check_count(subject, roi, settings.voxels, len(chosen.rows)))
    trials = form.trials(subject)
    what = f"{form.source(subject)}: {roi}"
    kept = _without_faults(form.responses(subject, chosen.rows), chosen, trials, settings, what)
    space = form.space(subject)
    moments = space.pop("times", None)
    write_h5(
        output,
        {
            "responses": kept.responses,
            "voxels/nc_singletrial": chosen.nc_singletrial[kept.voxels],
            "voxels/nc_testset": chosen.nc_testset[kept.voxels],
            **({} if moments is None else {"voxels/time": _repeated(moments, chosen, kept)}),
            **{f"trials/{name}": _plain(trials[name][kept.trials]) for name in TRIAL_COLUMNS},
            **{f"dropped/{name}": _plain(trials[name][~kept.trials]) for name in TRIAL_COLUMNS},
        },
        ids={"voxel": [chosen.ids[place] for place in np.flatnonzero(kept.voxels)]},
        settings=settings.plain(),
        attributes={
            "subject": subject,
            "roi": roi,
            "faulty_voxels": json.dumps(kept.faulty),
            "duplicated_trials": json.dumps(kept.duplicated),
            **({} if expected is None else {"expected_voxels": expected}),
            **({"columns": "as_stored"} if form.believed else {}),
            **space,
        },
    )


def _repeated(moments: np.ndarray, chosen: RoiVoxels, kept: _Kept) -> np.ndarray:
    return moments[chosen.rows[kept.voxels] % len(moments)]


def _without_faults(
    responses: np.ndarray,
    chosen: RoiVoxels,
    trials: pd.DataFrame,
    settings: ResponsesSettings,
    what: str,
) -> _Kept:
    faulty = find_faulty_voxels(responses, chosen.ids)
    for kind, ids in faulty.items():
        _say_or_stop(
            [f"voxel {name}" for name in ids],
            f"{what}: faulty voxels ({len(ids)}, {kind.replace('_', ' ')})",
            "faulty_voxels",
            settings.faulty_voxels,
        )
    named = {name for ids in faulty.values() for name in ids}
    voxels = np.array([name not in named for name in chosen.ids])
    if not voxels.any():
        raise DataError(f"{what}: no voxel is left without faults.")
    duplicated = find_duplicated_trials(responses[voxels], trials)
    _say_or_stop(
        [f"trial {pair['second']} is trial {pair['first']} again" for pair in duplicated],
        f"{what}: duplicated trials ({len(duplicated)})",
        "duplicated_trials",
        settings.duplicated_trials,
    )
    dropped = settings.duplicated_trials == "drop"
    again = [pair["second"] for pair in duplicated] if dropped else []
    keep = ~np.isin(trial_names(trials), again)
    return _Kept(responses[voxels][:, keep], voxels, keep, faulty, duplicated)


def _say_or_stop(faults: list[str], summary: str, key: str, remedy: str) -> None:
    if not faults:
        return
    line = f"{summary}: {', '.join(faults[:5])}{' ...' if len(faults) > 5 else ''}"
    if remedy == "stop":
        raise DataError(
            f"{line}. Find out why; or set brain.{key} to 'drop', which leaves them out and says so"
            f" in the report{', or to keep' if key == 'duplicated_trials' else ''}."
        )
    print(f"QUALITY: {line}; brain.{key}: {remedy}", flush=True)


def _plain(column: pd.Series) -> np.ndarray:
    if column.dtype.kind == "i":
        return column.to_numpy(dtype=np.int64)
    return np.array(column.astype(str).tolist(), dtype=h5py.string_dtype())
