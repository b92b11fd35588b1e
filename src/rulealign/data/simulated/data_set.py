"""Writes a data set in the table form of THINGS-fMRI from a known truth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rulealign.data.images.stimulus_sets import image_paths
from rulealign.data.simulated.images import image_table, load_scenes, write_folder
from rulealign.data.simulated.objects import CLASSES
from rulealign.data.simulated.tables import (
    brain_coordinates,
    field_columns,
    roi_membership,
    write_response_data,
)
from rulealign.data.simulated.trials import (
    draw_order,
    noise_ceiling,
    repeated_responses,
    run_drift,
    split_half,
)
from rulealign.data.simulated.voxels import TUNINGS, Scenes
from rulealign.provenance import derive_seed, file_sha256, fingerprint
from rulealign.store import write_csv, write_h5

if TYPE_CHECKING:
    from rulealign.plan.settings.images import SimulatedImagesSettings, SimulatedSubjectSettings

_REFERENCE_VOXELS = 2000


def write_images(settings: SimulatedImagesSettings, folder: Path, truth: Path) -> None:
    """Write the images that simulated subjects see, and the RDMs of their noise-free ROIs.

    Args:
        settings: of its images.
        folder: the folder to make, `<concept>/<concept>_01s.jpg`; replaced if it exists.
        truth: the HDF5 file to make: `rdm/<column>` float64 condensed (correlation distance
            between the answers of 2,000 z-scored noise-free voxels of the ROI to all images),
            `class_index` per image; ids stimulus. The attribute `images` is the fingerprint of
            the images' bytes: by the checksum of this file a workflow sees that images differ.

    Raises:
        StoreError: the disk is full.
    """
    table = image_table(settings)
    write_folder(settings, table, Path(folder))
    _write_truth(settings, table, folder, truth)


def _write_truth(
    settings: SimulatedImagesSettings, table: pd.DataFrame, folder: Path, truth: Path
) -> None:
    scenes = load_scenes(settings, table, folder)
    rdms = {}
    for column, tuning in TUNINGS.items():
        rng = np.random.default_rng(derive_seed(settings.study_seed, "truth", column))
        answers = tuning(scenes, _REFERENCE_VOXELS, rng).responses
        rdms[f"rdm/{column}"] = _rdm(answers)
    classes = {"class_index": table["class_index"].to_numpy()}
    stimuli = table["stimulus"].tolist()
    bytes_of = dict(zip(stimuli, map(file_sha256, image_paths(folder, stimuli)), strict=True))
    write_h5(
        truth,
        rdms | classes,
        ids={"stimulus": stimuli},
        settings=settings.plain(),
        attributes={
            "classes": list(CLASSES),
            "reference_voxels": _REFERENCE_VOXELS,
            "images": fingerprint(bytes_of),
        },
    )


def _rdm(answers: np.ndarray) -> np.ndarray:
    # rounded, so that equal distances stay equal (ties)
    from scipy.spatial.distance import pdist  # slow to import

    return np.round(pdist(_signal(answers), "correlation"), 9)


def _signal(answers: np.ndarray) -> np.ndarray:
    """Give answers unit variance over images in every voxel; shape (images, voxels)."""
    # rounded, so that the order of summation (the number of threads) leaves no trace in the bytes
    return np.round((answers - answers.mean(axis=0)) / answers.std(axis=0), 6)


def write_subject(
    settings: SimulatedSubjectSettings, subject: int, images: Path, outputs: Mapping[str, Path]
) -> None:
    """Write one simulated subject's responses, voxels and trials.

    A response is gain * (signal + noise + drift) + baseline: the signal has unit variance over
    the images in every voxel, and gain and baseline differ from voxel to voxel as in real data.

    Args:
        settings: of the subjects.
        subject: number of the subject, from 1.
        images: the folder made by `write_images`.
        outputs: the files to make: `responses` (sub-01_ResponseData.h5), `voxels`
            (sub-01_VoxelMetadata.csv), `stimuli` (sub-01_StimulusMetadata.csv).

    Raises:
        ConfigurationError: there are more runs than trials in a session.
        DataError: an image is missing.
        StoreError: the disk is full.
    """
    table = image_table(settings)
    trials = _trials(settings, subject, table)
    signal, voxels = _voxels(settings, subject, load_scenes(settings, table, images))
    shown = table.set_index("stimulus").index.get_indexer(trials["stimulus"])
    responses = _measure(settings, subject, signal[:, shown], trials)
    voxels = _with_reliability(voxels, repeated_responses(responses, trials))
    write_csv(outputs["voxels"], voxels)
    write_csv(outputs["stimuli"], trials)
    write_response_data(outputs["responses"], responses, voxels["voxel_id"].to_numpy())


def _rng(settings: SimulatedSubjectSettings, subject: int, *purpose: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(settings.study_seed, "subject", subject, *purpose))


def _trials(settings: SimulatedSubjectSettings, subject: int, table: pd.DataFrame) -> pd.DataFrame:
    by_type = {kind: rows["stimulus"].tolist() for kind, rows in table.groupby("trial_type")}
    rng = _rng(settings, subject, "order")
    order = (by_type["train"], by_type["test"], settings.sessions, settings.runs)
    trials = draw_order(*order, rng)
    trials.insert(3, "subject_id", subject)
    concept = table.set_index("stimulus")["concept"]
    return trials.assign(concept=concept[trials["stimulus"]].to_numpy())


def _voxels(
    settings: SimulatedSubjectSettings, subject: int, scenes: Scenes
) -> tuple[np.ndarray, pd.DataFrame]:
    """Draw a subject's voxels: their signals (voxels, images) and their table, in brain order."""
    count, signals, column, fields = settings.voxels_per_roi, [], [], []
    for name, tuning in TUNINGS.items():
        voxels = tuning(scenes, count, _rng(settings, subject, "voxels", name))
        signals.append(_signal(voxels.responses).T)
        column += [name] * count
        place = voxels.fields
        known = (place.x, place.y, place.sigma) if place else [np.full(count, np.nan)] * 3
        fields.append(np.stack(known))
    outside = max(count // 2, 1)
    signals.append(np.zeros((outside, len(scenes.classes))))
    fields.append(np.full((3, outside), np.nan))
    order = _rng(settings, subject, "places").permutation(len(column) + outside)
    column = np.array(column + [""] * outside)[order]
    parts = [
        pd.DataFrame({"voxel_id": np.arange(len(order)), "subject_id": subject}),
        brain_coordinates(len(order)),
        field_columns(*np.hstack(fields)[:, order]),
        roi_membership(column),
    ]
    return np.vstack(signals)[order], pd.concat(parts, axis=1)


def _measure(
    settings: SimulatedSubjectSettings, subject: int, signal: np.ndarray, trials: pd.DataFrame
) -> np.ndarray:
    rng = _rng(settings, subject, "noise")
    noise = rng.standard_normal(signal.shape)
    # voxels outside all ROIs see nothing: they are noise even where `noise` is 0
    blind = ~signal.any(axis=1, keepdims=True)
    level = np.where(blind, 1.0, settings.noise)
    drift = settings.drift * run_drift(trials, len(signal), rng)
    gain = 0.1 * np.exp(0.5 * rng.standard_normal((len(signal), 1)))
    baseline = 0.05 * rng.standard_normal((len(signal), 1))
    return gain * (signal + level * noise + drift) + baseline


def _with_reliability(voxels: pd.DataFrame, repeated: np.ndarray) -> pd.DataFrame:
    uncorrected, corrected = split_half(repeated)
    measures = {
        "nc_singletrial": noise_ceiling(repeated, 1),
        "nc_testset": noise_ceiling(repeated, repeated.shape[1]),
        "splithalf_uncorrected": uncorrected,
        "splithalf_corrected": corrected,
    }
    place = voxels.columns.get_loc("prf-eccentricity")
    head, tail = voxels.iloc[:, :place], voxels.iloc[:, place:]
    return pd.concat([head, pd.DataFrame(measures), tail], axis=1)
