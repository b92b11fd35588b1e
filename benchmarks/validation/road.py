"""The pipeline's own road from simulated trials to RDMs and pairs, through its files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from rulealign.data.things.tables import TRIAL_COLUMNS
from rulealign.plan.settings.brain import DistanceSettings
from rulealign.rsa.brain_distance import brain_distance
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.rsa.compare import CROSS_RUN
from rulealign.rsa.distances.correlation import Correlation
from rulealign.rsa.pairs import read_pairs, write_pairs
from rulealign.rsa.rdm import correlation_rdm, write_brain_rdm
from rulealign.settings import Settings
from rulealign.store import write_csv, write_h5
from validation.world import AREA, Setting, draw_trials, measure

_STIMULUS_SET = "first-exemplar"
_PATTERNS = DistanceSettings(
    stimulus_set=_STIMULUS_SET, zscore="all-trials", distance=Correlation()
)


@dataclass(frozen=True)
class Subjects:
    """Whom to simulate, and what they see.

    Attributes:
        signals: each subject's noise-free voxels, shape (stimuli, voxels).
        noise: whose noise, for the seeds.
        drift: of runs; 0 for none.
        shared_order: whether all see the stimuli in the order of the first.
    """

    signals: Sequence[np.ndarray]
    noise: tuple[object, ...]
    drift: float = 0.0
    shared_order: bool = False


def stimulus_names(count: int) -> list[str]:
    """Name stimuli as images are named, so that their order is alphabetical."""
    return [f"thing{place:05d}_01s.jpg" for place in range(count)]


def brain_rdms(
    setting: Setting, subjects: Subjects, folder: Path
) -> tuple[BrainRdms, list[pd.DataFrame]]:
    """Take subjects from trials to RDMs: responses, patterns, distances, and the files between.

    Args:
        setting: of the simulation.
        subjects: whom.
        folder: where the files go; older ones are replaced.

    Returns:
        The RDMs as read back, and each subject's trials in the order of presentation.

    Raises:
        DataError: as the functions of the pipeline.
        StoreError: the disk is full.
    """
    names = stimulus_names(len(subjects.signals[0]))
    tables, files = [], []
    for number, signal in enumerate(subjects.signals):
        order = 0 if subjects.shared_order else number
        trials = draw_trials(setting, names, *subjects.noise, order)
        shown = pd.Index(names).get_indexer(trials["stimulus"])
        noise = (*subjects.noise, number)
        responses = measure(setting, signal[shown].T, trials, subjects.drift, *noise)
        stem = folder / f"sub-{number + 1:02d}_roi-{AREA}"
        _write_responses(stem.with_name(f"{stem.name}_responses.h5"), responses, trials)
        files.append(_write_rdm(stem, number + 1))
        tables.append(trials)
    return read_brain_rdms(files), tables


def _write_responses(path: Path, responses: np.ndarray, trials: pd.DataFrame) -> None:
    columns = {name: trials[name].to_numpy() for name in TRIAL_COLUMNS}
    texts = {
        name: c.astype(h5py.string_dtype()) for name, c in columns.items() if c.dtype == object
    }
    arrays = {f"trials/{name}": column for name, column in (columns | texts).items()}
    voxels = [str(place) for place in range(len(responses))]
    write_h5(path, {"responses": responses, **arrays}, ids={"voxel": voxels}, settings={})


def _write_rdm(stem: Path, subject: int) -> Path:
    responses, output = (stem.with_name(f"{stem.name}_{what}.h5") for what in ("responses", "rdm"))
    made = brain_distance(responses, _PATTERNS)
    about = {"subject": subject, "roi": AREA, "distance": made.words}
    about |= {"acquisition": "generated responses, no scanner", "repetitions": made.repetitions}
    write_brain_rdm(made.ids, made.rdm, output, settings=Settings(), **about)
    return output


def cross_run_pairs(trials: Sequence[pd.DataFrame], ids: list[str], folder: Path) -> np.ndarray:
    """Find the pairs in different runs for everybody, through the pipeline's files.

    Args:
        trials: each subject's, from `brain_rdms`.
        ids: the stimuli, in the order of the RDMs.
        folder: where the files go.

    Returns:
        bool, shape (n_pairs,).

    Raises:
        DataError: too few pairs are left.
        StoreError: the disk is full.
    """
    tables = []
    for number, table in enumerate(trials, start=1):
        tables.append(folder / f"sub-{number:02d}_trials.csv")
        write_csv(tables[-1], table.assign(subject_id=number))
    write_pairs(tables, _STIMULUS_SET, folder / "pairs.h5")
    return read_pairs(folder / "pairs.h5", ids, CROSS_RUN)


def model_rdms(features: Sequence[np.ndarray]) -> np.ndarray:
    """Compute the RDMs of models in single precision, as the pipeline keeps them.

    Args:
        features: of each model, shape (stimuli, features).

    Returns:
        float32, shape (models, pairs).
    """
    ids = stimulus_names(len(features[0]))
    rdms = [correlation_rdm(each, centred=False, ids=ids) for each in features]
    return np.stack(rdms).astype(np.float32)
