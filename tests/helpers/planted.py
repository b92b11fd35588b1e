"""A small data set of single trials with a known truth, and the faults that can be planted in it.

It is generated here, not read from a study, so that a test can make many of them: images have
random features, a voxel answers to them with its own weights, and trials carry noise and the drift
of their runs.
"""

import json
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.spatial.distance import pdist

from rulealign.data.responses.faults import find_duplicated_trials, find_faulty_voxels
from rulealign.data.simulated.trials import draw_order, run_drift
from rulealign.data.things.tables import TRIAL_COLUMNS
from rulealign.plan.settings.brain import QualitySettings, QualityTableSettings
from rulealign.rsa.quality.roi import roi_quality
from rulealign.rsa.quality.table import quality_table
from rulealign.store import write_csv, write_h5

ROIS = ("V1", "IT")
CONCEPTS, TEST, SESSIONS, RUNS, FEATURES = 72, 16, 3, 4, 20
QUALITY = QualitySettings(lags=10, shifts=5)
SETTINGS = QualityTableSettings(quality=QUALITY, study_seed=7, zscore="all-trials", null=None)


@dataclass
class People:
    """A data set: per subject a table of trials, per subject and ROI the responses.

    Attributes:
        seed: of all randomness.
        trials: subject -> table of trials.
        responses: (subject, ROI) -> float32, shape (voxels, trials).
        acquisition: subject -> what sidecars say.
    """

    seed: int
    trials: dict = field(default_factory=dict)
    responses: dict = field(default_factory=dict)
    acquisition: dict = field(default_factory=dict)


def order_of(seed, subject, test=TEST):
    """Draw a subject's order of presentation: two train images per concept, some test images."""
    train = [f"c{concept:02d}_{image:02d}s.jpg" for concept in range(CONCEPTS) for image in (1, 2)]
    repeated = [f"t{image:02d}_01s.jpg" for image in range(test)]
    rng = np.random.default_rng([seed, 1, subject])
    table = draw_order(train, repeated, SESSIONS, RUNS, rng)
    return table.assign(concept=[name[:3] for name in table["stimulus"]], subject_id=subject)


def measure(people, subject, number, *, drift, voxels, noise):
    """Draw a subject's responses to its trials in every ROI."""
    trials = people.trials[subject]
    for place, roi in enumerate(ROIS):
        features = np.random.default_rng([people.seed, 2, place])
        shown = {name: features.standard_normal(FEATURES) for name in all_images(people)}
        rng = np.random.default_rng([people.seed, 3, place, number])
        weights = rng.standard_normal((voxels, FEATURES)) / np.sqrt(FEATURES)
        signal = weights @ np.array([shown[name] for name in trials["stimulus"]]).T
        values = signal + noise * rng.standard_normal(signal.shape)
        values += drift * run_drift(trials, voxels, rng)
        scale = 0.1 * np.exp(0.5 * rng.standard_normal((voxels, 1)))
        people.responses[subject, roi] = (scale * values + 0.05).astype(np.float32)


def all_images(people):
    return sorted({name for table in people.trials.values() for name in table["stimulus"]})


def data_set(seed, *, subjects=3, orders=None, test=TEST, drift=0.3, voxels=80, noise=1.0):
    """Generate a data set.

    Args:
        seed: of all randomness.
        subjects: how many subjects.
        orders: whose order each subject sees; by default its own.
        test: how many images are shown in every session.
        drift: of the runs, in units of the signal's standard deviation.
        voxels: per ROI.
        noise: of the trials, as drift.
    """
    people = People(seed)
    orders = orders or list(range(1, subjects + 1))
    names = [f"{number:02d}" for number in range(1, subjects + 1)]
    people.trials = {
        name: order_of(seed, order, test).assign(subject_id=number)
        for number, (name, order) in enumerate(zip(names, orders, strict=True), start=1)
    }
    for number, name in enumerate(names, start=1):
        measure(people, name, number, drift=drift, voxels=voxels, noise=noise)
        people.acquisition[name] = {}
    return people


def runs_of(trials):
    return trials.groupby(["session", "run"]).indices.values()


def subtract_neighbour(people, subject, roi, share):
    """Plant anticorrelation: each trial loses a share of the trial before it in its run."""
    values = people.responses[subject, roi]
    changed = values - values.mean(axis=1, keepdims=True)
    for places in runs_of(people.trials[subject]):
        changed[:, places[1:]] -= share * changed[:, places[:-1]].copy()
    people.responses[subject, roi] = changed


def delay(people, subject, trials):
    """Plant a shift: within each run, responses come some trials later than their labels."""
    for roi in ROIS:
        values = people.responses[subject, roi].copy()
        for places in runs_of(people.trials[subject]):
            moved = np.roll(places, -trials)
            values[:, moved] = people.responses[subject, roi][:, places]
        people.responses[subject, roi] = values


