"""Alignment of controls with one ROI, scored like the layers of networks, and their table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.errors import DataError
from rulealign.plan.settings.scores import ScoreSettings
from rulealign.rsa.alignment import COLUMNS, row_ids
from rulealign.rsa.bootstrap.draw_blocks import WORK_MB
from rulealign.rsa.bootstrap.spearman import (
    bootstrap_seed,
    bootstrap_spearman,
    percentile_interval,
    resample_counts,
)
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.rsa.compare import CONVENTIONS, convention_weights, spearman_matrix, with_mean
from rulealign.rsa.control_rdms import DESCRIPTOR, KIND, ControlRdms, read_all_controls
from rulealign.rsa.model_rdms import MODEL_KEYS, joined
from rulealign.rsa.pairs import pairs_hash, read_pairs
from rulealign.rsa.tables import require_shared_bootstrap
from rulealign.rsa.unfit import naming
from rulealign.store import (
    open_h5,
    read_csv,
    read_ids,
    require_same_ids,
    write_csv,
    write_h5,
)

CONTROL_COLUMNS = (*COLUMNS, "reason")
"""Columns of `alignment/controls_*.csv`: those of networks, and why a score is missing."""

KEYS = ("stimuli", "size", "control", "centring", "roi", "convention", "pairs")
"""Columns that tell the rows of `statistics/controls.csv` apart, in sorting order."""


def align_controls(
    rdm_files: Sequence[Path],
    brain_files: Sequence[Path],
    roi: str,
    settings: ScoreSettings,
    table: Path,
    draws: Path,
    pairs_file: Path | None = None,
    *,
    work_mb: float = WORK_MB,
    threads: int = 1,
) -> None:
    """Score all controls against one ROI with the draws that networks are scored with.

    Args:
        rdm_files: the files of control RDMs, of all stimulus sets and sizes.
        brain_files: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        roi: its label.
        settings: of the scores.
        table: the CSV to make, with `CONTROL_COLUMNS`: network and rule are `control`, seed and
            epoch are 0, the layer is the control's name. A control that is missing for a stimulus
            set has rows without score, and the reason.
        draws: the HDF5 file to make, as by `alignment.align`, of the rows that have a score.
        pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.
        work_mb: megabytes for the bootstrap to work in, besides the RDMs; changes no draw.
        threads: resamples that are worked on at a time; changes no draw.

    Raises:
        ConfigurationError: there is no such kind of pairs, or no file of pairs in different runs.
        DataError: stimulus ids differ (names both files and the first difference), or an RDM is
            constant, not finite or listed twice.
        GuardError: a file is of another kind, ROI, distance or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    found, brain = read_all_controls(rdm_files), read_brain_rdms(brain_files, roi)
    require_same_ids(found[0].ids, brain.ids, found[0].path, str(brain_files[0]))
    mask = read_pairs(pairs_file, brain.ids, settings.pairs)
    rows = _rows_of(found, brain)
    how = {"mask": mask, "work_mb": work_mb, "threads": threads}
    sampled = _score(rows, found, brain, settings, **how)
    n_pairs = brain.rdms.shape[1] if mask is None else int(mask.sum())
    rows = rows.assign(pairs=settings.pairs, n_pairs=n_pairs)[list(CONTROL_COLUMNS)]
    write_csv(table, rows)
    write_h5(
        draws,
        {"draws": sampled.astype(np.float32)},
        ids={"row": row_ids(rows[rows["score"].notna()]), "stimulus": brain.ids},
        settings=settings.plain(),
        attributes={
            "network": KIND,
            "rule": KIND,
            "roi": brain.roi,
            "pairs_hash": pairs_hash(mask),
        },
    )


def _rows_of(found: Sequence[ControlRdms], brain: BrainRdms) -> pd.DataFrame:
    # one row per control, scored or not, centring and convention; those with a reason get no score
    keys = [
        (KIND, KIND, 0, 0, one.stimuli, one.size, name, DESCRIPTOR, how)
        for one in found
        for name, how in product(one.settings.controls, one.settings.centring)
    ]
    why = {(one.stimuli, one.size): one.missing for one in found}
    rows = [(*key, convention) for key in sorted(keys) for convention in CONVENTIONS]
    table = pd.DataFrame(rows, columns=[*MODEL_KEYS, "convention"])
    return table.assign(
        roi=brain.roi,
        n_stimuli=len(brain.ids),
        n_subjects=len(brain.subjects),
        **dict.fromkeys(("score", "low", "high"), np.nan),
        reason=[why[row.stimuli, row.size].get(row.layer, "") for row in table.itertuples()],
    )


