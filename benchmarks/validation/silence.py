"""Data sets in which nothing was seen: the null of the ceiling, and an artefact of run order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.provenance import derive_seed
from rulealign.rsa.ceiling import nili_bounds, null_bounds
from rulealign.rsa.compare import spearman_matrix
from validation.families import randomised
from validation.road import Subjects, brain_rdms, cross_run_pairs
from validation.world import Row, Setting, generator


def nothing_seen(setting: Setting, number: int, folder: Path) -> Row:
    """Measure subjects who see nothing: only noise and run drift, in orders of their own or in one.

    Args:
        setting: of the simulation.
        number: of the data set.
        folder: for the files on the way.

    Returns:
        p-values of both bounds where orders differ; agreement (the lower bound) and the score of
        a model of time over all pairs and over those in different runs, where orders differ and
        where all subjects share one.
    """
    silent = [np.zeros((setting.stimuli, setting.voxels))] * setting.subjects
    row = {}
    for order, shared in (("own", False), ("shared", True)):
        subjects = Subjects(silent, (order, number), setting.drift, shared_order=shared)
        brain, trials = brain_rdms(setting, subjects, folder)
        mask = cross_run_pairs(trials, brain.ids, folder)
        time = _time_model(trials[0], brain.ids)
        for pairs, kept in (("all", None), ("cross_run", mask)):
            row[f"agreement {order} {pairs}"] = nili_bounds(brain.rdms, kept)[0]
            score = spearman_matrix(time, brain.rdms, mask=kept).mean()
            row[f"time {order} {pairs}"] = float(score)
        if not shared:
            row |= _ceiling_p(setting, number, brain.rdms)
    return row


def _time_model(trials: pd.DataFrame, ids: list[str]) -> np.ndarray:
    # how many trials lie between two stimuli: a run's own pairs are near each other
    place = np.argsort(trials["stimulus"].to_numpy())
    first, second = np.triu_indices(len(ids), 1)
    return np.abs(place[first] - place[second]).astype(np.float32)


def _ceiling_p(setting: Setting, number: int, brain: np.ndarray) -> Row:
    seed = derive_seed(setting.seed, "validation", "ceiling", number)
    null = null_bounds(brain, setting.null_draws, seed)
    above = (null >= np.array(nili_bounds(brain)[:2])).sum(axis=0)
    ties = 1 / (1 + len(null))
    rng = generator(setting, "randomised p of bounds", number)
    return {
        f"p {bound} bound": randomised((1 + count) * ties, ties, rng)
        for bound, count in zip(("lower", "upper"), above.tolist(), strict=True)
    }
