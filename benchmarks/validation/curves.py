"""Specification curves over universes whose truth is known: nothing there, or something."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.claims.specification_curve import (
    InErrors,
    median_test,
    no_alignment,
    no_difference,
    shared_noise,
)
from rulealign.claims.universes.shuffles import shuffled_orders, shuffled_rdms
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.primary import (
    STIMULI,
    Effect,
    primary_interval,
    seed_variance,
    variance_parts,
)
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, resample_counts
from rulealign.rsa.comparisons import comparison_class
from rulealign.rsa.rdm import correlation_rdm
from validation.families import LEVEL
from validation.road import stimulus_names
from validation.truths import subjects_of
from validation.verdicts import MET, Line, error_line, share_seen, uniform_line
from validation.world import (
    Row,
    Setting,
    draw_scenes,
    generator,
    network_features,
    signals,
)

CURVES = "specification curves"
"""The kind of data sets."""

COMPARISONS = ("spearman", "pearson")
POWER = 0.8
"""Share of the data sets in which what was planted has to be found."""

_NETWORKS, _SHUFFLES, _NOISE_OF_BETTER = 5, 199, 0.25
_EQUAL, _OTHER, _BETTER = range(3)


def specification_curves(setting: Setting, number: int, _folder: Path) -> Row:
    """Measure the p of curves over 8 universes of one data set.

    Universes are Spearman and Pearson, centred and uncentred RDMs, of all units and of half of
    them. Two rules are equally good; a third has `_NOISE_OF_BETTER` times their noise. Subjects see
    the stimuli, or nothing.

    Args:
        setting: of the simulation.
        number: of the data set.

    Returns:
        p of: two equal rules; of an equal and the better one; of a rule's level where subjects see
        nothing, and where they see the stimuli. And whether any universe of equal rules, by
        itself, has a verdict.
    """
    scenes = draw_scenes(setting, setting.stimuli, "curves", number)
    rng = generator(setting, "curves", number)
    three = replace(setting, rules=3, networks=_NETWORKS)
    features = network_features(three, scenes, "curves", number)
    better = replace(three, rules=1, network_noise=_NOISE_OF_BETTER * setting.network_noise)
    features[_BETTER] = network_features(better, scenes, "better", number)[0]
    seen = [signals(setting, scenes, subject) for subject in subjects_of(setting, ())]
    brains = _brains(setting, seen, rng)
    nothing = _brains(setting, [0 * signal for signal in seen], rng)
    models = _models(features)
    equal = list(_contrasts(setting, models[:, [_EQUAL, _OTHER]], brains))
    apart = list(_contrasts(setting, models[:, [_EQUAL, _BETTER]], brains))
    one_rule = models[:, _EQUAL]
    return {
        "p curve no difference": median_test([one for one, _ in equal]).p,
        "p curve difference": median_test([one for one, _ in apart]).p,
        "p curve no alignment": median_test(list(_levels(setting, one_rule, nothing))).p,
        "p curve alignment": median_test(list(_levels(setting, one_rule, brains))).p,
        "verdict any universe": float(any(p < LEVEL for _, p in equal)),
    }


def curve_lines(rows: pd.DataFrame) -> list[Line]:
    """Judge p over cells: uniform where nothing is there, small where something is.

    Args:
        rows: of `specification_curves`, one per data set.

    Returns:
        The lines.
    """
    words = {
        "no difference": "contrast of two rules that are equally good",
        "no alignment": "level of a rule, subjects who see nothing",
        "difference": "contrast with a rule that is better",
        "alignment": "level of a rule, subjects who see the stimuli",
    }
    lines = []
    for name, quantity in words.items():
        column = f"p curve {name}"
        if name.startswith("no "):
            lines.append(uniform_line(rows, column, quantity))
            continue
        hits = int((rows[column] <= LEVEL).sum())
        verdict = MET if hits >= POWER * len(rows) else "missed"
        seen = share_seen(hits, len(rows))
        lines.append(Line(quantity, f"p ≤ .05 in ≥ {POWER:.0%}", seen, len(rows), verdict))
    any_one = "the contrast of equal rules, universe by universe: any verdict"
    lines.append(error_line(rows, "verdict any universe", any_one, promised=False))
    return lines


def _brains(setting: Setting, seen: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    noisy = [one + setting.noise * rng.standard_normal(one.shape) for one in seen]
    ids = stimulus_names(setting.stimuli)
    return np.stack([correlation_rdm(one, centred=True, ids=ids) for one in noisy])


def _models(features: np.ndarray) -> np.ndarray:
    # shape (ways, rules, networks, pairs)
    ids, half = stimulus_names(features.shape[2]), features.shape[-1] // 2
    return np.array(
        [
            [
                [correlation_rdm(x[:, :n], centred=centred, ids=ids) for x in rule]
                for rule in features
            ]
            for centred, n in product((False, True), (half, 2 * half))
        ]
    )


def _contrasts(
    setting: Setting, models: np.ndarray, brains: np.ndarray
) -> Iterator[tuple[InErrors, float]]:
    # each universe's difference of the two rules, and its own p
    n = setting.stimuli
    counts = resample_counts(n, setting.draws, bootstrap_seed(setting.seed, n))
    counts = np.vstack([counts, np.ones_like(counts[:1]), left_out_counts(n)])
    noise = shared_noise(setting.seed, setting.draws, range(_NETWORKS), 1)
    for scores in _scores(models, brains, counts):
        each = (scores[..., 0, :] - scores[..., 1, :])[..., np.newaxis]
        effect = Effect(each[setting.draws], each[: setting.draws], each[setting.draws + 1 :])
        of_seed = seed_variance(effect.scores[:, 0])
        found = primary_interval(effect, STIMULI, setting.coverage, of_seed)
        parts = variance_parts(effect, STIMULI, of_seed)
        yield no_difference(effect, found, parts, range(_NETWORKS), noise), found.p


def _levels(setting: Setting, models: np.ndarray, brains: np.ndarray) -> Iterator[InErrors]:
    # each universe's mean over networks, beside that with shuffled stimuli
    orders = shuffled_orders(setting.seed, setting.stimuli, _SHUFFLES)
    once = np.ones((1, setting.stimuli), dtype=np.int64)
    every = np.vstack([brains, shuffled_rdms(brains, orders)])
    weights = np.kron(np.eye(_SHUFFLES + 1), np.ones((len(brains), 1)) / len(brains))
    for way, comparison in product(models, COMPARISONS):
        scores = comparison_class(comparison).sampled(way, every, once, combine=weights)[0]
        level, *shuffled = scores.mean(axis=0)
        yield no_alignment(float(level), np.array(shuffled))


def _scores(models: np.ndarray, brains: np.ndarray, counts: np.ndarray) -> Iterator[np.ndarray]:
    # of each universe, shape (samples, rules, networks)
    weights = np.ones((len(brains), 1)) / len(brains)
    for way, comparison in product(models, COMPARISONS):
        flat = way.reshape(-1, way.shape[-1])
        scores = comparison_class(comparison).sampled(flat, brains, counts, combine=weights)
        yield scores[..., 0].reshape(len(counts), *way.shape[:-1])
