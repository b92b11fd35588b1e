"""Networks that differ in how good they are: primary intervals with few seeds and many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.provenance import derive_seed
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.pooled_seeds import Term, effects_alike, seeds_part
from rulealign.rsa.bootstrap.primary import (
    BOTH,
    STIMULI,
    SUBJECTS,
    Effect,
    Part,
    primary_interval,
    seed_variance,
)
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.compare import spearman_matrix
from validation.road import Subjects, brain_rdms, model_rdms
from validation.truths import subjects_of
from validation.world import (
    Row,
    Setting,
    draw_scenes,
    network_features,
    signals,
)

SPREAD = 0.3
"""Standard deviation of the logarithm of a network's noise: of how good networks are."""

POOLED, ONLY = "2 seeds, pooled", "these seeds only"
SEEDS = {f"{n} seeds": n for n in (8, 5, 3)} | {POOLED: 2}
"""How many networks of each rule are compared, in words -> how many."""

INTERVALS = (
    *((STIMULI, seeds) for seeds in (*SEEDS, ONLY)),
    *((goal, seeds) for goal in (SUBJECTS, BOTH) for seeds in ("8 seeds", "3 seeds", POOLED)),
)
"""What an interval generalises to, and over which seeds."""

_RULES = 4  # two that are compared, and two more that a variance over seeds is pooled over


def new_networks(setting: Setting, number: int, folder: Path) -> Row:
    """Measure new stimuli in new subjects with new networks, of which some are better than others.

    Rules are equally good, as their networks are drawn alike: the difference of two is 0 over new
    networks, whatever the stimuli and the subjects.

    Args:
        setting: of the simulation; 4 rules and 8 networks are used, whatever it says.
        number: of the data set.
        folder: for the files on the way.

    Returns:
        Score, ends and variance of every interval of `INTERVALS`: `<goal> <seeds> ...`.
    """
    purpose = ("new networks", number)
    scenes = draw_scenes(setting, setting.stimuli, *purpose)
    subjects = [signals(setting, scenes, subject) for subject in subjects_of(setting, purpose)]
    brain = brain_rdms(setting, Subjects(subjects, purpose), folder)[0].rdms
    features = network_features(setting, scenes, *purpose, rules=_RULES, networks=8, spread=SPREAD)
    rdms = model_rdms(features.reshape(-1, *features.shape[2:]))
    seed = derive_seed(setting.seed, "validation", *purpose)
    counts = resample_counts(setting.stimuli, setting.draws, seed)
    counts = np.vstack([counts, left_out_counts(setting.stimuli)])
    compared = bootstrap_spearman(rdms[:16], brain, counts)
    rho = spearman_matrix(rdms, brain)
    parts = rho[:16], compared[: setting.draws], compared[setting.draws :]
    whole = Effect(*(part[..., 8:, :] - part[..., :8, :] for part in parts))
    others = _pooled(rho.mean(axis=1).reshape(_RULES, 8)[:, :2])
    row: Row = {}
    for goal, seeds in INTERVALS:
        row |= _row(whole, others, goal, seeds, setting.coverage)
    return row


def _pooled(scores: np.ndarray) -> Part | None:
    # as the pipeline pools 2 seeds: over every two of the rules, those of the difference among them
    courses = [pd.DataFrame({1: of_rule}) for of_rule in scores]
    place = ("layer", "ROI")
    weights = {Term("1", 1, place): 1.0, Term("0", 1, place): -1.0}
    rules = [str(number) for number in range(len(courses))]
    alike = effects_alike(weights, rules, lambda rule, _: courses[int(rule)])
    part, _ = seeds_part(np.zeros(2), lambda: alike)
    return part


def _row(whole: Effect, others: Part | None, goal: str, seeds: str, coverage: float) -> Row:
    n = SEEDS.get(seeds, 8)
    effect = Effect(whole.scores[:n], whole.drawn[:, :n], whole.left_out[:, :n])
    own = seed_variance(effect.scores.mean(axis=1))
    of_seed = {POOLED: others, ONLY: None}.get(seeds, own)
    found = primary_interval(effect, goal, coverage, of_seed)
    values = (found.estimate, found.low, found.high, found.standard_error**2)
    names = ("score", "low", "high", "variance")
    return {f"{goal} {seeds} {name}": value for name, value in zip(names, values, strict=True)}