def duplicate(people, subject, roi, first, second):
    """Plant a copy: trial `second` (its place) gets the responses of trial `first`."""
    people.responses[subject, roi][:, second] = people.responses[subject, roi][:, first]


def shared_run_noise(people, subjects, size):
    """Plant a pattern per run that subjects have in common as far as their RDMs can tell.

    Both have an own random pattern in each of their runs: the dissimilarities of pairs within a
    run are lowered in both. With the same order of presentation these are the same pairs.
    """
    for subject in subjects:
        for place, roi in enumerate(ROIS):
            rng = np.random.default_rng([people.seed, 4, int(subject), place])
            values = people.responses[subject, roi]
            for places in runs_of(people.trials[subject]):
                pattern = rng.standard_normal((len(values), 1))
                values[:, places] += size * values.std(axis=1, keepdims=True) * pattern


def write_responses(people, folder, subject, roi):
    """Write a file of responses: faulty voxels and copies are left out, and said."""
    values, trials = people.responses[subject, roi], people.trials[subject]
    ids = [str(1000 + number) for number in range(len(values))]
    faulty = find_faulty_voxels(values, ids)
    copies = find_duplicated_trials(values, trials)
    left = [n for n, name in enumerate(ids) if not any(name in one for one in faulty.values())]
    kept = ~trials["trial_id"].isin([one["second"] for one in copies]).to_numpy()
    arrays = {"responses": values[left][:, kept]}
    for name in TRIAL_COLUMNS:
        column = trials[name][kept]
        arrays[f"trials/{name}"] = column.to_numpy() if column.dtype.kind == "i" else list(column)
    ceiling = np.random.default_rng([people.seed, 5]).uniform(0, 60, len(left))
    arrays |= {"voxels/nc_singletrial": ceiling / 4, "voxels/nc_testset": ceiling}
    path = folder / f"sub-{subject}_roi-{roi}_responses.h5"
    said = {"faulty_voxels": json.dumps(faulty), "duplicated_trials": json.dumps(copies)}
    write_h5(
        path,
        arrays,
        ids={"voxel": [ids[n] for n in left]},
        settings={},
        attributes={"subject": subject, "roi": roi, **said, "expected_voxels": len(ids)},
    )
    return path


def write_rdm(people, folder, subject, roi, repetitions=1, acquisition="generated"):
    """Write the RDM of the first image of each concept."""
    values, trials = people.responses[subject, roi].astype(float), people.trials[subject]
    values = values[np.isfinite(values).all(axis=1)]
    values = values[values.std(axis=1) > 0]
    scores = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    once = trials[trials["trial_type"] == "train"].sort_values("stimulus")
    places, ids = once.index[::2].to_numpy(), once["stimulus"].tolist()[::2]
    path = folder / f"sub-{subject}_roi-{roi}_rdm.h5"
    about = {"distance": "1 - Pearson", "acquisition": acquisition, "repetitions": repetitions}
    write_h5(
        path,
        {"rdm": pdist(scores[:, places].T, "correlation")},
        ids={"stimulus": ids},
        settings={},
        attributes={"subject": subject, "roi": roi, **about},
    )
    return path


def checked(people, folder, zscore="all-trials", **description):
    """Write all files of a data set and run every check; return the table of quality checks."""
    files = {"brain": [], "parts": [], "responses": [], "trials": {}, "acquisition": {}}
    for subject, trials in people.trials.items():
        files["trials"][subject] = folder / f"sub-{subject}_trials.csv"
        write_csv(files["trials"][subject], trials)
        files["acquisition"][subject] = folder / f"sub-{subject}_acquisition.json"
        files["acquisition"][subject].write_text(json.dumps(people.acquisition[subject]))
        for roi in ROIS:
            responses = write_responses(people, folder, subject, roi)
            part = folder / f"sub-{subject}_roi-{roi}_quality.csv"
            roi_quality(responses, part, QUALITY)
            files["responses"].append(responses)
            files["parts"].append(part)
            files["brain"].append(write_rdm(people, folder, subject, roi, **description))
    return quality_table(folder / "quality.csv", **files, settings=replace(SETTINGS, zscore=zscore))


def flags(table):
    """Give (check, item, subject, other, roi) of every flagged row."""
    columns = ["check", "item", "subject", "other", "roi"]
    return set(table.loc[table["flagged"], columns].itertuples(index=False, name=None))


def value(table, **wanted):
    """Look up the value of the one row that has these entries."""
    rows = table
    for name, one in wanted.items():
        rows = rows[rows[name] == one]
    (found,) = rows["value"]
    return found
