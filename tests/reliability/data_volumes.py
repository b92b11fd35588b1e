"""Faults of volumes of single trials, and of the masks beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

from reliability.bad_data import Case
from reliability.data_tables import cut, gone, last_line, middle

RUN = "volumes/betas_vol/sub-01/ses-things01/sub-01_ses-things01_run-01"
MASK = "volumes/brainmasks/sub-01_space-T1w_brainmask.nii.gz"
ROIS = "volumes/rois/prf/sub-01/resampled_varea.nii.gz"


def as_volumes(study: dict) -> None:
    """Let a study read volumes."""
    study["things"] |= {"form": "volumes", "root": "./volumes"}


def volume(name: str, change: Callable[[np.ndarray], np.ndarray], move: float = 0) -> Callable:
    """Give what rewrites an image of volumes; `move` shifts its affine, in mm."""

    def plant(folder: Path) -> None:
        image = nibabel.load(folder / name)
        affine = image.affine.copy()
        affine[0, 3] += move
        values = change(np.asarray(image.dataobj))
        nibabel.Nifti1Image(values, affine).to_filename(folder / name)

    return plant


def volume_cases() -> Iterator[Case]:
    """Yield the faults of volumes."""
    betas, conditions = f"{RUN}_betas.nii.gz", f"{RUN}_conditions.tsv"
    in_run = (r"sub-01_ses-things01_run-01",)

    def case(what, plant, named, sound=False):
        return Case(f"volumes: {what}", plant, named, as_volumes, sound)

    yield case("betas cut", cut(betas, middle), in_run)
    yield case("betas empty", cut(betas, lambda content: 0), in_run)
    yield case("betas are text", lambda f: (f / betas).write_text("no"), in_run)
    yield case("a run has a volume less", volume(betas, lambda v: v[..., :-1]), in_run)
    yield case("a run of another shape", volume(betas, lambda v: v[:-1]), in_run)
    yield case("a run of another place", volume(betas, lambda v: v, move=4), in_run)
    yield case("betas are NaN", volume(betas, lambda v: v * np.nan), ("sub-01|V1",))
    yield case("no betas of a run", gone(betas), in_run)
    yield case("no conditions of a run", gone(conditions), in_run)
    yield case("conditions cut at a line", cut(conditions, last_line), in_run)
    yield case("conditions cut anywhere", cut(conditions, lambda c: len(c) - 4), in_run)
    yield case("conditions empty", cut(conditions, lambda content: 0), in_run)
    for name in ("Unnamed: 0", "index", "trial", " "):
        again = _written_anew(name)
        yield case(f"conditions sorted, their index called '{name}'", again, in_run)
    yield case("conditions sorted without their index", _written_anew(None), in_run)
    yield case("conditions by commas", _by_commas, (), sound=True)
    yield case("conditions by ';'", _by_semicolons, (), sound=True)
    yield case("no brain mask", gone(MASK), ("brainmask|brain mask",))
    yield case("brain mask empty", volume(MASK, lambda v: v * 0), ("brainmask",))
    yield case("brain mask of halves", volume(MASK, lambda v: v * 0.5), ("brainmask",))
    yield case("brain mask with an axis of 1", volume(MASK, lambda v: v[..., None]), (), sound=True)
    yield case("ROIs of another place", volume(ROIS, lambda v: v, move=4), ("varea",))
    yield case("ROIs cut", cut(ROIS, middle), ("varea",))
    yield case("ROIs are halves", volume(ROIS, lambda v: v + 0.5), ("varea",))


def _written_anew(index: str | None) -> Callable:
    def plant(folder: Path) -> None:
        path = folder / f"{RUN}_conditions.tsv"
        table = pd.read_csv(path, sep="\t", index_col=0).sort_values("image_filename")
        table.to_csv(path, sep="\t", index=index is not None, index_label=index)

    return plant


def _by_commas(folder: Path) -> None:
    path = folder / f"{RUN}_conditions.tsv"
    path.write_text(path.read_text().replace("\t", ","))


def _by_semicolons(folder: Path) -> None:
    path = folder / f"{RUN}_conditions.tsv"
    path.write_text(path.read_text().replace("\t", ";"))
