"""The truth that scores estimate, by a route of its own: no function of `rulealign.rsa`.

Distances and ranks by scipy, correlations of ranks by numpy, on stimuli and people that no
data set contains. Two truths are told apart. `at n`: the expected score of a data set as large as
those that are tested. `of many`: the score over many stimuli; it is what `at n` tends to, and
differs from it where a score is biased at few stimuli.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist
from scipy.stats import rankdata, zscore

from rulealign.data.simulated_voxels import Scenes
from rulealign.validation.world import (
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


def scores(setting: Setting, scenes: Scenes, people: list[object], *purpose: object) -> np.ndarray:
    """Score the models against people, measured once, without the pipeline.

    Args:
        setting: of the simulation.
        scenes: the stimuli.
        people: who.
        purpose: whose noise.

    Returns:
        float64, shape (people, 4); the columns are `SCORES`.
    """
    features = [model_features(setting, scenes, model) for model in MODELS]
    features.append(network_features(setting, scenes, *purpose)[0, 0])
    ranked = [rankdata(pdist(each, "correlation")) for each in features]
    rng = generator(setting, "noise of the truth", *purpose)
    found = np.empty((len(people), len(SCORES)))
    for row, person in enumerate(people):
        signal = signals(setting, scenes, person)
        noisy = zscore(signal + setting.noise * rng.standard_normal(signal.shape), axis=0)
        brain = rankdata(pdist(noisy, "correlation"))
        true, other, network = (np.corrcoef(model, brain)[0, 1] for model in ranked)
        found[row] = true, other, true - other, network
    return found


def truth(
    setting: Setting, what: str, stimuli: int, batches: int, *, new_people: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Average scores over many independent batches of stimuli.

    Args:
        setting: of the simulation.
        what: a name for the seeds.
        stimuli: in a batch.
        batches: how many.
        new_people: whether every batch has people of its own; else all have the data sets' fixed
            ones.

    Returns:
        The truths of `SCORES`, and their standard errors; float64, shape (4,) each.
    """
    means = np.empty((batches, len(SCORES)))
    for batch in range(batches):
        scenes = draw_scenes(setting, stimuli, what, batch)
        people = people_of(setting, (what, batch) if new_people else ())
        means[batch] = scores(setting, scenes, people, what, batch).mean(axis=0)
    return means.mean(axis=0), means.std(axis=0, ddof=1) / np.sqrt(batches)


def people_of(setting: Setting, group: tuple[object, ...]) -> list[object]:
    """Name the people of a group; the empty group are the fixed people.

    Args:
        setting: `people` is used.
        group: which group.

    Returns:
        Their names, as `world.signals` takes them.
    """
    return [f"{'/'.join(map(str, group))}:{number}" for number in range(setting.people)]


def truth_of_people(setting: Setting, scenes: Scenes, people: int) -> tuple[np.ndarray, np.ndarray]:
    """Average scores over many people who see the same stimuli.

    Args:
        setting: of the simulation.
        scenes: the stimuli.
        people: how many.

    Returns:
        The truths of `SCORES`, and their standard errors; float64, shape (4,) each.
    """
    who = [f"crowd:{number}" for number in range(people)]
    found = scores(setting, scenes, who, "crowd")
    return found.mean(axis=0), found.std(axis=0, ddof=1) / np.sqrt(people)
