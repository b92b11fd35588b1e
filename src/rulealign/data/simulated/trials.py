"""Sessions, runs and trials of a simulated subject: order, noise, drifts and reliability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rulealign.errors import ConfigurationError


def draw_order(
    train: Sequence[str],
    test: Sequence[str],
    sessions: int,
    runs: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Draw a subject's order of presentation.

    Args:
        train: images shown once in all, spread evenly over the sessions.
        test: images shown once in every session.
        sessions: how many sessions.
        runs: runs per session; a session's trials are spread evenly over them.
        rng: the generator to draw from.

    Returns:
        One row per trial in order of time: trial_type, session, run (from 1), trial_id (from 0),
        stimulus.

    Raises:
        ConfigurationError: a session has fewer trials than runs.
    """
    shares = np.array_split(rng.permutation(len(train)), sessions)
    rows = []
    for session, share in enumerate(shares, start=1):
        shown = [("train", train[place]) for place in share] + [("test", name) for name in test]
        if len(shown) < runs:
            raise ConfigurationError(
                f"brain.runs: {runs} runs cannot share the {len(shown)} trials of session {session}"
            )
        for run, places in enumerate(np.array_split(rng.permutation(len(shown)), runs), start=1):
            rows += [(shown[place][0], session, run, shown[place][1]) for place in places]
    table = pd.DataFrame(rows, columns=["trial_type", "session", "run", "stimulus"])
    table.insert(3, "trial_id", np.arange(len(table)))
    return table


def run_drift(trials: pd.DataFrame, voxels: int, rng: np.random.Generator) -> np.ndarray:
    """Draw slow changes of the signal: an offset per run and voxel, and a line within each run.

    Args:
        trials: as made by `draw_order`.
        voxels: how many voxels.
        rng: the generator to draw from.

    Returns:
        float64, shape (voxels, trials); offsets and slopes have unit variance, and the line
        goes from -slope to slope over the run.
    """
    drift = np.empty((voxels, len(trials)))
    for places in trials.groupby(["session", "run"]).indices.values():
        offset, slope = rng.standard_normal((2, voxels, 1))
        time = (np.arange(len(places)) + 0.5) * 2 / len(places) - 1
        drift[:, places] = offset + slope * time
    return drift


def repeated_responses(responses: np.ndarray, trials: pd.DataFrame) -> np.ndarray:
    """Gather the answers to the repeated images.

    Args:
        responses: shape (voxels, trials).
        trials: as made by `draw_order`.

    Returns:
        float64, shape (voxels, sessions, images), images in alphabetical order.
    """
    test = trials[trials["trial_type"] == "test"].sort_values(["session", "stimulus"])
    sessions = test["session"].nunique()
    return responses[:, test.index].reshape(len(responses), sessions, -1)


def noise_ceiling(repeated: np.ndarray, averaged: int) -> np.ndarray:
    """Compute each voxel's noise ceiling, as THINGS-fMRI does (Hebart 2023, after Allen 2022).

    With each repetition z-scored over images, the noise variance is the mean over images of the
    variance over repetitions, the signal variance is what remains of 1, and the ceiling is
    100 snr^2 / (snr^2 + 1 / averaged).

    Args:
        repeated: shape (voxels, repetitions, images).
        averaged: how many trials are averaged in use: 1, or all repetitions.

    Returns:
        float64, shape (voxels,), percent of the variance that a perfect model can explain.
    """
    spread = repeated.std(axis=2, keepdims=True)
    scores = (repeated - repeated.mean(axis=2, keepdims=True)) / spread
    noise = scores.var(axis=1, ddof=1).mean(axis=1)
    signal = np.clip(1 - noise, 0, None)
    return 100 * signal / (signal + noise / averaged)


def split_half(repeated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlate the mean answers of the odd and of the even repetitions.

    Args:
        repeated: shape (voxels, repetitions, images), at least 2 repetitions.

    Returns:
        uncorrected: Pearson r over images, shape (voxels,).
        corrected: by Spearman and Brown, 2 r / (1 + r), shape (voxels,).
    """
    halves = repeated[:, ::2].mean(axis=1), repeated[:, 1::2].mean(axis=1)
    one, other = (half - half.mean(axis=1, keepdims=True) for half in halves)
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    r = (one * other).sum(axis=1) / lengths
    return r, 2 * r / (1 + r)
