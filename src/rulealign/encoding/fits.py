"""Fits of one network's features to an ROI: of its voxels, or of their Gram matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rulealign.encoding.folds import folds_seed
from rulealign.encoding.ridge import Grid, HeldOut, held_out
from rulealign.encoding.roi_gram import RoiGram
from rulealign.encoding.voxel_influence import influences
from rulealign.encoding.voxelwise import R2, mean_scores, predict_voxels
from rulealign.plan.settings.encoding import EncodingSettings
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.mutual import probed, probes
from rulealign.rsa.bootstrap.primary import SUBJECTS, Effect
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts

RIDGE = "ridge_r2"
"""Measure: cross-validated R^2 of all voxels together."""


@dataclass(frozen=True)
class Counts:
    """Resamples of the stimuli that the whole study shares, and samples without each stimulus.

    Attributes:
        drawn: int, shape (draws, n_stimuli).
        left_out: int, shape (n_stimuli, n_stimuli).
        signs: of `mutual.probes`; None where nothing is generalised to stimuli.
        settings: of the study.
    """

    drawn: np.ndarray
    left_out: np.ndarray
    signs: np.ndarray | None
    settings: EncodingSettings

    @classmethod
    def of(cls, settings: EncodingSettings, n_stimuli: int) -> Counts:
        """Draw them."""
        seed = bootstrap_seed(settings.study_seed, n_stimuli)
        drawn = resample_counts(n_stimuli, settings.bootstrap_draws, seed)
        of_stimuli = settings.generalise_to != SUBJECTS
        signs = probes(settings.study_seed, n_stimuli) if of_stimuli else None
        return cls(drawn, left_out_counts(n_stimuli), signs, settings)


@dataclass(frozen=True)
class Fit:
    """How features of one network predict an ROI.

    Attributes:
        held: squared errors of held-out stimuli, summed over voxels.
        scores: measure -> its scores, shape (n_subjects,), in resamples (draws, n_subjects),
            without each stimulus (n_stimuli, n_subjects), and where these are generalised to, what
            they do to it in pairs (2 probes, n_subjects).
        by_voxel: of each subject R^2 and r of its voxels, shape (2, n_voxels); [] without voxels.
    """

    held: HeldOut
    scores: Mapping[str, Sequence[np.ndarray]]
    by_voxel: list[np.ndarray] = field(default_factory=list)

    @property
    def r2(self) -> str:
        """The measure that is a cross-validated R^2."""
        return RIDGE if RIDGE in self.scores else R2


def effect(fits: Sequence[Fit], measure: str) -> Effect:
    """Give a measure of the networks of all seeds, with its samples of the stimuli."""
    of_seeds = zip(*[one.scores[measure] for one in fits], strict=True)
    return Effect(*[np.stack(samples, axis=-2) for samples in of_seeds])


def fit_features(
    spaces: Sequence[np.ndarray],
    brain: RoiGram,
    counts: Counts,
    mixes: Sequence[Sequence[float]] = ((1.0,),),
) -> Fit:
    """Predict an ROI from features: its voxels where they are known, else all of them together.

    Args:
        spaces: feature spaces, each shape (n_stimuli, n_features).
        brain: the ROI.
        counts: resamples, and the settings.
        mixes: as in `ridge.Grid`.

    Returns:
        The fit. Intervals from its samples are conditional on the fitted models.

    Raises:
        MissingValue: all features are constant over the stimuli of a training fold.
        DataError: a training fold has fewer groups than inner folds.
        ConfigurationError: as in `voxelwise.predict_voxels`, like the next.
        GuardError: see there.
    """
    grid = Grid(counts.settings.penalties, counts.settings.inner_folds, mixes)
    return (_voxels if brain.voxels else _together)(spaces, brain, counts, grid)


def _together(spaces: Sequence[np.ndarray], brain: RoiGram, counts: Counts, grid: Grid) -> Fit:
    seed, signs = folds_seed(counts.settings.study_seed, len(brain.ids)), counts.signs
    told = spaces, brain.grams, brain.folds[0], brain.groups[0], grid, seed
    held = held_out(*told, pulls=signs is not None)
    samples = [held.r2(), held.r2(counts.drawn), held.r2(counts.left_out)]
    if signs is not None:
        samples.append(probed(held.influence, brain.folds[0], signs))
    # the largest part of it, which has served its purpose
    return Fit(replace(held, pulls=None), {RIDGE: samples})


def _voxels(spaces: Sequence[np.ndarray], brain: RoiGram, counts: Counts, grid: Grid) -> Fit:
    settings = counts.settings
    seed = folds_seed(settings.study_seed, len(brain.ids))
    once = np.ones((1, len(brain.ids)), dtype=np.int64)
    held, by_voxel, scores = [], [], []
    for voxels, folds, groups in zip(brain.voxels, brain.folds, brain.groups, strict=True):
        how = grid, seed, settings.block, settings.device
        found = predict_voxels(spaces, voxels.patterns, folds, groups, *how)
        held.append((found.errors, found.baseline))
        parts = [np.concatenate(own.scores(once)) for _, own in found.blocks(settings.block)]
        by_voxel.append(np.concatenate(parts, axis=1))
        told = voxels.ceilings, settings.least_ceiling, settings.block
        samples = (once, counts.drawn, counts.left_out)
        scores.append([mean_scores(found, *told, sample) for sample in samples])
        if counts.signs is not None:
            of_pairs = influences(spaces, found, voxels.patterns, folds, *told)
            kept = probed(np.stack([*of_pairs.values()]), folds, counts.signs)
            scores[-1].append(dict(zip(of_pairs, kept.T, strict=True)))
    errors, baseline = np.stack(held, axis=1)
    nothing = np.zeros((0, len(brain.subjects)), dtype=np.int64)
    return Fit(HeldOut(errors, baseline, nothing), _of_subjects(scores), by_voxel)


def _of_subjects(
    scores: Sequence[Sequence[Mapping[str, np.ndarray]]],
) -> dict[str, Sequence[np.ndarray]]:
    # of each subject the means in each kind of sample -> measure by measure
    made = {}
    for measure in scores[0][0]:
        if all(measure in one[0] for one in scores):
            samples = zip(*[[sample[measure] for sample in one] for one in scores], strict=True)
            once, *others = (np.stack(of, axis=1) for of in samples)
            made[measure] = (once[0], *others)
    return made
