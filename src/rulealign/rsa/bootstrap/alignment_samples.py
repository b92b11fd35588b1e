"""What the primary interval of an alignment needs besides its draws, written and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.primary import STIMULI, Effect
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman
from rulealign.rsa.compare import convention_weights, with_mean
from rulealign.store import read_ids


def alignment_samples(
    models: np.ndarray, subjects: np.ndarray, counts: np.ndarray, generalise_to: str, **how: Any
) -> dict[str, np.ndarray]:
    """Score RDMs in what the primary interval needs besides the draws of the scores.

    Args:
        models: float64, shape (n_models, n_pairs); condensed RDMs.
        subjects: float64, shape (n_subjects, n_pairs); those of an ROI.
        counts: the resamples of the draws, shape (draws, n_stimuli).
        generalise_to: `STIMULI`, `SUBJECTS` or `BOTH`, of `primary`.
        **how: `mask`, `work_mb` and `threads`, as in `bootstrap_spearman`.

    Returns:
        Of other stimuli alone `left_out`: the scores without each stimulus, float64, shape
        (n_stimuli, rows), with a row per model and convention. Else the numbers of every subject:
        `subject_draws`, float32 (draws, n_models, n_subjects), and `subject_left_out`, float64
        (n_stimuli, n_models, n_subjects).

    Raises:
        DataError: as in `bootstrap_spearman`, or there are fewer than 4 stimuli.
    """
    without = left_out_counts(counts.shape[1])
    if generalise_to == STIMULI:
        how["combine"] = convention_weights(len(subjects))
        left_out = bootstrap_spearman(models, with_mean(subjects), without, **how)
        return {"left_out": left_out.reshape(len(without), -1)}
    drawn = bootstrap_spearman(models, subjects, counts, **how)
    return {
        "subject_draws": drawn.astype(np.float32),
        "subject_left_out": bootstrap_spearman(models, subjects, without, **how),
    }


@dataclass(frozen=True)
class AlignmentSamples:
    """Scores of an alignment with what their primary interval needs.

    Attributes:
        columns: id of a row of the alignment table -> its place in the arrays. Rows of the mean RDM
            have none where the study generalises to subjects.
        scores: float64, shape (places, members); members: subjects, or their mean alone.
        drawn: shape (draws, places, members).
        left_out: shape (n_stimuli, places, members).
    """

    columns: Mapping[str, int]
    scores: np.ndarray
    drawn: np.ndarray
    left_out: np.ndarray

    def effect(self, ids: Sequence[str]) -> Effect | None:
        """Give the scores of some rows, one per seed; None where they have no samples."""
        if not all(name in self.columns for name in ids):
            return None
        at = [self.columns[name] for name in ids]
        parts = self.scores[at], self.drawn[:, at], self.left_out[:, at]
        return Effect(*(part.astype(np.float64) for part in parts))


def read_alignment_samples(
    file: h5py.File, scores: Mapping[str, float], generalise_to: str
) -> AlignmentSamples:
    """Read back what `alignment_samples` made.

    Args:
        file: an open file of draws of an alignment.
        scores: id of each row of the alignment table -> its score.
        generalise_to: as in `alignment_samples`.

    Returns:
        The samples; of no row where the file has none.
    """
    ids = read_ids(file, "sampled_row") if "ids/sampled_row" in file else []
    columns = {name: place for place, name in enumerate(ids)}
    if generalise_to == STIMULI and "left_out" in file:
        of_row = {name: place for place, name in enumerate(read_ids(file, "row"))}
        drawn = file["draws"][()][:, [of_row[name] for name in ids], np.newaxis]
        own = np.array([[scores[name]] for name in ids])
        return AlignmentSamples(columns, own, drawn, file["left_out"][()][..., np.newaxis])
    if generalise_to != STIMULI and "subject_draws" in file:
        of_row = {name: place for place, name in enumerate(read_ids(file, "subject_row"))}
        own = file["subject_scores"][()][[of_row[name] for name in ids]]
        return AlignmentSamples(columns, own, *(file[f"subject_{x}"][()] for x in _OF_SUBJECTS))
    return AlignmentSamples({}, *(np.empty((0, 0, 0)) for _ in range(3)))


_OF_SUBJECTS = ("draws", "left_out")
