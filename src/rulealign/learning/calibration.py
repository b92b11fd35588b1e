"""The images that a rule is prepared with, before epoch 0: which, how many, and at which size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from rulealign import store
from rulealign.data.images.resize import prepare
from rulealign.errors import ConfigurationError, DataError
from rulealign.learning.batches import Epochs, normalise, training_images
from rulealign.learning.rule_settings import TRAINING, Calibration
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.provenance import derive_seed

if TYPE_CHECKING:
    from rulealign.config.training import Recipe


@dataclass(frozen=True)
class Shown:
    """Images as a network is shown them, resized and normalised batch by batch to save memory.

    Attributes:
        images: uint8, shape (n, height, width, 3), RGB.
        size: pixels per side at which they are shown; other images are resized as stimuli are
            (`data.images.resize.prepare`: bilinear, antialiased, centre crop). Enlarging adds no
            detail.
        recipe: has the `mean` and `std` that pixels are normalised by.
    """

    images: Tensor
    size: int
    recipe: Recipe

    def split(self, size: int) -> Iterator[Tensor]:
        """Give the images in batches, in order.

        Args:
            size: images per batch; the last may be smaller.

        Yields:
            float32, shape (batch, 3, height, width), normalised.
        """
        for batch in self.images.split(size):
            yield normalise(self._resized(batch), self.recipe)

    def _resized(self, batch: Tensor) -> Tensor:
        if batch.shape[1:3] == (self.size, self.size):
            return batch
        resized = [prepare(Image.fromarray(image), self.size) for image in batch.cpu().numpy()]
        return torch.from_numpy(np.stack(resized)).to(batch.device)


def calibration_images(
    wanted: Calibration,
    settings: CheckpointSettings,
    seed: int,
    training_set: Path,
    calibration_set: Path | None,
    device: torch.device,
) -> Shown | Epochs:
    """Load the images that a rule's `prepare` is shown.

    Args:
        wanted: which images, how many and at which size.
        settings: of the checkpoint.
        seed: the network's seed.
        training_set: the training set's `images.h5`.
        calibration_set: `stim-<label>_px-<size>_images.h5` where `wanted` names one, else None.
        device: where to put them.

    Returns:
        The images; the epochs of training where they are augmented. Of the training images the
        first `count` of the seed's draw; of a calibration set `count` that the seed draws, in the
        order of the set.

    Raises:
        ConfigurationError: a calibration set is asked for and not given.
        DataError: there are fewer images than asked for, or of another size, or another set's.
    """
    rule, recipe = f"rule '{settings.arm.rule}'", settings.training
    if wanted.augment:
        padded = recipe.model_copy(update=dict(wanted.padding))
        data = training_images(training_set, settings, seed, device)
        return Epochs(data, replace(settings, training=padded), seed)
    if wanted.images == TRAINING:
        images = training_images(training_set, settings, seed, device).images
        _require_enough(training_set, wanted.count or 0, len(images), rule)
        size = wanted.size or settings.training_set.image_size
        return Shown(images[: wanted.count], size, recipe)
    if calibration_set is None:
        raise ConfigurationError(
            f"{rule}: its images are those of the calibration set '{wanted.images}', which was not"
            " given."
        )
    draw = derive_seed(settings.study_seed, seed, "calibration images")
    images = torch.from_numpy(_load_set(calibration_set, wanted, draw, rule))
    return Shown(images.to(device), wanted.size, recipe)


def _load_set(path: Path, wanted: Calibration, draw: int, rule: str) -> np.ndarray:
    name = f"stim-{wanted.images}_px-{wanted.size}_images.h5"
    if path.name != name:
        raise DataError(f"{path}: {rule} is calibrated on {name}, not on this file.")
    with store.open_h5(path) as file:
        there = file["images"]
        if there.shape[1:] != (wanted.size, wanted.size, 3):
            raise DataError(
                f"{path}: its images have the shape {there.shape[1:]}, not {wanted.size} px a side;"
                " delete the file to have it made again."
            )
        count = wanted.count or len(there)
        _require_enough(path, count, len(there), rule)
        drawn = np.random.default_rng(draw).permutation(len(there))[:count]
        return there[np.sort(drawn)]


def _require_enough(path: Path, wanted: int, there: int, rule: str) -> None:
    if wanted > there:
        raise DataError(
            f"{path}: {rule} asks for {wanted} images (its `count`), there are {there}; lower it,"
            " or write `all`."
        )
