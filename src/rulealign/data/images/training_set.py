"""Training images: read from their source or generated, kept as one file of arrays."""

from __future__ import annotations

import errno
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rulealign.data.copies import image_hash, require_reasons
from rulealign.data.images.image_folder import Split, read_splits
from rulealign.data.images.training_split import CLASSES, SPLITS
from rulealign.errors import DataError, StoreError
from rulealign.provenance import derive_seed
from rulealign.schema import HELD_OUT
from rulealign.store import write_h5


def build(settings: Mapping[str, Any], source: Path | None, output: Path) -> None:
    """Write a training set: all images of both splits, with their labels.

    Args:
        settings: the section `training_set` of the configuration, and the study's `seed`; of
            an image-folder also `copies_explained`: whether the study says why held-out images
            are training images.
        source: cifar10: the official cifar-10-python.tar.gz, checked; image-folder: a folder, .zip
            or .tar* of `split/class/image`; synthetic-objects: None.
        output: the HDF5 file to make: `train/images` and `test/images` uint8 (n, px, px, 3) RGB,
            `train/labels` and `test/labels` int64 (n,), with the ids `class` in label order.

    Raises:
        DataError: the source is not what it should be, has fewer images than the study uses, or
            a held-out image of a folder is a training image and the study does not say why.
        StoreError: the disk is full.
    """
    classes, splits = _READERS[settings["kind"]](settings, source, Path(output).parent)
    _require_classes(classes, source or output)
    for split, wanted in (("train", "train_images"), ("test", "held_out_images")):
        there = len(splits[split][1])
        if there < settings[wanted]:
            raise DataError(
                f"{source or output}: the split '{split}' has {there} images, training_set.{wanted}"
                f" asks for {settings[wanted]}; lower it, or bring more images."
            )
    arrays = {}
    for split in SPLITS:
        arrays[f"{split}/images"], arrays[f"{split}/labels"] = splits[split]
    write_h5(output, arrays, ids={"class": classes}, settings=settings)


def _require_classes(classes: list[str], what: Path) -> None:
    if not 2 <= len(classes) <= CLASSES:
        raise DataError(
            f"{what}: has {len(classes)} classes, '{classes[0]}' to '{classes[-1]}'; the network"
            f" tells 2 to {CLASSES} apart. Train on fewer of them, or bring more."
        )


def _cifar10(
    settings: Mapping[str, Any], source: Path | None, workplace: Path
) -> tuple[list[str], dict[str, Split]]:
    from torchvision.datasets import CIFAR10

    if settings["image_size"] != 32:
        raise DataError(
            f"training_set.image_size is {settings['image_size']}, but CIFAR-10 has 32 pixels per"
            " side; set it to 32 (images are shown at other sizes by evaluation.sizes)."
        )
    workplace.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=workplace, prefix=".cifar10-") as root:
        try:
            with tarfile.open(source) as archive:
                archive.extractall(root, filter="data")
            parts = [CIFAR10(root, train=split == "train", download=False) for split in SPLITS]
        except (tarfile.TarError, EOFError, RuntimeError, OSError, zlib.error) as error:
            if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise StoreError(
                    f"{workplace}: the disk is full; unpacking {source} needs 180 MB for a while."
                    " Free some space and rerun the command."
                ) from error
            raise DataError(
                f"{source}: is not the official archive of CIFAR-10 ({error}); delete it and"
                " rerun the command, it will be fetched anew."
            ) from error
    splits = {
        split: (np.ascontiguousarray(part.data), np.array(part.targets, dtype=np.int64))
        for split, part in zip(SPLITS, parts, strict=True)
    }
    return parts[0].classes, splits


def _image_folder(
    settings: Mapping[str, Any], source: Path | None, _workplace: Path
) -> tuple[list[str], dict[str, Split]]:
    classes, splits = read_splits(source, settings["image_size"], SPLITS)
    trained, held_out = ([image_hash(image) for image in splits[split][0]] for split in SPLITS)
    shared = set(trained) & set(held_out)
    copies = sum(one in shared for one in held_out)
    what = f"{copies} of the {len(held_out)} held-out images of {source} are training images too"
    follows = "Held-out accuracy would be higher than on new images."
    found = {HELD_OUT: (what, follows)} if copies else {}
    require_reasons(found, {HELD_OUT: "given"} if settings["copies_explained"] else {})
    return classes, splits


def _synthetic_objects(
    settings: Mapping[str, Any], _source: Path | None, _workplace: Path
) -> tuple[list[str], dict[str, Split]]:
    from rulealign.data.simulated.objects import CLASSES, make_objects

    counts = {"train": settings["pool_images"], "test": settings["held_out_images"]}
    splits = {
        split: make_objects(
            count, settings["image_size"], derive_seed(settings["seed"], "training_set", split)
        )
        for split, count in counts.items()
    }
    return list(CLASSES), splits


_READERS = {
    "cifar10": _cifar10,
    "image-folder": _image_folder,
    "synthetic-objects": _synthetic_objects,
}
