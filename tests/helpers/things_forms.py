"""Writes one small generated data set in every form in which THINGS-fMRI can be had.

The truth is drawn once, and each writer only arranges it: what a form reads back can be compared
with the truth and with the other forms. All numbers are exact in float32 (and in decimal text).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

from rulealign.data.simulated.tables import ROI_COLUMNS, write_response_data
from rulealign.data.simulated.trials import draw_order

CONCEPTS = (
    *("aardvark", "boat", "catapult", "dog", "dreamcatcher", "egg", "fern", "hat", "ice_cream"),
    *("jar", "kite", "lamp", "mango", "nail", "oar", "pan", "quilt", "rug", "sock", "tub"),
)
VAREA = ("V1", "V2", "V3", "hV4", "VO1", "VO2", "LO1 (prf)", "LO2 (prf)", "TO1", "TO2")
VAREA += ("V3b", "V3a")
PARCELS = {
    "body_parcels": ("EBA",),
    "face_parcels": ("FFA", "OFA", "STS"),
    "object_parcels": ("LOC",),
    "scene_parcels": ("PPA", "RSC", "TOS"),
}
TABLES_ONLY = ("IT", *(name for name in ROI_COLUMNS if name.startswith("glasser-")))
SHAPE = (10, 7, 6)  # an even width: the midline lies between two columns of voxels
AFFINE = np.array(  # oblique: turned about two axes, so that the order of axes cannot be guessed
    [
        [1.9, 0.3, -0.2, -71.5],
        [-0.3, 1.95, 0.25, -102.0],
        [0.25, -0.15, 1.98, -64.25],
        [0.0, 0.0, 0.0, 1.0],
    ]
)


@dataclass(frozen=True)
class Person:
    """What is true of one subject.

    `responses` float32 (voxels, trials); `trials` the trial table with subject_id; `voxels` the
    voxel table with every column, in the order of the mask; `mask` bool (x, y, z).
    """

    responses: np.ndarray
    trials: pd.DataFrame
    voxels: pd.DataFrame
    mask: np.ndarray


@dataclass(frozen=True)
class Truth:
    """Subjects by label ("01", "02", ...)."""

    people: dict[str, Person]


def generated_truth(
    subjects: int = 2,
    sessions: int = 2,
    runs: int = 3,
    concepts: int = 8,
    exemplars: int = 2,
    repeated: int = 3,
    shared_order: bool = False,
    seed: int = 0,
) -> Truth:
    """Draw a small data set.

    Args:
        subjects: how many subjects.
        sessions: sessions of each; at least 2, so that the repeated images are repeated.
        runs: runs in each session (12 or more give names that sort wrongly as text).
        concepts: how many concepts (at most 20), one of them "dreamcatcher" from 5 on.
        exemplars: images of each concept that are shown once ("train").
        repeated: images that are shown once in every session ("test").
        shared_order: everybody sees the images in the same order.
        seed: seed of everything.
    """
    people = {}
    for number in range(1, subjects + 1):
        rng = np.random.default_rng([seed, 0 if shared_order else number])
        trials = _trials(rng, number, sessions, runs, concepts, exemplars, repeated)
        rng = np.random.default_rng([seed, number, 1])
        mask = _irregular_mask(rng)
        voxels = _voxel_table(rng, number, mask)
        people[f"{number:02d}"] = Person(_responses(rng, len(voxels), trials), trials, voxels, mask)
    return Truth(people)


def _trials(rng, number, sessions, runs, concepts, exemplars, repeated):
    names = CONCEPTS[:concepts]
    train = [f"{name}_{k + 1:02d}s.jpg" for name in names for k in range(exemplars)]
    test = [f"{name}_14n.jpg" for name in names[:repeated]]
    trials = draw_order(train, test, sessions, runs, rng)
    trials.insert(3, "subject_id", number)
    return trials.assign(concept=[name.rpartition("_")[0] for name in trials["stimulus"]])


def _irregular_mask(rng):
    places = np.indices(SHAPE) - (np.array(SHAPE)[:, None, None, None] - 1) / 2
    ball = (places**2 / (np.array(SHAPE)[:, None, None, None] / 2) ** 2).sum(axis=0) <= 1
    mask = ball & (rng.random(SHAPE) < 0.85)  # holes, as of ventricles
    mask[0, 0, 0] = mask[-1, -1, -1] = True  # two islands
    return mask


def _voxel_table(rng, number, mask):
    places = np.nonzero(mask)
    count = len(places[0])
    table = {"voxel_id": np.arange(count), "subject_id": number}
    table |= dict(zip(("voxel_x", "voxel_y", "voxel_z"), places, strict=True))
    measures = ("nc_singletrial", "nc_testset", "splithalf_uncorrected", "splithalf_corrected")
    measures += tuple(f"prf-{name}" for name in ("eccentricity", "polarangle", "rsquared", "size"))
    table |= {name: _round(rng.uniform(0, 60, count)) for name in measures}
    flags = _memberships(rng, places[0] < SHAPE[0] // 2)
    return pd.DataFrame(table | {name: flags[name].astype(int) for name in ROI_COLUMNS})


def _memberships(rng, left):
    label = rng.permutation(np.arange(len(left)) % 16)  # 12 ROIs of the map, and none
    flags = {name: label == place + 1 for place, name in enumerate(VAREA)}
    for names in PARCELS.values():
        for name in names:
            inside = rng.random(len(left)) < 0.2
            flags |= {f"l{name}": inside & left, f"r{name}": inside & ~left}
    return flags | {name: rng.random(len(left)) < 0.15 for name in TABLES_ONLY}


def _responses(rng, voxels, trials):
    names, shown = np.unique(trials["stimulus"], return_inverse=True)
    signal = rng.standard_normal((voxels, len(names)))[:, shown]
    return _round(signal + rng.standard_normal(signal.shape)).astype(np.float32)


def _round(values):
    return np.round(values * 64) / 64


def write_tables(folder: Path, truth: Truth) -> None:
    """Write `sub-01_ResponseData.h5`, `sub-01_VoxelMetadata.csv`, `sub-01_StimulusMetadata.csv`."""
    for subject, person in truth.people.items():
        names = ("ResponseData.h5", "VoxelMetadata.csv", "StimulusMetadata.csv")
        _write_person(*(Path(folder) / f"sub-{subject}_{name}" for name in names), person)


def write_openneuro(folder: Path, truth: Truth) -> None:
    """Write the same below `ds004192/`, named as on OpenNeuro (the .tsv separated by commas)."""
    for subject, person in truth.people.items():
        place = Path(folder) / "ds004192/derivatives/ICA-betas" / f"sub-{subject}/voxel-metadata"
        names = ("voxel-wise-responses.h5", "voxel-metadata.tsv", "stimulus-metadata.tsv")
        _write_person(*(place / f"sub-{subject}_task-things_{name}" for name in names), person)


def _write_person(responses, voxels, stimuli, person):
    responses.parent.mkdir(parents=True, exist_ok=True)
    write_response_data(responses, person.responses, person.voxels["voxel_id"].to_numpy())
    person.voxels.to_csv(voxels, index=False)
    person.trials.to_csv(stimuli, index=False)


def write_sidecars(folder: Path, truth: Truth, **values) -> None:
    """Write the BIDS sidecars of the first run of each subject's first session."""
    values = {"MagneticFieldStrength": 3, "RepetitionTime": 1.5, "TaskName": "things", **values}
    for subject in truth.people:
        stem = f"sub-{subject}_ses-things01_task-things_run-01_bold.json"
        path = Path(folder) / f"sub-{subject}" / "ses-things01" / "func" / stem
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))


