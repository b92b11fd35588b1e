"""What the statistics say of one simulated data set of each kind: plain numbers, one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from rulealign.data.simulated.voxels import Scenes
from rulealign.provenance import derive_seed
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.primary import BOTH, STIMULI, Effect, primary_interval, seed_variance
from rulealign.rsa.bootstrap.spearman import (
    bootstrap_spearman,
    percentile_interval,
    resample_counts,
)
from rulealign.rsa.bootstrap.subjects import (
    SubjectInterval,
    crossed_interval,
    subject_counts,
)
from rulealign.rsa.ceiling import nili_bounds
from rulealign.rsa.compare import spearman_matrix
from validation.corrected import (
    corrected_crossed_interval,
    corrected_interval,
    subject_interval,
)
from validation.curves import CURVES, specification_curves
from validation.families import decided, null_claims
from validation.new_networks import new_networks
from validation.road import Subjects, brain_rdms, model_rdms
from validation.silence import nothing_seen
from validation.truths import subjects_of
from validation.world import (
    MODELS,
    OF_BOTH,
    OF_SUBJECTS,
    Row,
    Setting,
    draw_scenes,
    generator,
    model_features,
    network_features,
    signals,
)


def fixed_subjects(setting: Setting, number: int, folder: Path) -> Row:
    """Measure new stimuli in the same subjects: intervals over stimuli, p-values and the ceiling.

    Args:
        setting: of the simulation.
        number: of the data set.
        folder: for the files on the way.

    Returns:
        Score and interval of each model, of their difference, of the first rule, and of the
        difference of two rules; p-values, families, and the noise ceiling.
    """
    scenes = draw_scenes(setting, setting.stimuli, "set", number)
    subjects = [signals(setting, scenes, subject) for subject in subjects_of(setting, ())]
    brain = brain_rdms(setting, Subjects(subjects, ("set", number)), folder)[0].rdms
    networks = network_features(setting, scenes, "set", number)
    models = _models(setting, scenes)
    rdms = np.vstack([models, model_rdms(networks.reshape(-1, *networks.shape[2:]))])
    seed = derive_seed(setting.seed, "validation", "bootstrap", number)
    counts = resample_counts(setting.stimuli, setting.draws, seed)
    counts = np.vstack([counts, left_out_counts(setting.stimuli)])
    both = bootstrap_spearman(rdms, brain, counts, combine=_mean(brain))[..., 0]
    drawn, left_out = both[: setting.draws], both[setting.draws :]
    rho = spearman_matrix(rdms, brain).mean(axis=1)
    row = _interval_rows(setting, rho, drawn, left_out)
    by_rule = [_by_rule(setting, values) for values in (rho, drawn, left_out)]
    for name, rules in (("network", [1.0, 0.0]), ("null", [-1.0, 1.0])):
        effect = Effect(*(_contrast(values, rules)[..., np.newaxis] for values in by_rule))
        row |= _primary_row(f"primary {name}", effect, STIMULI, setting.coverage)
    row |= null_claims(
        *by_rule,
        setting.coverage,
        generator(setting, "randomised p", number),
    )
    lower, upper, _ = nili_bounds(brain)
    return row | {"lower": lower, "upper": upper}


def _contrast(values: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    # network by network, of the first rules along the last axis but one
    return np.einsum("...rn,r->...n", values[..., : len(weights), :], weights)


def _primary_row(name: str, effect: Effect, goal: str, coverage: float) -> Row:
    found = primary_interval(effect, goal, coverage, seed_variance(effect.scores.mean(axis=1)))
    row = _named(name, found.estimate, found.low, found.high)
    return row | {f"{name} variance": found.standard_error**2}


def _models(setting: Setting, scenes: Scenes) -> np.ndarray:
    return model_rdms([model_features(setting, scenes, model) for model in MODELS])


def _mean(brain: np.ndarray) -> np.ndarray:
    return np.full((len(brain), 1), 1 / len(brain))


def _by_rule(setting: Setting, values: np.ndarray) -> np.ndarray:
    # networks follow the models without noise; shape (..., rules, networks)
    networks = values[..., len(MODELS) :]
    return networks.reshape(*values.shape[:-1], setting.rules, setting.networks)


def _quantities(setting: Setting, values: np.ndarray) -> dict[str, np.ndarray]:
    rules = _by_rule(setting, values).mean(axis=-1)
    true, other = values[..., 0], values[..., 1]
    return {
        "true": true,
        "other": other,
        "difference": true - other,
        "network": rules[..., 0],
        "null": rules[..., 1] - rules[..., 0],
    }


def _interval_rows(
    setting: Setting, rho: np.ndarray, drawn: np.ndarray, left_out: np.ndarray
) -> Row:
    row = {}
    names, score = zip(*_quantities(setting, rho).items(), strict=True)
    samples = [
        np.stack([*_quantities(setting, each).values()], axis=1) for each in (drawn, left_out)
    ]
    low, high = percentile_interval(samples[0], setting.coverage)
    corrected = corrected_interval(np.array(score), *samples, setting.coverage)
    for place, name in enumerate(names):
        row |= _named(f"percentile {name}", score[place], low[place], high[place])
        ends = corrected.low[place], corrected.high[place]
        row |= _named(f"corrected {name}", score[place], *ends)
        row[f"corrected {name} variance"] = float(corrected.variance[place])
        row[f"percentile {name} variance"] = float(samples[0][:, place].var(ddof=1))
    return row


def _named(name: str, score: float, low: float, high: float) -> Row:
    values = zip(("score", "low", "high"), (score, low, high), strict=True)
    return {f"{name} {part}": float(value) for part, value in values}


def new_subjects(setting: Setting, number: int, folder: Path) -> Row:
    """Measure new stimuli in new subjects: the crossed intervals.

    Args:
        setting: of the simulation.
        number: of the data set.
        folder: for the files on the way.

    Returns:
        Score and interval of each model, of their difference, and of the difference of two rules.
    """
    scenes = draw_scenes(setting, setting.stimuli, "crossed", number)
    group = ("crossed", number)
    subjects = [signals(setting, scenes, subject) for subject in subjects_of(setting, group)]
    brain = brain_rdms(setting, Subjects(subjects, group), folder)[0].rdms
    networks = network_features(setting, scenes, *group)[:2]
    rdms = np.vstack([_models(setting, scenes), model_rdms(np.concatenate(networks))])
    seed = derive_seed(setting.seed, "validation", "crossed", number)
    counts = resample_counts(setting.stimuli, setting.draws, seed)
    counts = np.vstack([counts, left_out_counts(setting.stimuli)])
    plain = bootstrap_spearman(rdms, brain, counts)
    both = _with_null(_with_difference(plain), setting)
    drawn, left_out = both[: setting.draws], both[setting.draws :]
    subjects_drawn = subject_counts(setting.subjects, setting.draws, seed + 1)
    rho = _with_null(_with_difference(spearman_matrix(rdms, brain)), setting)
    row = {}
    for kind, found in (
        (
            "crossed",
            crossed_interval(rho, drawn, subjects_drawn, setting.stimuli, setting.coverage),
        ),
        ("crossed corrected", corrected_crossed_interval(rho, drawn, left_out, setting.coverage)),
    ):
        row |= _subject_rows(kind, OF_BOTH, found)
        row[f"verdict {kind}"] = decided(found.low[-1], found.high[-1])
    scores = spearman_matrix(rdms, brain)
    parts = scores, plain[: setting.draws], plain[setting.draws :]
    effect = Effect(*(_null_by_network(values, setting) for values in parts))
    row |= _primary_row("primary both null", effect, BOTH, setting.coverage)
    ends = (row[f"primary both null {end}"] for end in ("low", "high"))
    return row | {"verdict primary both": decided(*ends)}


def _null_by_network(rho: np.ndarray, setting: Setting) -> np.ndarray:
    # shape (..., networks, subjects): two rules' difference, network by network
    networks = rho[..., len(MODELS) :, :]
    rules = networks.reshape(*rho.shape[:-2], 2, setting.networks, rho.shape[-1])
    return rules[..., 1, :, :] - rules[..., 0, :, :]


def _with_difference(rho: np.ndarray) -> np.ndarray:
    # shape (..., models, subjects): the models without noise, their difference, and the others
    true, other = rho[..., 0, :], rho[..., 1, :]
    between = (true - other)[..., np.newaxis, :]
    return np.concatenate([rho[..., :2, :], between, rho[..., 2:, :]], axis=-2)


def _with_null(rho: np.ndarray, setting: Setting) -> np.ndarray:
    # in place of two rules' networks their difference, a true null
    rules = rho[..., len(OF_SUBJECTS) :, :]
    rules = rules.reshape(*rho.shape[:-2], 2, setting.networks, rho.shape[-1]).mean(axis=-2)
    null = np.diff(rules, axis=-2)
    return np.concatenate([rho[..., : len(OF_SUBJECTS), :], null], axis=-2)


def _subject_rows(kind: str, names: Sequence[str], found: SubjectInterval) -> Row:
    row = {}
    for place, name in enumerate(names):
        ends = (found.estimate[place], found.low[place], found.high[place])
        row |= _named(f"{kind} {name}", *ends)
        row[f"{kind} {name} variance"] = float(found.variance[place])
    return row


def same_stimuli(setting: Setting, number: int, folder: Path) -> Row:
    """Measure the same stimuli in new subjects: the interval over subjects.

    Args:
        setting: of the simulation.
        number: of the data set.
        folder: for the files on the way.

    Returns:
        Score and interval of each model and of their difference.
    """
    scenes = draw_scenes(setting, setting.stimuli, "common")
    group = ("subjects", number)
    subjects = [signals(setting, scenes, subject) for subject in subjects_of(setting, group)]
    brain = brain_rdms(setting, Subjects(subjects, group), folder)[0].rdms
    rho = _with_difference(spearman_matrix(_models(setting, scenes), brain))
    seed = derive_seed(setting.seed, "validation", "subjects", number)
    counts = subject_counts(setting.subjects, setting.draws, seed)
    return _subject_rows("subjects", OF_SUBJECTS, subject_interval(rho, counts, setting.coverage))


KINDS: Mapping[str, Callable[[Setting, int, Path], Row]] = {
    "fixed subjects": fixed_subjects,
    "new subjects": new_subjects,
    "same stimuli": same_stimuli,
    "new networks": new_networks,
    "nothing seen": nothing_seen,
    CURVES: specification_curves,
}
"""Kind of data set -> what is measured in it."""

ALL = tuple(kind for kind in KINDS if kind != CURVES)
"""Kinds of data sets that the page's own number of them is measured of."""


def measured(setting: Setting, number: int, folder: Path, kinds: Sequence[str] = ALL) -> Row:
    """Simulate and measure one data set of every kind.

    Args:
        setting: of the simulation.
        number: of the data sets; the same number gives the same row.
        folder: for the files on the way.
        kinds: of `KINDS`; by default all.

    Returns:
        All numbers of all these kinds.
    """
    row: Row = {}
    for kind in kinds:
        row |= KINDS[kind](setting, number, folder)
    return row
