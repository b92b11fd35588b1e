"""Writes a data set in the table form of THINGS-fMRI from a known truth."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from scipy.spatial.distance import pdist
from scipy.stats import zscore

from rulealign.data.simulated_tables import (
    brain_coordinates,
    field_columns,
    roi_membership,
    write_response_data,
)
from rulealign.data.simulated_trials import (
    draw_order,
    noise_ceiling,
    repeated_responses,
    run_drift,
    split_half,
)
from rulealign.data.simulated_voxels import TUNINGS, Scenes, see
from rulealign.data.synthetic import CLASSES, draw_pose, draw_style, render
from rulealign.data.things import image_paths
from rulealign.provenance import derive_seed
from rulealign.store import whole, write_csv, write_h5

_REFERENCE_VOXELS = 2000


def image_table(settings: Mapping[str, Any]) -> pd.DataFrame:
    """List the images of a simulated data set.

    Args:
        settings: the brain section with the study's `seed`; `concepts`, `exemplars` and
            `repeated_images` are used.

    Returns:
        One row per image, sorted by stimulus: stimulus (disc_a_01s.jpg), concept, class_index,
        concept_index, trial_type.
    """
    concepts, exemplars = settings["concepts"], settings["exemplars"]
    shown = [(c, e + 1, "train") for c in range(concepts) for e in range(exemplars)]
    for place in range(settings["repeated_images"]):
        shown.append((place % concepts, exemplars + 1 + place // concepts, "test"))
    rows = [
        (f"{_concept(c)}_{number:02d}s.jpg", _concept(c), c % len(CLASSES), c, kind)
        for c, number, kind in shown
    ]
    names = ["stimulus", "concept", "class_index", "concept_index", "trial_type"]
    return pd.DataFrame(rows, columns=names).sort_values("stimulus", ignore_index=True)


def _concept(index: int) -> str:
    letters, place = "", index // len(CLASSES)
    while place >= 0:
        letters = ascii_lowercase[place % 26] + letters
        place = place // 26 - 1
    return f"{CLASSES[index % len(CLASSES)]}_{letters}"


def _paint(settings: Mapping[str, Any], row: Any) -> tuple[np.ndarray, np.ndarray]:
    """Paint one image and its mask: the looks are the concept's, pose and background its own."""
    seed = settings["seed"]
    style_rng = np.random.default_rng(derive_seed(seed, "concept", row.concept_index))
    rng = np.random.default_rng(derive_seed(seed, "image", row.stimulus))
    style = draw_style(row.class_index, style_rng)
    return render(style, draw_pose(rng), settings["image_size"], rng)


def write_images(settings: dict[str, Any], folder: Path, truth: Path) -> None:
    """Write the images that simulated people see, and the RDMs of their noise-free areas.

    Args:
        settings: the brain section (kind `simulated`) with the study's `seed`.
        folder: the folder to make, `<concept>/<concept>_01s.jpg`; replaced if it exists.
        truth: the HDF5 file to make: `rdm/<column>` float64 condensed (correlation distance
            between the answers of 2,000 z-scored noise-free voxels of the area to all images),
            `class_index` and `trial_type` per image; ids stimulus.

    Raises:
        StoreError: the disk is full.
    """
    table, folder = image_table(settings), Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for row in table.itertuples():
            with whole(made / row.concept / row.stimulus) as temporary:
                image = Image.fromarray(_paint(settings, row)[0])
                image.save(temporary, format="JPEG", quality=95, subsampling=0)
        made.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        made.replace(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    _write_truth(settings, table, folder, truth)


def _write_truth(
    settings: dict[str, Any], table: pd.DataFrame, folder: Path, truth: Path
) -> None:
    scenes = _scenes(settings, table, folder)
    rdms = {}
    for column, tuning in TUNINGS.items():
        rng = np.random.default_rng(derive_seed(settings["seed"], "truth", column))
        answers = tuning(scenes, _REFERENCE_VOXELS, rng).responses
        rdms[f"rdm/{column}"] = pdist(zscore(answers, axis=0), "correlation")
    classes = {"class_index": table["class_index"].to_numpy()}
    write_h5(
        truth,
        rdms | classes,
        ids={"stimulus": table["stimulus"].tolist()},
        settings=settings,
        attributes={"classes": list(CLASSES), "reference_voxels": _REFERENCE_VOXELS},
    )


def _scenes(settings: Mapping[str, Any], table: pd.DataFrame, folder: Path) -> Scenes:
    # voxels see the pictures as saved, which networks will see too
    paths = image_paths(folder, table["stimulus"].tolist())
    images = np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])
    masks = np.stack([_paint(settings, row)[1] for row in table.itertuples()])
    return see(images, masks, table["class_index"].to_numpy())


def write_subject(
    settings: dict[str, Any], subject: int, images: Path, outputs: Mapping[str, Path]
) -> None:
    """Write one simulated person's responses, voxels and trials.

    A response is gain * (signal + noise + drift) + baseline: the signal has unit variance over
    the images in every voxel, and gain and baseline differ from voxel to voxel as in real data.

    Args:
        settings: the brain section (kind `simulated`) with the study's `seed`.
        subject: number of the person, from 1.
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
    signal, voxels = _voxels(settings, subject, _scenes(settings, table, images))
    shown = table.set_index("stimulus").index.get_indexer(trials["stimulus"])
    responses = _measure(settings, subject, signal[:, shown], trials)
    voxels = _with_reliability(voxels, repeated_responses(responses, trials))
    write_csv(outputs["voxels"], voxels)
    write_csv(outputs["stimuli"], trials)
    write_response_data(outputs["responses"], responses, voxels["voxel_id"].to_numpy())


def _rng(settings: Mapping[str, Any], subject: int, *purpose: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(settings["seed"], "subject", subject, *purpose))


def _trials(settings: Mapping[str, Any], subject: int, table: pd.DataFrame) -> pd.DataFrame:
    by_type = {kind: rows["stimulus"].tolist() for kind, rows in table.groupby("trial_type")}
    rng = _rng(settings, subject, "order")
    order = (by_type["train"], by_type["test"], settings["sessions"], settings["runs"])
    trials = draw_order(*order, rng)
    trials.insert(3, "subject_id", subject)
    concept = table.set_index("stimulus")["concept"]
    return trials.assign(concept=concept[trials["stimulus"]].to_numpy())


def _voxels(
    settings: Mapping[str, Any], subject: int, scenes: Scenes
) -> tuple[np.ndarray, pd.DataFrame]:
    """Draw a person's voxels: their signals (voxels, images) and their table, in brain order."""
    count, signals, column, fields = settings["voxels_per_roi"], [], [], []
    for name, tuning in TUNINGS.items():
        voxels = tuning(scenes, count, _rng(settings, subject, "voxels", name))
        signals.append(zscore(voxels.responses, axis=0).T)
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
    settings: Mapping[str, Any], subject: int, signal: np.ndarray, trials: pd.DataFrame
) -> np.ndarray:
    rng = _rng(settings, subject, "noise")
    noise = rng.standard_normal(signal.shape)
    # voxels outside all areas see nothing: they are noise even where `noise` is 0
    blind = ~signal.any(axis=1, keepdims=True)
    level = np.where(blind, 1.0, settings["noise"])
    drift = settings["drift"] * run_drift(trials, len(signal), rng)
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