def _score(
    rows: pd.DataFrame,
    found: Sequence[ControlRdms],
    brain: BrainRdms,
    settings: ScoreSettings,
    **how: Any,
) -> np.ndarray:
    # fills in scores and intervals; returns the draws of the rows that have a score
    n_stimuli, n_draws = len(brain.ids), settings.bootstrap_draws
    scored = rows["reason"] == ""
    if not scored.any():
        return np.zeros((n_draws, 0))
    index = rows.loc[scored, list(MODEL_KEYS)].drop_duplicates()
    by_set = {(one.stimuli, one.size): one for one in found}
    rdms = np.stack(
        [by_set[row.stimuli, row.size].rdm(row.layer, row.centring) for row in index.itertuples()]
    )
    brains, weights = with_mean(brain.rdms), convention_weights(len(brain.subjects))
    names = {"model_names": joined(index), "brain_names": brain.names}
    rho = spearman_matrix(rdms, brains, mask=how["mask"], **names)
    counts = resample_counts(n_stimuli, n_draws, bootstrap_seed(settings.study_seed, n_stimuli))
    with naming(model=joined(index), brain=brain.names):
        sampled = bootstrap_spearman(rdms, brains, counts, combine=weights, **how)
    sampled = sampled.reshape(n_draws, -1)
    low, high = percentile_interval(sampled, settings.interval)
    rows.loc[scored, "score"] = (rho @ weights).reshape(-1)
    rows.loc[scored, "low"], rows.loc[scored, "high"] = low, high
    return sampled


def controls_table(
    tables: Sequence[Path],
    draws: Sequence[Path],
    controls: Sequence[str],
    settings: ScoreSettings,
    output: Path,
) -> None:
    """Collect the scores of all controls: `statistics/controls.csv`.

    Args:
        tables: the `alignment/controls_*.csv`, of all ROIs.
        draws: their `*_draws.h5`, in the same order.
        controls: the names of the study's controls.
        settings: what all scores were made with.
        output: the CSV to make: `KEYS`, counts, score and interval, and `reason`, which says why
            a score is missing and is empty where there is one.

    Raises:
        GuardError: draws were made with other bootstrap settings or over other pairs.
        DataError: draws do not belong to their table, or a control has no row, several, or
            neither score nor reason.
        StoreError: a file cannot be read, or the disk is full.
    """
    if not tables or len(tables) != len(draws):
        raise DataError(f"{len(tables)} tables of controls need as many draws, not {len(draws)}.")
    require_shared_bootstrap([Path(path) for path in draws], settings)
    parts = [_checked(Path(one), Path(own)) for one, own in zip(tables, draws, strict=True)]
    rows = pd.concat(parts).rename(columns={"layer": "control"})
    rows = rows.drop(columns=["network", "rule", "seed", "epoch", "descriptor"])
    rows = rows.sort_values(list(KEYS), kind="stable")
    _require_complete(rows, controls)
    front = rows[list(KEYS)]
    write_csv(output, pd.concat([front, rows.drop(columns=list(KEYS))], axis=1))


def _checked(table: Path, draws: Path) -> pd.DataFrame:
    rows = read_csv(table)
    with open_h5(draws) as file:
        scored = rows[rows["score"].notna()]
        require_same_ids(row_ids(scored), read_ids(file, "row"), str(table), str(draws))
    wordless = rows["score"].isna() & rows["reason"].isna()
    if wordless.any():
        first = joined(rows.loc[wordless, ["stimuli", "size", "layer", "centring"]])[0]
        raise DataError(f"{table}: {first} has neither a score nor a reason why not.")
    return rows


def _require_complete(rows: pd.DataFrame, controls: Sequence[str]) -> None:
    repeated = rows.duplicated(list(KEYS))
    if repeated.any():
        first = joined(rows.loc[repeated, list(KEYS)])[0]
        raise DataError(f"two tables of controls have rows of {first}; list each table once.")
    others = [key for key in KEYS if key != "control"]
    for place, group in rows.groupby(others):
        if sorted(group["control"]) != sorted(controls):
            raise DataError(
                f"{'_'.join(map(str, place))} has the controls {sorted(group['control'])}, the"
                f" study has {sorted(controls)}; delete the older files and rerun the command."
            )
