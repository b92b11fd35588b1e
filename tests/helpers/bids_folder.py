"""A generated folder of betas that looks like BIDS: 4 subjects x 3 runs x 20 images, two ROIs."""

import gzip

import nibabel
import numpy as np
from PIL import Image

SUBJECTS = ["anna", "ben", "carl", "dora"]
RUNS, IMAGES, SHAPE = 3, 20, (9, 8, 7)
AFFINE = np.diag([2.0, 2.0, 2.5, 1.0])
AFFINE[:3, 3] = -8, -9, -10
COLUMNS = "onset\tduration\ttrial_type\tstim_file\n"


def inside(roi):
    """Give the voxels of an ROI: bool, of the grid's shape."""
    mask = np.zeros(SHAPE, dtype=bool)
    if roi == "V1":
        mask[1:4, 1:5, 1:6] = True
    else:
        mask[5:8, 2:7, 2:6] = True
    return mask


def write_images(folder):
    """Write the pictures that subjects saw."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    for number in range(1, IMAGES + 1):
        pixels = rng.integers(0, 255, (40, 44, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"object_{number}.png")


def save(path, array):
    """Write a NIfTI image on the grid of the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(array, AFFINE)
    path.write_bytes(gzip.compress(image.to_bytes(), mtime=0))


def write_bids(root):
    """Write betas, events and masks below a folder.

    Every run shows all images once in an order of its own, with two target trials, which have a
    beta, and two rows of fixation, which have none.
    """
    signal = np.random.default_rng(1).standard_normal((IMAGES, *SHAPE))
    for number, subject in enumerate(SUBJECTS):
        rng = np.random.default_rng(10 + number)
        own = signal + 0.5 * rng.standard_normal(signal.shape)
        for run in range(1, RUNS + 1):
            _write_run(root, subject, run, own, rng)
        for roi in ("V1", "LO"):
            path = root / "derivatives" / "rois" / f"sub-{subject}_{roi}_mask.nii.gz"
            save(path, inside(roi).astype(np.uint8))


def _write_run(root, subject, run, signal, rng):
    order = [*rng.permutation(IMAGES), -1, -2]
    rng.shuffle(order)
    rows, betas = [COLUMNS], []
    for place, image in enumerate(order):
        onset = 4 * place
        if place in (3, 12):
            rows.append(f"{onset - 1}\t1\tfixation\tn/a\n")
        kind = "object" if image >= 0 else "target"
        name = f"objects/object_{image + 1}.png" if image >= 0 else "n/a"
        rows.append(f"{onset}\t2\t{kind}\t{name}\n")
        shared = signal[image] if image >= 0 else 0
        betas.append(3 + shared + rng.standard_normal(SHAPE))
    name = f"sub-{subject}_task-objects_run-{run}"
    events = root / f"sub-{subject}" / "func" / f"{name}_events.tsv"
    events.parent.mkdir(parents=True, exist_ok=True)
    events.write_text("".join(rows))
    path = root / "derivatives" / "glm" / f"sub-{subject}" / f"{name}_betas.nii.gz"
    save(path, np.stack(betas, axis=-1).astype(np.float32))


def plain_trials(root, subject):
    """Read a subject's trials in plain loops: image ids, runs, betas (trials, x, y, z)."""
    images, runs, betas = [], [], []
    for run in range(1, RUNS + 1):
        name = f"sub-{subject}_task-objects_run-{run}"
        path = root / "derivatives" / "glm" / f"sub-{subject}" / f"{name}_betas.nii.gz"
        volumes = iter(np.moveaxis(nibabel.load(path).get_fdata(), -1, 0))
        lines = (root / f"sub-{subject}" / "func" / f"{name}_events.tsv").read_text().splitlines()
        for line in lines[1:]:
            _, _, kind, file = line.split("\t")
            if kind == "fixation":
                continue
            volume = next(volumes)
            if kind == "object":
                images.append(file.removeprefix("objects/").removesuffix(".png"))
                runs.append(run)
                betas.append(volume)
        assert next(volumes, None) is None
    return images, runs, np.stack(betas)
