"""Training images as tensors: normalised, put in order and augmented in batches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from rulealign.data.images.training_split import class_names, load_split
from rulealign.errors import DataError
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.provenance import derive_seed

if TYPE_CHECKING:
    from rulealign.config.training import Recipe


def normalise(images: Tensor, colours: Recipe | ActivationSettings) -> Tensor:
    """Turn pixels into a network's input.

    Args:
        images: uint8, shape (n, height, width, 3), RGB.
        colours: has the `mean` and `std` of each channel, for pixel values 0-1.

    Returns:
        (pixel / 255 - mean) / std: float32, shape (n, 3, height, width), channels-last in memory.
    """
    mean, std = (torch.tensor(one, device=images.device) for one in (colours.mean, colours.std))
    return ((images.float() / 255 - mean) / std).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class LabelledImages:
    """Images and labels on the network's device.

    Attributes:
        images: uint8, shape (n, size, size, 3).
        labels: int64, shape (n,).
    """

    images: Tensor
    labels: Tensor


def training_images(
    path: Path, settings: CheckpointSettings, seed: int, device: torch.device
) -> LabelledImages:
    """Load the training images of one seed.

    Args:
        path: the training set's `images.h5`.
        settings: of the checkpoints.
        seed: the network's seed, which draws the images.
        device: where to put them.

    Returns:
        `training_set.train_images` images of the train split.

    Raises:
        DataError: fewer images than one batch, or images of another size or with other labels.
    """
    count, batch_size = settings.training_set.train_images, settings.training.batch_size
    if count < batch_size:
        raise DataError(
            f"{path}: {count} training images are fewer than one batch of {batch_size}, and the"
            " last partial batch is dropped; raise training_set.train_images or lower"
            " training.batch_size."
        )
    draw = derive_seed(settings.study_seed, seed, "training images")
    return _load(path, "train", count, draw, settings.training_set.image_size, device)


def held_out_images(
    path: Path, settings: CheckpointSettings, device: torch.device
) -> LabelledImages:
    """Load the held-out images, the same for every rule and seed.

    Args:
        path: the training set's `images.h5`.
        settings: of the checkpoints.
        device: where to put them.

    Returns:
        `training_set.held_out_images` images of the test split.

    Raises:
        DataError: images of another size or with other labels.
    """
    draw = derive_seed(settings.study_seed, "held-out images")
    asked = settings.training_set
    return _load(path, "test", asked.held_out_images, draw, asked.image_size, device)


def _load(
    path: Path, split: str, count: int, draw: int, size: int, device: torch.device
) -> LabelledImages:
    images, labels = load_split(path, split, count, draw)
    if images.shape[1:] != (size, size, 3):
        raise DataError(
            f"{path}: {split}/images are {images.shape[1]} x {images.shape[2]} px, but"
            f" training_set.image_size is {size}; delete the file to have it made again."
        )
    classes = len(class_names(path))
    wrong = labels[(labels < 0) | (labels >= classes)]
    if len(wrong):
        raise DataError(
            f"{path}: {split}/labels has the label {wrong[0]}, but there are {classes} classes, 0"
            f" to {classes - 1}; delete the file to have it made again."
        )
    return LabelledImages(
        *(torch.from_numpy(np.array(array)).to(device) for array in (images, labels))
    )


class Epochs:
    """Deals out a seed's training images: in a new order and newly augmented in each epoch.

    Order and augmentation depend on study seed, seed and epoch, not on the rule, so that rules are
    compared on the same images.

    Args:
        data: the training images.
        settings: of the checkpoints.
        seed: the network's seed.
    """

    def __init__(self, data: LabelledImages, settings: CheckpointSettings, seed: int) -> None:
        self.data, self.seed, self.study_seed = data, seed, settings.study_seed
        self.recipe = recipe = settings.training
        self.padded = pad(data.images, recipe.crop_padding, recipe.padding_mode, recipe.mean)

    def batches(self, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Deal out one epoch, without a last partial batch.

        Args:
            epoch: 0 for the first one.

        Yields:
            Images, float32, shape (batch, 3, height, width), normalised; labels, int64, (batch,).
        """
        count, size = len(self.data.labels), self.recipe.batch_size
        order = torch.randperm(count, generator=self._generator(epoch, "order"))
        top, left, mirrored = self._draw(count, self._generator(epoch, "augmentation"))
        for start in range(0, count - size + 1, size):
            now = slice(start, start + size)
            chosen = order[now].to(self.padded.device)
            images = crop(
                self.padded[chosen], top[now], left[now], mirrored[now], self.data.images.shape[1]
            )
            yield normalise(images, self.recipe), self.data.labels[chosen]

    def __len__(self) -> int:
        return len(self.data.labels) // self.recipe.batch_size

    def _generator(self, epoch: int, purpose: str) -> torch.Generator:
        # on the CPU, so that the draw is the same for every device
        seed = derive_seed(self.study_seed, self.seed, epoch, purpose)
        return torch.Generator().manual_seed(seed)

    def _draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        corner = torch.randint(0, 2 * self.recipe.crop_padding + 1, (2, count), generator=generator)
        mirrored = torch.rand(count, generator=generator) < 0.5
        if not self.recipe.horizontal_flip:
            mirrored = torch.zeros_like(mirrored)
        return *corner.to(self.padded.device), mirrored.to(self.padded.device)


def pad(images: Tensor, width: int, how: str, mean: Sequence[float]) -> Tensor:
    """Add a border around each image.

    Args:
        images: uint8, shape (n, size, size, 3).
        width: of the border, pixels; for `reflect` fewer than size.
        how: `zero`, `reflect` (mirrored at the outermost pixel, which is not repeated), `replicate`
            (of the outermost pixel) or `mean`.
        mean: the colour of `mean`, 0 to 1, RGB; rounded to 1/255.

    Returns:
        uint8, shape (n, size + 2 width, size + 2 width, 3).
    """
    size = images.shape[1]
    along = torch.arange(-width, size + width, device=images.device)
    mirrored, nearest = size - 1 - (size - 1 - along.abs()).abs(), along.clamp(0, size - 1)
    places = mirrored if how == "reflect" else nearest
    padded = images[:, places][:, :, places]
    if how in ("zero", "mean"):
        outside = along != places
        colour = [round(255 * value) for value in mean] if how == "mean" else [0, 0, 0]
        border = torch.tensor(colour, dtype=torch.uint8, device=images.device)
        padded[:, outside] = border
        padded[:, :, outside] = border
    return padded


def crop(padded: Tensor, top: Tensor, left: Tensor, mirrored: Tensor, size: int) -> Tensor:
    """Cut a square out of each image, and mirror some of the squares.

    Args:
        padded: shape (n, height, width, channels).
        top: int64, shape (n,); first row of each square.
        left: int64, shape (n,); first column of each square.
        mirrored: bool, shape (n,); whether left and right change places.
        size: pixels per side of the squares.

    Returns:
        Shape (n, size, size, channels), of the type of `padded`.
    """
    along = torch.arange(size, device=padded.device)
    rows = top[:, None] + along
    columns = left[:, None] + torch.where(mirrored[:, None], size - 1 - along, along)
    each = torch.arange(len(padded), device=padded.device)
    return padded[each[:, None, None], rows[:, :, None], columns[:, None, :]]
