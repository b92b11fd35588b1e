"""What frozen networks make of the stimuli: activations, described and kept with their ids."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from rulealign import guards, store
from rulealign.arm import Arm
from rulealign.errors import DataError, GuardError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning.batches import normalise
from rulealign.learning.device import require_device
from rulealign.learning.projection import PROJECTED, projected
from rulealign.learning.rule import LearningRule
from rulealign.learning.run import adopt, start_run
from rulealign.plan.settings.activations import ActivationSettings
from rulealign.plan.settings.training import CheckpointSettings

ALONE_TOLERANCE = 1e-4
"""Share of a layer's largest activation by which an image alone may differ from one in a batch."""

IMAGES_IN_GUARD = 4
"""Images shown together when the network is tested for using statistics of the batch."""


@dataclass(frozen=True)
class Stimuli:
    """A stimulus set in an open file.

    Attributes:
        label: of the set.
        size: pixels per side.
        ids: of the stimuli.
        images: uint8, shape (images, size, size, 3); read a batch at a time.
        image_names: ids of the images, which are those of the stimuli unless these are several.
        stimulus_of_image: place of each image's stimulus; None where each is one image.
    """

    label: str
    size: int
    ids: list[str]
    images: h5py.Dataset
    image_names: list[str]
    stimulus_of_image: np.ndarray | None


def describe(values: Tensor, descriptor: str) -> Tensor:
    """Turn a conv map into vectors.

    Args:
        values: float32, shape (n, channels, height, width).
        descriptor: `global-average` (mean over positions), `grid-k`: means over k x k regions
            (adaptive average pooling; an axis shorter than k keeps its own length, since averaging
            adds no detail), or `full-projected-k`: the whole map, as in `projection.projected`.

    Returns:
        float32, shape (n, channels * rows * columns), in this order, or (n, k). Not for layers
        without positions.
    """
    if descriptor.startswith(PROJECTED):
        return projected(values.flatten(1), int(descriptor.removeprefix(PROJECTED)))
    return functional.adaptive_avg_pool2d(values, grid(values, descriptor)).flatten(1)


def grid(values: Tensor, descriptor: str) -> tuple[int, int]:
    """Give the rows and columns that a descriptor leaves of a map.

    Args:
        values: shape (n, channels, height, width).
        descriptor: as in `describe`.

    Returns:
        (rows, columns).
    """
    height, width = values.shape[-2:]
    if descriptor.startswith(PROJECTED):
        return height, width
    k = 1 if descriptor == "global-average" else int(descriptor.removeprefix("grid-"))
    return min(k, height), min(k, width)


def write_activations(
    checkpoint: Path,
    stimuli: Sequence[Path],
    outputs: Sequence[Path],
    settings: ActivationSettings,
    *,
    arm: Arm,
    seed: int,
    epoch: int,
    size: int,
) -> None:
    """Show stimulus sets to one frozen network and keep what it makes of them.

    Where a stimulus is several images (a concept), its features are the mean of theirs, taken in
    float64. Batch size and number of threads change activations by rounding only (about 1e-6 of a
    layer's largest), which leaves scores the same to 1e-4.

    Args:
        checkpoint: the network.
        stimuli: `stim-<label>_px-<size>_images.h5` of each stimulus set.
        outputs: the file to make for each, ending in `_stim-<label>_px-<size>.h5`: float32
            datasets `<layer>/<descriptor>`, and `<layer>/vector` for layers without positions,
            of shape (stimuli, features).
        settings: of the forward passes.
        arm: the network and the rule; the checkpoint must have the rule's label.
        seed: that it must have.
        epoch: that it must have.
        size: pixels per side of the stimuli.

    Raises:
        ConfigurationError: a GPU is configured and there is none.
        DataError: a stimulus file is of another size, or does not belong to its output.
        GuardError: the checkpoint is another network's, the network uses statistics of the batch
            or network or rule change while it is read, or an activation is not finite.
        StoreError: a file cannot be read or written.
    """
    device = require_device(settings.device)
    loaded = checkpoints.load(
        checkpoint,
        rule=arm.rule,
        seed=seed,
        epoch=epoch,
        settings_hash=settings.checkpoint_settings_hash,
    )
    trained_by = CheckpointSettings.read(loaded.settings)
    run = start_run(trained_by, loaded.seed, device, classes=loaded.classes)
    adopt(run, loaded)
    run.network.eval()
    what = run.name(epoch)
    for path, output in zip(stimuli, outputs, strict=True):
        with store.open_h5(path) as file:
            shown = read_stimuli(file, path, output, size)
            arrays, grids = _read_network(run.rule, shown, settings, f"{what}, {path}")
        attributes = {
            **arm._asdict(),
            "seed": seed,
            "epoch": epoch,
            "size": size,
            "stimuli": shown.label,
            "state_hash": loaded.state_hash,
            **grids,
        }
        store.write_h5(
            output,
            arrays,
            ids={"stimulus": shown.ids},
            settings=settings.plain(),
            attributes=attributes,
        )
        print(
            f"{what}: {len(shown.ids)} stimuli ({len(shown.image_names)} images) of"
            f" '{shown.label}' at {shown.size} px"
        )


