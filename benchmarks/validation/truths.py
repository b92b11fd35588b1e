"""The truth that scores estimate, by a route of its own: no function of `rulealign.rsa`.

Distances and ranks by scipy, correlations of ranks by numpy, on stimuli and subjects that no
data set contains. Two truths are told apart. `at n`: the expected score of a data set as large as
those that are tested. `of many`: the score over many stimuli; it is what `at n` tends to, and
differs from it where a score is biased at few stimuli.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, zscore

from rulealign.data.simulated.voxels import Scenes
from validation.world import (
    MODELS,
    Setting,
    draw_scenes,
    generator,
    model_features,
    network_features,
    signals,
)

SCORES = (*MODELS, "difference", "network")
"""What has a truth: the score of each model, their difference, and the score of any network."""


def scores(
    setting: Setting, scenes: Scenes, subjects: list[object], *purpose: object
) -> np.ndarray:
    """Score the models against subjects, measured once, without the pipeline.

    Args:
        setting: of the simulation.
        scenes: the stimuli.
        subjects: who.
        purpose: whose noise.

    Returns:
        float64, shape (subjects, 4); the columns are `SCORES`.
    """
    features = [model_features(setting, scenes, model) for model in MODELS]
    features.append(network_features(setting, scenes, *purpose)[0, 0])
    ranked = [rankdata(pdist(each, "correlation")) for each in features]
    rng = generator(setting, "noise of the truth", *purpose)
    found = np.empty((len(subjects), len(SCORES)))
    for row, subject in enumerate(subjects):
        signal = signals(setting, scenes, subject)
        noisy = zscore(signal + setting.noise * rng.standard_normal(signal.shape), axis=0)
        brain = rankdata(pdist(noisy, "correlation"))
        true, other, network = (np.corrcoef(model, brain)[0, 1] for model in ranked)
        found[row] = true, other, true - other, network
    return found


def truth(
    setting: Setting, what: str, stimuli: int, batches: int, *, new_subjects: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Average scores over many independent batches of stimuli.

    Args:
        setting: of the simulation.
        what: a name for the seeds.
        stimuli: in a batch.
        batches: how many.
        new_subjects: whether every batch has subjects of its own; else all have the fixed ones of
            the data sets.

    Returns:
        The truths of `SCORES`, and their standard errors; float64, shape (4,) each.
    """
    means = np.empty((batches, len(SCORES)))
    for batch in range(batches):
        scenes = draw_scenes(setting, stimuli, what, batch)
        subjects = subjects_of(setting, (what, batch) if new_subjects else ())
        means[batch] = scores(setting, scenes, subjects, what, batch).mean(axis=0)
    return means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(batches)


def subjects_of(setting: Setting, group: tuple[object, ...]) -> list[object]:
    """Name the subjects of a group; the empty group are the fixed subjects.

    Args:
        setting: `subjects` is used.
        group: which group.

    Returns:
        Their names, as `world.signals` takes them.
    """
    return [f"{'/'.join(map(str, group))}:{number}" for number in range(setting.subjects)]


def truth_of_subjects(
    setting: Setting, scenes: Scenes, subjects: int
) -> tuple[np.ndarray, np.ndarray]:
    """Average scores over many subjects who see the same stimuli.

    Args:
        setting: of the simulation.
        scenes: the stimuli.
        subjects: how many.

    Returns:
        The truths of `SCORES`, and their standard errors; float64, shape (4,) each.
    """
    who = [f"crowd:{number}" for number in range(subjects)]
    found = scores(setting, scenes, who, "crowd")
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(subjects)
