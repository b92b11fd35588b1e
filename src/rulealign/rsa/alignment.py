"""Alignment of one arm with one ROI: scores, intervals and their bootstrap draws."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.plan.settings.scores import AlignmentSettings, ScoreSettings
from rulealign.rsa.bootstrap.alignment_samples import alignment_samples
from rulealign.rsa.bootstrap.draw_blocks import WORK_MB, draw_blocks
from rulealign.rsa.bootstrap.draws_file import new_draws
from rulealign.rsa.bootstrap.primary import STIMULI
from rulealign.rsa.bootstrap.resamples import study_resamples
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.rsa.compare import (
    CONVENTIONS,
    PER_SUBJECT,
    convention_weights,
    spearman_matrix,
    with_mean,
)
from rulealign.rsa.layer_table import write_layer_roi
from rulealign.rsa.model_rdms import MODEL_KEYS, ModelRdms, joined, read_model_rdms
from rulealign.rsa.pairs import pairs_hash, read_pairs
from rulealign.rsa.unfit import naming
from rulealign.store import require_same_ids, write_csv

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
    arm: Arm,
    roi: str,
    settings: AlignmentSettings,
    table: Path,
    draws: Path,
    pairs_file: Path | None = None,
    *,
    layers: Path | None = None,
    work_mb: float = WORK_MB,
    threads: int = 1,
) -> None:
    """Score all RDMs of one arm against one ROI, in both conventions, and bootstrap the scores.

    Args:
        rdm_files: the arm's files of `rdms/`, for all seeds, epochs, stimulus sets and sizes.
        brain_files: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        arm: the network and the rule.
        roi: its label.
        settings: of the comparison.
        table: the CSV to make, with `COLUMNS`; one row per RDM and convention, sorted.
        draws: the HDF5 file to make: `draws`, float32 (draws, rows), rows as in the table and
            named in `ids/row`; stimuli in `ids/stimulus`; `pairs_hash` tells over which pairs.
            Also `subject_scores`, float64 (rows of per_subject, subjects): each subject's rho,
            with `ids/subject_row` and `ids/subject`; and of rows of the `sampled_layers` what a
            primary interval needs, too (`alignment_samples`, with `ids/sampled_row`).
        pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.
        layers: another CSV to make, of every layer beside the choice among them; see
            `layer_table.write_layer_roi`. By default none.
        work_mb: megabytes for the bootstrap to work in, besides the RDMs; changes no draw.
        threads: resamples that are worked on at a time; changes no draw.

    Raises:
        ConfigurationError: there is no such kind of pairs, or no file of pairs in different runs.
        DataError: stimulus ids differ (names both files and the first difference), or an RDM is
            constant, not finite, missing or listed twice.
        GuardError: a file is of another arm, ROI, distance or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    models, brain = read_model_rdms(rdm_files, arm), read_brain_rdms(brain_files, roi)
    require_same_ids(models.ids, brain.ids, str(rdm_files[0]), str(brain_files[0]))
    mask = read_pairs(pairs_file, brain.ids, settings.pairs)
    n_pairs = models.rdms.shape[1] if mask is None else int(mask.sum())
    rows = _rows(models, brain).assign(pairs=settings.pairs, n_pairs=n_pairs)
    rho = _rho(models, brain, mask)
    rows["score"] = (rho @ convention_weights(len(brain.subjects))).reshape(-1)
    about = arm._asdict() | {"roi": roi, "pairs_hash": pairs_hash(mask)}
    ids = {"row": row_ids(rows), "stimulus": brain.ids, "subject": brain.subjects}
    ids["subject_row"] = row_ids(rows[rows["convention"] == PER_SUBJECT])
    arrays = {"subject_scores": rho[:, : len(brain.subjects)]}
    how = {"mask": mask, "work_mb": work_mb, "threads": threads}
    if settings.sampled_layers:
        samples, sampled = _primary_samples(models, brain, settings, **how)
        arrays |= samples
        ids["sampled_row"] = row_ids(rows[sampled])
    made_with = settings.narrowed(ScoreSettings)
    with new_draws(draws, settings.bootstrap_draws, ids, made_with, about, arrays) as stored:
        rows["low"], rows["high"] = _sampled(models, brain, settings, stored, **how)
        if layers is not None:
            given = models, brain, rows["score"].to_numpy()
            write_layer_roi(layers, rdm_files, *given, settings, **how)
        write_csv(table, rows[list(COLUMNS)])


def _rho(models: ModelRdms, brain: BrainRdms, mask: np.ndarray | None) -> np.ndarray:
    # shape (models, subjects and their mean)
    names = {"model_names": models.names, "brain_names": brain.names}
    return spearman_matrix(models.rdms, with_mean(brain.rdms), mask=mask, **names)


def _primary_samples(
    models: ModelRdms, brain: BrainRdms, settings: AlignmentSettings, **how: Any
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    # and which rows of the table they are of
    chosen = models.index["layer"].isin(settings.sampled_layers).to_numpy()
    goal, names = settings.generalise_to, np.array(models.names)[chosen]
    counts = study_resamples(settings, len(brain.ids))
    with naming(model=names, brain=brain.names):
        samples = alignment_samples(models.rdms[chosen], brain.rdms, counts, goal, **how)
    has = [goal == STIMULI or convention == PER_SUBJECT for convention in CONVENTIONS]
    return samples, np.outer(chosen, has).reshape(-1)


def _sampled(
    models: ModelRdms,
    brain: BrainRdms,
    settings: ScoreSettings,
    stored: h5py.Dataset,
    **how: Any,
) -> np.ndarray:
    # write the draws as they come; the intervals, shape (2, rows), need those of a set of models
    n_draws, n_rows = stored.shape
    counts = study_resamples(settings, len(brain.ids))
    whose = f"{Arm(*models.index.loc[0, ['network', 'rule']])} and {brain.roi}"
    show = _progress_lines(f"{whose}: {len(models.rdms)} RDMs, {n_draws} resamples")
    how["combine"] = convention_weights(len(brain.subjects))
    intervals = np.empty((2, n_rows))
    blocks = draw_blocks(models.rdms, with_mean(brain.rdms), counts, **how)
    with naming(model=models.names, brain=brain.names):
        for block in blocks:
            first, last = block.models.start, block.models.stop
            columns = slice(first * len(CONVENTIONS), last * len(CONVENTIONS))
            if block.draws.start == 0:
                held = np.empty((n_draws, columns.stop - columns.start))
            held[block.draws] = block.scores.reshape(len(block.scores), -1)
            stored[block.draws, columns] = held[block.draws]
            if block.draws.stop == n_draws:
                intervals[:, columns] = percentile_interval(held, settings.interval)
            show(block.done)
    return intervals


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
        One name per row, such as `cnn3_bp_42_0_grey_32_conv1_grid-8_centred_EVC_mean_rdm_all`.
    """
    return joined(rows[[*MODEL_KEYS, "roi", "convention", "pairs"]])
