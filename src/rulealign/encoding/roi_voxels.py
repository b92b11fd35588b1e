"""The voxels of an ROI's subjects, with folds and noise ceilings, before any network is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.images.stimulus_sets import Chosen
from rulealign.data.responses.patterns import read_scores
from rulealign.encoding.folds import groups_of, runs_of_single_trials
from rulealign.encoding.roi_gram import Voxels, split
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import VoxelSettings
from rulealign.store import open_h5, require_same_ids, write_h5

if TYPE_CHECKING:
    import pandas as pd


def write_roi_voxels(
    responses: Sequence[Path], roi: str, settings: VoxelSettings, output: Path
) -> None:
    """Average an ROI's trials to patterns, estimate each voxel's ceiling, and make the folds.

    Stimuli of one concept share a fold; where every stimulus was shown once, so do those of a run,
    whose noise they share. Then folds are each subject's own.

    Args:
        responses: the ROI's `sub-<s>_roi-<r>_responses.h5`, one per subject.
        roi: its label.
        settings: of stimuli, folds and ceilings.
        output: the HDF5 file to make: `patterns/<subject>` and `ceilings/<subject>`, as in
            `roi_gram.Voxels`, the patterns' Gram matrices `grams`, `folds` and `groups`.

    Raises:
        DataError: there are too few groups of stimuli for the folds, stimuli differ between
            subjects, or no image was shown twice and ceilings are asked for; names the file.
        StoreError: a file cannot be read, or the disk is full.
    """
    arrays, subjects, stimuli, grams, groups = {}, [], [], [], []
    for path in responses:
        with open_h5(path) as file:
            subjects.append(str(file.attrs["subject"]))
        trials, scores, chosen = read_scores(path, settings.stimulus_set, settings.zscore)
        stimuli.append(list(chosen))
        require_same_ids(stimuli[0], stimuli[-1], str(responses[0]), str(path))
        voxels = _voxels(trials, scores, chosen, settings.ceiling, str(path))
        arrays[f"patterns/{subjects[-1]}"] = voxels.patterns
        arrays[f"ceilings/{subjects[-1]}"] = voxels.ceilings
        grams.append(voxels.patterns @ voxels.patterns.T)
        groups.append(_groups(trials, chosen))
    folds = [split(own, settings, str(at)) for own, at in zip(groups, responses, strict=True)]
    arrays |= {"grams": np.stack(grams), "folds": np.stack(folds), "groups": np.stack(groups)}
    ids = {"stimulus": stimuli[0], "subject": subjects}
    write_h5(output, arrays, ids=ids, settings=settings.plain(), attributes={"roi": roi})


def _groups(trials: pd.DataFrame, chosen: Chosen) -> np.ndarray:
    shown = trials.iloc[[places[0] for places in chosen.values()]]
    runs = runs_of_single_trials(trials, chosen)
    return groups_of(list(chosen), shown["concept"].tolist(), *([runs] if runs else []))


def _voxels(
    trials: pd.DataFrame, scores: np.ndarray, chosen: Chosen, asked: bool, what: str
) -> Voxels:
    patterns = np.stack([scores[:, places].mean(axis=1) for places in chosen.values()])
    if not asked:
        return Voxels(patterns, np.full(patterns.shape[1], np.nan))
    share = float(np.mean([1 / len(places) for places in chosen.values()]))
    noise = noise_variance(scores, trials["stimulus"].to_numpy(), what)
    return Voxels(patterns, 1 - share * noise / patterns.var(axis=0, ddof=1))


def noise_variance(scores: np.ndarray, stimuli: np.ndarray, what: str) -> np.ndarray:
    """Estimate each voxel's noise in a single trial, from images that were shown again.

    Not for responses that are means of trials already: their noise is in none of their differences.

    Args:
        scores: float64, shape (n_voxels, n_trials).
        stimuli: names of the images, shape (n_trials,).
        what: whose responses they are, for the error: the file.

    Returns:
        float64, shape (n_voxels,), in squared units of the scores: the variance within images,
        pooled over all that were shown twice or more.

    Raises:
        DataError: no image was shown twice.
    """
    _, image, shown = np.unique(stimuli, return_inverse=True, return_counts=True)
    again = shown[image] > 1
    if not again.any():
        raise DataError(
            f"{what}: no image was shown twice, so nothing tells noise from signal; set"
            " encoding.voxels.ceiling to false."
        )
    _, place, n = np.unique(image[again], return_inverse=True, return_counts=True)
    scores = scores[:, again]
    means = np.stack([np.bincount(place, row) for row in scores]) / n
    return ((scores - means[:, place]) ** 2).sum(axis=1) / (len(place) - len(n))
