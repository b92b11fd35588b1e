"""Generated folders in the layouts of NSD, BOLD5000 and the Algonauts Project 2023."""

import nibabel
import numpy as np
from PIL import Image

NSD = ("01", "02", "03", "04", "05", "06", "07", "08")
SHARED = 12
SHAPE = (5, 6, 4)


def _pictures(folder, names):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in names:
        pixels = rng.integers(0, 255, (32, 32, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")


def _save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(nibabel.Nifti1Image(array, np.diag([1.8, 1.8, 1.8, 1])), path)


def write_nsd(folder):
    """Write sessions of 2 runs x 14 trials, the last one listed and not released."""
    top = folder / "nsd"
    shared = [100 * number + 7 for number in range(1, SHARED + 1)]
    _pictures(top / "images", shared)
    (top / "shared.txt").write_text("\n".join(map(str, shared)) + "\n")
    for place, subject in enumerate(NSD):
        rng = np.random.default_rng(place)
        own = top / f"nsddata/ppdata/subj{subject}"
        sessions = 3 + (place == 0)
        rows = ["SUBJECT\tSESSION\tRUN\tTRIAL\t73KID\tISOLD"]
        for session in range(1, sessions + 2):
            shown = [*rng.permutation(shared), *rng.integers(50_000, 70_000, 16)]
            if session > 3:
                shown = rng.integers(50_000, 70_000, 28)
            rows += [
                f"{place + 1}\t{session}\t{1 + n // 14}\t{1 + n % 14}\t{image}\t0"
                for n, image in enumerate(shown)
            ]
            betas = rng.integers(-3000, 3000, (*SHAPE, 28)).astype(np.int16)
            name = f"func1pt8mm/betas_fithrf_GLMdenoise_RR/betas_session{session:02d}.nii.gz"
            if session <= sessions:
                _save(top / f"nsddata_betas/ppdata/subj{subject}" / name, betas)
        (own / "behav").mkdir(parents=True)
        (own / "behav/responses.tsv").write_text("\n".join(rows) + "\n")
        labels = rng.integers(-1, 8, SHAPE).astype(np.int16)
        _save(own / "func1pt8mm/roi/prf-visualrois.nii.gz", labels)


def write_bold5000(folder):
    """Write arrays of ROIs; repeated images are shown four times among others."""
    top = folder / "bold5000"
    repeated = [f"rep_scene{number}" for number in range(1, SHARED + 1)]
    _pictures(top / "images", repeated)
    (top / "repeated.txt").write_text("\n".join(repeated) + "\n")
    betas = top / "BOLD5000_GLMsingle_ROI_betas/py"
    betas.mkdir(parents=True)
    for place, subject in enumerate(("CSI1", "CSI2", "CSI3")):
        rng = np.random.default_rng(place)
        names = [f"{name}.jpg" for name in repeated] * 4
        names += [f"n0{subject}_{number}.JPEG" for number in range(30)]
        (top / f"{subject}_imgnames.txt").write_text("\n".join(rng.permutation(names)) + "\n")
        for roi in ("EarlyVis", "LOC", "PPA", "RSC"):
            for side in ("LH", "RH"):
                name = f"{subject}_GLMbetas-TYPED-FITHRF-GLMDENOISE-RR_allses_{side}{roi}.npy"
                np.save(betas / name, rng.standard_normal((len(names), 15)).astype(np.float32))


def write_algonauts(folder):
    """Write responses of both hemispheres, one for each image."""
    top = folder / "algonauts"
    shared = [f"nsd-{number:05d}" for number in range(100, 100 + SHARED)]
    _pictures(top / "images", shared)
    (top / "shared.txt").write_text("\n".join(shared) + "\n")
    for place, subject in enumerate(NSD):
        rng = np.random.default_rng(place)
        names = [*shared, *(f"nsd-{number:05d}" for number in rng.integers(1000, 70_000, 20))]
        own = top / f"subj{subject}"
        for part in ("training_split/training_fmri", "roi_masks"):
            (own / part).mkdir(parents=True)
        (own / "images.txt").write_text("\n".join(rng.permutation(names)) + "\n")
        for hemi, vertices in (("lh", 40), ("rh", 45)):
            responses = rng.standard_normal((len(names), vertices)).astype(np.float32)
            np.save(own / f"training_split/training_fmri/{hemi}_training_fmri.npy", responses)
            labels = rng.integers(0, 8, vertices)
            np.save(own / f"roi_masks/{hemi}.prf-visualrois_challenge_space.npy", labels)
