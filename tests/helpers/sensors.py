"""Generated responses of sensors over time: arrays of trials x sensors x times."""

import numpy as np

from helpers.bids_folder import IMAGES

RUNS, SENSORS = 3, 6
TIMES = [-50.0, 0.0, 50.0, 100.0, 150.0]
IDS = [f"object_{place}" for place in range(1, IMAGES + 1)]


def write_sensors(folder, subjects=("anna", "ben"), rois=("MEG",), patterns=None, noise=1.0):
    """Write an array and a list of names per run.

    Args:
        folder: to write to; it is made.
        subjects: their names.
        rois: an array of each.
        patterns: shape (images, sensors, times): what is in every trial; by default nothing.
        noise: its standard deviation.

    Returns:
        (subject, roi) -> responses, float32, shape (trials, sensors, times); and the names of the
        images shown in the trials, the same for all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signal = np.zeros((IMAGES, SENSORS, len(TIMES))) if patterns is None else patterns
    held, names = {}, []
    for run in range(1, RUNS + 1):
        order = np.random.default_rng([1, run]).permutation(len(signal))
        shown = [f"object_{place + 1}" for place in order]
        names += shown
        for one, subject in enumerate(subjects):
            (folder / f"{subject}_run-{run}.txt").write_text("\n".join(shown) + "\n")
            for other, roi in enumerate(rois):
                rng = np.random.default_rng([2, run, one, other])
                made = signal[order] + noise * rng.standard_normal(signal.shape)
                made = made.astype(np.float32)
                np.save(folder / f"{subject}_{roi}_run-{run}.npy", made)
                held.setdefault((subject, roi), []).append(made)
    return {key: np.concatenate(made) for key, made in held.items()}, names


def sensor_files(folder, **changes):
    """Give what a study says of these files."""
    events = {"source": f"{folder}/{{subject}}_run-{{run}}.txt", "image": None}
    files = {"betas": f"{folder}/{{subject}}_{{roi}}_run-{{run}}.npy", "events": events}
    return files | {"times": TIMES} | changes
