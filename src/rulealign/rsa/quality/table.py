"""The table of quality checks over all subjects and ROIs: `statistics/quality.csv`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rulealign.data.things.tables import read_any_trials
from rulealign.rsa.brain_rdms import BrainRdms, files_by_roi, read_brain_rdms
from rulealign.rsa.quality.agreement import agreement_rows, cross_run
from rulealign.rsa.quality.given import (
    acquisition_rows,
    averaged_rows,
    cleaning_rows,
    missing_rows,
    structure_rows,
)
from rulealign.rsa.quality.orders import order_rows
from rulealign.rsa.quality.rows import as_table, filled, label
from rulealign.rsa.quality.sessions import session_rows
from rulealign.rsa.quality.unrepeated import unrepeated_rows
from rulealign.store import as_written, read_csv, write_csv

if TYPE_CHECKING:
    from rulealign.plan.settings.brain import QualityTableSettings


def quality_table(
    output: Path,
    *,
    brain: Sequence[Path],
    trials: Mapping[str, Path],
    acquisition: Mapping[str, Path],
    parts: Sequence[Path],
    responses: Sequence[Path],
    settings: QualityTableSettings,
) -> pd.DataFrame:
    """Compare subjects, and gather all that was found.

    Args:
        output: the CSV to make, with the columns of `quality_rows.COLUMNS`.
        brain: `sub-<s>_roi-<r>_rdm.h5` of all subjects and ROIs.
        trials: subject -> `sub-<s>_trials.csv`; empty where RDMs were given, as are the next three.
        acquisition: subject -> `sub-<s>_acquisition.json`.
        parts: `sub-<s>_roi-<r>_quality.csv` of all subjects and ROIs.
        responses: `sub-<s>_roi-<r>_responses.h5` of all subjects and ROIs; read only where no
            stimulus was repeated, for the shift test.
        settings: of the study.

    Returns:
        The table; `quality_rows.log_lines` writes its flags as lines.

    Raises:
        DataError: a table is wrong, or RDMs do not belong together.
        StoreError: a file cannot be read, or the disk is full.
    """
    shown = {label(subject): as_written(read_any_trials(path)) for subject, path in trials.items()}
    stated = {label(subject): path for subject, path in acquisition.items()}
    brains = [_named(read_brain_rdms(files)) for files in _in_order(brain)]
    measured = [filled(read_csv(path)) for path in parts]
    rows = [*structure_rows(shown), *acquisition_rows(stated, brains)]
    rows += cleaning_rows(shown, settings.zscore)
    orders = order_rows(shown)
    sharing = {frozenset((row["subject"], row["other"])) for row in orders if row["flagged"]}
    for one in brains:
        rows += averaged_rows(one, shown) + missing_rows(one)
        mask = cross_run(shown, one.ids)
        rows += agreement_rows(one, mask, sharing, settings.study_seed)
    if settings.null:
        rows += session_rows(brain, settings.null)
    rows += orders + _unrepeated(measured, responses, settings)
    table = pd.concat([as_table(rows), *map(_typed, measured)], ignore_index=True)
    write_csv(output, table)
    return table


def _in_order(brain: Sequence[Path]) -> list[list[Path]]:
    # ROIs as the study names them, not in alphabetical order
    paths = [Path(path) for path in brain]
    return sorted(files_by_roi(paths).values(), key=lambda files: paths.index(files[0]))


def _named(brain: BrainRdms) -> BrainRdms:
    return replace(brain, subjects=[label(subject) for subject in brain.subjects])


def _typed(part: pd.DataFrame) -> pd.DataFrame:
    return as_table(part.to_dict("records"))


def _unrepeated(
    parts: Sequence[pd.DataFrame], responses: Sequence[Path], settings: QualityTableSettings
) -> list[dict[str, Any]]:
    without = {part["roi"].iloc[0] for part in parts if _repeated(part) == 0}
    if not without:
        return []
    files = {roi: own for roi, own in files_by_roi(responses).items() if roi in without}
    told = settings.quality.shifts, settings.study_seed
    return [row for own in files.values() if len(own) > 1 for row in unrepeated_rows(own, *told)]


def _repeated(part: pd.DataFrame) -> float:
    found = (part["check"] == "shift_test") & (part["item"] == "repeated stimuli")
    return float(part.loc[found, "value"].iloc[0])
