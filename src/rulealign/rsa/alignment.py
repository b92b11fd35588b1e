"""Alignment of one rule's networks with one ROI: scores, intervals and their bootstrap draws."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.errors import GuardError
from rulealign.rsa.bootstrap import (
    bootstrap_seed,
    bootstrap_spearman,
    percentile_interval,
    resample_counts,
)
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.rsa.compare import (
    CONVENTIONS,
    convention_weights,
    spearman_matrix,
    with_mean,
)
from rulealign.rsa.model_rdms import MODEL_KEYS, ModelRdms, joined, read_model_rdms
from rulealign.rsa.pairs import pairs_hash, read_pairs
from rulealign.store import require_same_ids, write_csv, write_h5

COLUMNS = (
    *MODEL_KEYS,
    "roi",
    "convention",
    "pairs",
    "n_stimuli",
    "n_pairs",
    "n_subjects",
    "score",
    "low",
    "high",
)
"""Columns of `alignment/*.csv`."""

_SECONDS_BETWEEN_LINES = 5.0


def align(
    rdm_files: Sequence[Path],
    brain_files: Sequence[Path],
    settings: dict[str, Any],
    table: Path,
    draws: Path,
    pairs_file: Path | None = None,
) -> None:
    """Score all RDMs of one rule against one ROI, in both conventions, and bootstrap the scores.

    Args:
        rdm_files: the rule's files of `rdms/`, for all seeds, epochs, stimulus sets and sizes.
        brain_files: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        settings: `study_seed`, `bootstrap_draws`, `interval` (coverage), `pairs` (all or
            cross_run), `roi` and `rule`.
        table: the CSV to make, with `COLUMNS`; one row per RDM and convention, sorted.
        draws: the HDF5 file to make: `draws`, float32 (draws, rows), rows as in the table and
            named in `ids/row`; stimuli in `ids/stimulus`; `pairs_hash` tells over which pairs.
        pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.

    Raises:
        ConfigurationError: there is no such kind of pairs, or no file of pairs in different runs.
        DataError: stimulus ids differ (names both files and the first difference), or an RDM is
            constant, not finite, missing or there twice.
        GuardError: a file is of another rule, ROI, distance or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    models = read_model_rdms(rdm_files, settings["rule"])
    brain = read_brain_rdms(brain_files)
    if brain.roi != settings["roi"]:
        raise GuardError(f"{brain_files[0]}: is of the ROI '{brain.roi}', not '{settings['roi']}'.")
    require_same_ids(models.ids, brain.ids, str(rdm_files[0]), str(brain_files[0]))
    mask = read_pairs(pairs_file, brain.ids, settings["pairs"])
    scores, sampled = _scores(models, brain, settings, mask)
    low, high = percentile_interval(sampled, settings["interval"])
    n_pairs = models.rdms.shape[1] if mask is None else int(mask.sum())
    rows = _rows(models, brain).assign(pairs=settings["pairs"], n_pairs=n_pairs)
    rows = rows.assign(score=scores, low=low, high=high)[list(COLUMNS)]
    write_csv(table, rows)
    write_h5(
        draws,
        {"draws": sampled.astype(np.float32)},
        ids={"row": row_ids(rows), "stimulus": brain.ids},
        settings=settings,
        attributes={
            "rule": settings["rule"],
            "roi": brain.roi,
            "pairs_hash": pairs_hash(mask),
        },
    )


def _scores(
    models: ModelRdms, brain: BrainRdms, settings: dict[str, Any], mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    # scores (rows,) and draws (draws, rows); rows: models, and conventions within each
    brains, weights = with_mean(brain.rdms), convention_weights(len(brain.subjects))
    rho = spearman_matrix(models.rdms, brains, mask=mask, model_names=models.names)
    scores = rho @ weights
    n_stimuli, draws = len(brain.ids), settings["bootstrap_draws"]
    counts = resample_counts(n_stimuli, draws, bootstrap_seed(settings["study_seed"], n_stimuli))
    what = f"{settings['rule']} and {brain.roi}: {len(models.rdms)} RDMs, {draws} resamples"
    sampled = bootstrap_spearman(
        models.rdms, brains, counts, combine=weights, mask=mask, progress=_progress_lines(what)
    )
    return scores.reshape(-1), sampled.reshape(draws, -1)


def _progress_lines(what: str) -> Callable[[float], None]:
    start = last = time.monotonic()

    def show(fraction: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES:
            last, spent = now, now - start
            left = spent * (1 - fraction) / fraction
            print(f"{what}: {fraction:.0%} in {spent:.0f} s, {left:.0f} s left", flush=True)

    return show


def _rows(models: ModelRdms, brain: BrainRdms) -> pd.DataFrame:
    repeated = models.index.loc[models.index.index.repeat(len(CONVENTIONS))]
    return repeated.reset_index(drop=True).assign(
        roi=brain.roi,
        convention=np.tile(CONVENTIONS, len(models.index)),
        n_stimuli=len(brain.ids),
        n_subjects=len(brain.subjects),
    )


def row_ids(rows: pd.DataFrame) -> list[str]:
    """Name the rows of an alignment table, for the columns of its draws.

    Args:
        rows: a table with the columns `MODEL_KEYS`, `roi`, `convention` and `pairs`.

    Returns:
        One name per row, such as `bp_42_0_grey_32_conv1_grid-8_centred_EVC_mean_rdm_all`.
    """
    return joined(rows[[*MODEL_KEYS, "roi", "convention", "pairs"]])