def read_stimuli(file: h5py.File, path: Path, output: Path, size: int) -> Stimuli:
    """Read what a stimulus file holds, and check that it belongs to an output.

    Args:
        file: the open `stim-<label>_px-<size>_images.h5`.
        path: its path.
        output: what is to be made of it; its name must end in the same label and size.
        size: pixels per side that the images must have.

    Returns:
        The stimuli.

    Raises:
        DataError: label, size or images do not fit.
    """
    named = re.fullmatch(r"stim-(\w+)_px-(\d+)_images", path.stem)
    if named is None or not output.stem.endswith(f"_stim-{named[1]}_px-{named[2]}"):
        raise DataError(
            f"{path} does not belong to {output}: both names must have the same"
            " stim-<label>_px-<size>."
        )
    ids = names = store.read_ids(file, "stimulus")
    places = None
    if "stimulus_of_image" in file:
        names, places = store.read_ids(file, "image"), file["stimulus_of_image"][()]
        _require_places(path, places, names, ids)
    images = file["images"]
    if images.shape != (len(names), size, size, 3):
        raise DataError(
            f"{path}: images have the shape {images.shape}, expected {(len(names), size, size, 3)};"
            " delete the file to have it made again."
        )
    return Stimuli(named[1], size, ids, images, names, places)


def _require_places(path: Path, places: np.ndarray, names: list[str], ids: list[str]) -> None:
    whole = places.shape == (len(names),) and places.dtype.kind == "i"
    if not whole or set(places.tolist()) != set(range(len(ids))):
        raise DataError(
            f"{path}: 'stimulus_of_image' does not give each of {len(names)} images one of"
            f" {len(ids)} stimuli, and each stimulus an image; delete the file to have it made"
            " again."
        )


def _read_network(
    rule: LearningRule, shown: Stimuli, settings: ActivationSettings, what: str
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    def show(start: int, count: int) -> Tensor:
        images = torch.from_numpy(shown.images[start : start + count])
        return normalise(images.to(settings.device), settings)

    guards.norm_layers_in_eval(rule.network, what)
    described, grids = [], {}
    unchanged = guards.unchanged_state(rule.network, what, rule.state_dict)
    with unchanged, torch.inference_mode():
        few = show(0, IMAGES_IN_GUARD)
        guards.alone_equals_in_batch(rule.layers, few, ALONE_TOLERANCE, what)
        size = settings.batch_size
        for start in range(0, len(shown.image_names), size):
            vectors, grids = describe_layers(rule.layers(show(start, size)), settings)
            described.append(vectors)
    arrays = {}
    for name in described[0]:
        features = np.concatenate([vectors[name] for vectors in described])
        require_finite(features, name, shown.image_names, what)
        arrays[name] = by_stimulus(features, shown)
    return arrays, grids


def by_stimulus(features: np.ndarray, shown: Stimuli) -> np.ndarray:
    """Average the features of the images of each stimulus, in float64.

    Args:
        features: float32, shape (images, features).
        shown: which image is of which stimulus.

    Returns:
        float32, shape (stimuli, features).
    """
    if shown.stimulus_of_image is None:
        return features
    sums = np.zeros((len(shown.ids), features.shape[1]), dtype=np.float64)
    np.add.at(sums, shown.stimulus_of_image, features)
    counts = np.bincount(shown.stimulus_of_image)
    return (sums / counts[:, None]).astype(np.float32)


def describe_layers(
    layers: Mapping[str, Tensor], settings: ActivationSettings
) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Turn the values of layers into vectors by every descriptor.

    Args:
        layers: layer -> values, shape (n, channels, height, width) or (n, units).
        settings: `layers` to take, and `descriptors`.

    Returns:
        `<layer>/<descriptor>` (or `<layer>/vector`) -> float32, shape (n, features); and the grid
        that was left of maps, for attributes.
    """
    vectors, grids = {}, {}
    for layer in settings.layers:
        values = layers[layer]
        if values.ndim == 2:
            vectors[f"{layer}/vector"] = values.cpu().numpy()
            continue
        for descriptor in settings.descriptors:
            name = f"{layer}/{descriptor}"
            vectors[name] = describe(values, descriptor).cpu().numpy()
            grids[f"grid:{name}"] = "{} x {}".format(*grid(values, descriptor))
    return vectors, grids


def require_finite(array: np.ndarray, name: str, ids: Sequence[str], what: str) -> None:
    """Refuse features that hold NaN or infinity.

    Args:
        array: shape (images, features).
        name: of the features.
        ids: of the images.
        what: whose features they are, for the message.

    Raises:
        GuardError: names the first such image.
    """
    finite = np.isfinite(array).all(axis=1)
    if not finite.all():
        raise GuardError(
            f"{what}: {name} is not finite for stimulus '{ids[int(finite.argmin())]}'; the network"
            " has diverged. Lower the rule's learning_rate."
        )
