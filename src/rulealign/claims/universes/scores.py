"""Scores of one rule's networks with one ROI in every universe of the claims, with their draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rulealign.claims.universes.inputs import read_sets
from rulealign.claims.universes.rows import COLUMNS, UniverseRows
from rulealign.errors import DataError
from rulealign.plan.settings.claims import UniverseSettings
from rulealign.rsa.bootstrap.draw_blocks import WORK_MB
from rulealign.rsa.brain_rdms import read_brain_rdms

__all__ = ["COLUMNS", "score_universes"]


def score_universes(
    rdm_files: Sequence[Path],
    brain_files: Sequence[Path],
    control_files: Sequence[Path],
    rule: str,
    roi: str,
    settings: UniverseSettings,
    table: Path,
    draws: Path,
    pairs_file: Path | None = None,
    *,
    work_mb: float = WORK_MB,
    threads: int = 1,
) -> None:
    """Score the RDMs of one rule that claims are about, in all ways that universes ask for.

    All rest on the same resamples of the stimuli, so that any of them may be subtracted from any
    other. Plain scores (Spearman, no control) and their draws are those of `alignment.align`.

    Args:
        rdm_files: the rule's files of `rdms/`: every seed and epoch with every stimulus set and
            size that claims are about.
        brain_files: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        control_files: files of control RDMs of these stimulus sets and sizes; may be empty where no
            control is partialled out.
        rule: its label.
        roi: its label.
        settings: of the universes.
        table: the CSV to make, with `COLUMNS`, sorted; a row that can have no score says why in
            `reason`. `low` and `high` are percentiles.
        draws: the HDF5 file to make: `draws`, float32 (draws, rows with a score), named in
            `ids/row` by `KEYS`; `left_out`, float64 (stimuli, the same rows): the scores without
            each stimulus; `ids/stimulus`; `pairs_hash_<kind>`. Where the study generalises to
            subjects, too, the same with a last axis of subjects, `ids/subject`: `subject_scores`,
            `subject_draws` and `subject_left_out`. `shuffles`, float32 (shuffles, the same rows):
            the scores with the brain's stimuli permuted. All are held until the end.
        pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.
        work_mb: megabytes for bootstraps of Spearman to work in, besides RDMs and draws.
        threads: resamples that are worked on at a time; neither changes any number.

    Raises:
        ConfigurationError: there is no such comparison or kind of pairs, or no file of pairs.
        DataError: stimulus ids differ (names both files and the first difference), a network,
            layer or control is not in the files, no analysis is asked for, or an RDM is constant,
            not finite or listed twice.
        GuardError: a file is of another rule, ROI, distance or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    if not settings.analyses:
        raise DataError(f"{table}: no analysis is asked for; leave the file out.")
    brain = read_brain_rdms(brain_files, roi)
    rows = UniverseRows(settings, brain, pairs_file, {"work_mb": work_mb, "threads": threads})
    for one in read_sets(rdm_files, control_files, rule, settings, brain.ids):
        rows.add(one)
    rows.write(table, draws)
