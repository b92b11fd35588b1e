"""Images of one split of a training set, drawn for a seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rulealign.errors import DataError
from rulealign.store import open_h5, read_ids

SPLITS = ("train", "test")


def class_names(path: Path) -> list[str]:
    """Name the classes that a network tells apart, as `training_set.build` wrote them.

    Args:
        path: a file made by `training_set.build`.

    Returns:
        The classes in label order; chance is one in so many.

    Raises:
        StoreError: the file cannot be read.
    """
    with open_h5(path) as file:
        return read_ids(file, "class")


def load_split(path: Path, split: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw images of one split, without replacement.

    Args:
        path: a file made by `training_set.build`.
        split: "train" or "test".
        count: how many; the first ones of a random order that depends on the seed alone, so that
            a larger draw begins with the smaller one.
        seed: of the draw, such as `derive_seed(study_seed, seed, "training images")`.

    Returns:
        images: uint8, shape (count, size, size, 3), RGB, in the order of the draw.
        labels: int64, shape (count,).

    Raises:
        DataError: there is no such split, or it has fewer images.
    """
    with open_h5(path) as file:
        if split not in file:
            raise DataError(f"{path}: has no split '{split}'; there are {list(SPLITS)}.")
        labels = file[f"{split}/labels"][()]
        if count > len(labels):
            raise DataError(
                f"{path}: the split '{split}' has {len(labels)} images, {count} are asked for."
            )
        # one long read, then a choice in memory: HDF5 is slow at scattered rows
        images = file[f"{split}/images"][()]
    drawn = np.random.default_rng(seed).permutation(len(labels))[:count]
    return images[drawn], labels[drawn]