def write_volumes(folder: Path, truth: Truth, voxel_tables: bool = False) -> None:
    """Write the volume form: `betas_vol`, `brainmasks`, `rois` and `noise_ceilings`.

    Two catch trials lie in every run; outside the brain there are numbers that must not be read;
    ROI masks reach beyond the brain mask. With `voxel_tables`, `sub-01_VoxelMetadata.csv` too.
    """
    for subject, person in truth.people.items():
        _write_masks(Path(folder), subject, person)
        for (session, run), trials in person.trials.groupby(["session", "run"]):
            place = Path(folder) / "betas_vol" / f"sub-{subject}" / f"ses-things{session:02d}"
            stem = place / f"sub-{subject}_ses-things{session:02d}_run-{run:02d}"
            _write_run(stem, person, trials, seed=100 * session + run)
        if voxel_tables:
            person.voxels.to_csv(Path(folder) / f"sub-{subject}_VoxelMetadata.csv", index=False)


def _write_run(stem, person, trials, seed):
    rng = np.random.default_rng(seed)
    names = [f"{t.concept}/{t.stimulus}" for t in trials.itertuples()]
    values = list(person.responses[:, trials.index].T)
    for catch in range(2):
        place = int(rng.integers(0, len(names) + 1))
        names.insert(place, f"catch/catch{seed + catch:03d}_{catch + 1:02d}.jpg")
        values.insert(place, np.full(len(person.responses), -77.0))
    volumes = np.full((*person.mask.shape, len(names)), 55.0)
    volumes[person.mask] = np.stack(values, axis=1)
    save(f"{stem}_betas.nii.gz", volumes)
    table = pd.DataFrame({"image_filename": names})
    table.to_csv(f"{stem}_conditions.tsv", sep="\t")  # with its unnamed index, as published


def _write_masks(folder, subject, person):
    save(folder / f"brainmasks/sub-{subject}_space-T1w_brainmask.nii.gz", person.mask, np.uint8)
    for trials, column in ((1, "nc_singletrial"), (12, "nc_testset")):
        path = folder / f"noise_ceilings/sub-{subject}_nc_n-{trials}.nii.gz"
        save(path, scatter(person, person.voxels[column]))
    varea = sum(scatter(person, person.voxels[name]) * (k + 1) for k, name in enumerate(VAREA))
    varea[~person.mask] = 1  # V1 reaches out of the brain
    save(folder / f"rois/prf/sub-{subject}/resampled_varea.nii.gz", varea)
    for name in ("angle", "eccen", "sigma"):
        save(folder / f"rois/prf/sub-{subject}/resampled_{name}.nii.gz", varea * 1.5)
    for parcels, names in PARCELS.items():
        place = folder / "rois/category_localizer" / f"sub-{subject}" / parcels
        for name in (side + name for name in names for side in "lr"):
            mask = scatter(person, person.voxels[name])
            mask[0, -1, 0] = 1  # a corner, outside the brain
            save(place / f"sub-{subject}_{name}.nii.gz", mask, np.uint8)


def scatter(person: Person, values) -> np.ndarray:
    """Put one value per voxel into its place; 0 elsewhere."""
    volume = np.zeros(person.mask.shape)
    places = tuple(person.voxels[f"voxel_{axis}"] for axis in "xyz")
    volume[places] = values
    return volume


def save(path: Path | str, array: np.ndarray, dtype=np.float64, affine=AFFINE) -> None:
    """Write a NIfTI image, its folder included."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    nibabel.Nifti1Image(np.asarray(array, dtype=dtype), affine).to_filename(path)
