"""A simulated world whose truth is known: its stimuli, its subjects, and the models.

The pieces are those of the simulated study (`data.simulated.objects`, `data.simulated.voxels`,
`data.simulated.trials`). Only here stimuli, subjects and noise have seeds of their own, so that one
of them can be drawn anew while the others stay: each interval is about one of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from rulealign.data.simulated.objects import CLASSES, draw_object
from rulealign.data.simulated.trials import draw_order, run_drift
from rulealign.data.simulated.voxels import TUNINGS, Scenes, see
from rulealign.provenance import derive_seed

AREA = "V1"
"""The simulated ROI: complex cells."""

MODELS = ("true", "other")
"""Models without noise: many cells of the ROI itself, and cells of another ROI (V2)."""

OF_SUBJECTS = (*MODELS, "difference")
"""What has an interval over subjects who see the same stimuli."""

OF_BOTH = (*OF_SUBJECTS, "null")
"""What has an interval over stimuli and subjects: also the difference of two equally good rules."""

Row = dict[str, float]
"""Name of a measured number -> its value in one data set."""

_TUNING = {"true": "V1", "other": "V2"}
_ELSEWHERE = 400  # stimuli of no data set, by which cells are scaled
_Cells = tuple[object, ...]  # ROI, how many, and what for


@dataclass(frozen=True)
class Setting:
    """How large the simulated data sets are; small, so that hundreds take minutes.

    Attributes:
        seed: of everything.
        stimuli: per data set, each shown once to each subject.
        subjects: per data set.
        voxels: of the ROI, per subject.
        cells: of each model without noise.
        rules: rules with networks that are equally good.
        networks: networks (seeds) of each rule.
        units: of each network.
        noise: standard deviation of the trial noise, in units of the signal's.
        network_noise: the same of each network's units.
        drift: of runs, as `noise`, where runs are what is looked at.
        runs: that a subject's trials are spread over.
        size: pixels per side of the pictures.
        draws: of each bootstrap.
        null_draws: permutations for the null of the noise ceiling.
        coverage: of the intervals.
    """

    seed: int = 11
    stimuli: int = 80
    subjects: int = 6
    voxels: int = 60
    cells: int = 300
    rules: int = 5
    networks: int = 8
    units: int = 40
    noise: float = 2.0
    network_noise: float = 2.0
    drift: float = 1.0
    runs: int = 8
    size: int = 32
    draws: int = 300
    null_draws: int = 99
    coverage: float = 0.95


def generator(setting: Setting, *purpose: object) -> np.random.Generator:
    """Give the random numbers of one purpose, the same whenever they are asked for.

    Args:
        setting: its seed is used.
        purpose: what the numbers are for.

    Returns:
        A generator of its own.
    """
    return np.random.default_rng(derive_seed(setting.seed, "validation", *purpose))


def draw_scenes(setting: Setting, count: int, *purpose: object) -> Scenes:
    """Draw stimuli independently: class, looks, pose and background of each at random.

    Args:
        setting: `size` is used, and the seed.
        count: how many stimuli.
        purpose: what they are for; the same purpose and count give the same stimuli.

    Returns:
        What voxels see of them.
    """
    rng = generator(setting, "stimuli", *purpose)
    # not in turns: a bootstrap takes stimuli to be independent
    classes = rng.integers(len(CLASSES), size=count)
    pictures = [draw_object(int(label), setting.size, rng) for label in classes]
    images, masks = (np.stack(part) for part in zip(*pictures, strict=True))
    return see(images, masks, classes)


@lru_cache(maxsize=1)
def _elsewhere(setting: Setting) -> Scenes:
    return draw_scenes(setting, _ELSEWHERE, "elsewhere")


def _answers(setting: Setting, cells: _Cells, scenes: Scenes) -> np.ndarray:
    roi, count, *purpose = cells
    return TUNINGS[roi](scenes, count, generator(setting, *purpose)).responses


@lru_cache(maxsize=32)  # the fixed subjects and the models, in every data set
def _scale(setting: Setting, cells: _Cells) -> tuple[np.ndarray, np.ndarray]:
    answers = _answers(setting, cells, _elsewhere(setting))
    return answers.mean(axis=0), answers.std(axis=0)


def _scaled(setting: Setting, cells: _Cells, scenes: Scenes) -> np.ndarray:
    """Compute cells of an ROI, scaled by what they answer to the stimuli of no data set.

    Scaled within a data set, the signal would be as strong beside the noise in each of them: scores
    would differ less between data sets than independent stimuli make them differ.
    """
    mean, deviation = _scale(setting, cells)
    return (_answers(setting, cells, scenes) - mean) / deviation


def signals(setting: Setting, scenes: Scenes, subject: object) -> np.ndarray:
    """Compute one subject's noise-free voxels.

    Args:
        setting: `voxels` is used, and the seed.
        scenes: the stimuli.
        subject: who; the same subject has the same voxels for all stimuli.

    Returns:
        float64, shape (stimuli, voxels); mean 0 and variance 1 over other stimuli.
    """
    return _scaled(setting, (AREA, setting.voxels, "subject", subject), scenes)


def draw_trials(setting: Setting, names: list[str], *purpose: object) -> pd.DataFrame:
    """Draw an order of presentation.

    Args:
        setting: `runs` is used, and the seed.
        names: the stimuli's ids.
        purpose: whose order; the same purpose gives the same order.

    Returns:
        One row per trial, with the columns of `things_tables.TRIAL_COLUMNS`.
    """
    trials = draw_order(names, [], 1, setting.runs, generator(setting, "order", *purpose))
    return trials.assign(concept=trials["stimulus"].str.rpartition("_")[0])


def measure(
    setting: Setting, signal: np.ndarray, trials: pd.DataFrame, drift: float, *purpose: object
) -> np.ndarray:
    """Measure a subject once: gain * (signal + noise + drift) + baseline.

    Args:
        setting: `noise` is used, and the seed.
        signal: shape (voxels, trials).
        trials: from `draw_trials`.
        drift: standard deviation of run offsets and slopes, in units of the signal's.
        purpose: whose noise; the same purpose gives the same noise.

    Returns:
        float32, shape (voxels, trials).
    """
    rng = generator(setting, "noise", *purpose)
    values = signal + setting.noise * rng.standard_normal(signal.shape)
    values += drift * run_drift(trials, len(signal), rng)
    gain = 0.1 * np.exp(0.5 * rng.standard_normal((len(signal), 1)))
    return (gain * values + 0.05 * rng.standard_normal((len(signal), 1))).astype(np.float32)


def model_features(setting: Setting, scenes: Scenes, model: str) -> np.ndarray:
    """Compute the features of a model without noise.

    Args:
        setting: `cells` is used, and the seed.
        scenes: the stimuli.
        model: one of `MODELS`.

    Returns:
        float64, shape (stimuli, cells); mean 0 and variance 1 over other stimuli.
    """
    return _scaled(setting, (_TUNING[model], setting.cells, model), scenes)


def network_features(
    setting: Setting,
    scenes: Scenes,
    *purpose: object,
    rules: int | None = None,
    networks: int | None = None,
    spread: float = 0.0,
) -> np.ndarray:
    """Compute the features of all networks: the same cells, each with noise of its own.

    The noise belongs to the stimuli, so that over many stimuli all networks of all rules are
    equally good, and exactly so: every difference between them is a true null.

    Args:
        setting: `rules`, `networks`, `units`, `network_noise` are used, and the seed.
        scenes: the stimuli.
        purpose: which data set; the noise is its own.
        rules: how many; by default as the setting says.
        networks: of each; by default as the setting says.
        spread: standard deviation of the logarithm of a network's noise; above 0, some networks are
            better than others, in all rules alike.

    Returns:
        float64, shape (rules, networks, stimuli, units).
    """
    cells = _scaled(setting, (AREA, setting.units, "networks"), scenes)
    rng = generator(setting, "network noise", *purpose)
    many = rules or setting.rules, networks or setting.networks
    noise = rng.standard_normal((*many, *cells.shape))
    if spread:
        noise *= np.exp(spread * rng.standard_normal((*many, 1, 1)))
    return cells + setting.network_noise * noise
