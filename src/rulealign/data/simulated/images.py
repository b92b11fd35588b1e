"""The images of a simulated data set: which there are, how they look, what voxels see of them."""

from __future__ import annotations

import shutil
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from PIL import Image

from rulealign.atomic import whole, workshop
from rulealign.data.images.stimulus_sets import image_paths
from rulealign.data.simulated.objects import CLASSES, draw_pose, draw_style, render
from rulealign.data.simulated.voxels import Scenes, see
from rulealign.provenance import derive_seed

if TYPE_CHECKING:
    from rulealign.plan.settings.images import SimulatedImagesSettings


def image_table(settings: SimulatedImagesSettings) -> pd.DataFrame:
    """List the images of a simulated data set.

    Args:
        settings: of its images.

    Returns:
        One row per image, sorted by stimulus: stimulus (disc_a_01s.jpg), concept, class_index,
        concept_index, trial_type.
    """
    concepts, exemplars = settings.concepts, settings.exemplars
    shown = [(c, e + 1, "train") for c in range(concepts) for e in range(exemplars)]
    for place in range(settings.repeated_images):
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


def _paint(settings: SimulatedImagesSettings, row: Any) -> tuple[np.ndarray, np.ndarray]:
    """Paint one image and its mask: the looks are the concept's, pose and background its own."""
    seed = settings.study_seed
    style_rng = np.random.default_rng(derive_seed(seed, "concept", row.concept_index))
    rng = np.random.default_rng(derive_seed(seed, "image", row.stimulus))
    style = draw_style(row.class_index, style_rng)
    return render(style, draw_pose(rng), settings.image_size, rng)


def write_folder(settings: SimulatedImagesSettings, table: pd.DataFrame, folder: Path) -> None:
    """Write the images, all or none: a folder beside it, renamed at the end.

    Args:
        settings: as in `image_table`.
        table: as made by `image_table`.
        folder: the folder to make; replaced if it exists.

    Raises:
        StoreError: the disk is full.
    """
    with workshop(folder) as made:
        for row in table.itertuples():
            with whole(made / row.concept / row.stimulus) as temporary:
                image = Image.fromarray(_paint(settings, row)[0])
                image.save(temporary, format="JPEG", quality=95, subsampling=0)
        if folder.exists():
            shutil.rmtree(folder)
        made.replace(folder)


def load_scenes(settings: SimulatedImagesSettings, table: pd.DataFrame, folder: Path) -> Scenes:
    """Load the images as saved, and paint their masks again.

    Args:
        settings: as in `write_folder`.
        table: as made by `image_table`.
        folder: as made by `write_folder`.

    Returns:
        What voxels can see, in the order of the table.

    Raises:
        DataError: an image is missing.
    """
    # voxels see the pictures as saved, which networks will see too
    paths = image_paths(folder, table["stimulus"].tolist())
    images = np.stack([_read(path) for path in paths])
    masks = np.stack([_paint(settings, row)[1] for row in table.itertuples()])
    return see(images, masks, table["class_index"].to_numpy())


def _read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
