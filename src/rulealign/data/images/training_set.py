"""Training images: read from their source or generated, kept as one file of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rulealign.data.images.training_split import SPLITS
from rulealign.data.training_sets import training_set_class
from rulealign.errors import DataError
from rulealign.store import write_h5


def build(settings: Mapping[str, Any], source: Path | None, output: Path) -> None:
    """Write a training set: all images of both splits, with their labels.

    Args:
        settings: the section `training_set` of the configuration, and the study's `seed`; of
            one that may repeat images also `copies_explained`: whether the study says why held-out
            images are training images.
        source: what its `source` names, on this machine; None where it is generated.
        output: the HDF5 file to make: `train/images` and `test/images` uint8 (n, px, px, 3) RGB,
            `train/labels` and `test/labels` int64 (n,), with the ids `class` in label order.

    Raises:
        DataError: the source is not what it should be, has fewer images than the study uses, or
            a held-out image of a folder is a training image and the study does not say why.
        StoreError: the disk is full.
    """
    kind = training_set_class(settings["kind"])
    classes, splits = kind.read(settings, source, Path(output).parent)
    _require_classes(classes, kind.classes, source or output)
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


def _require_classes(classes: list[str], known: tuple[str, ...] | None, what: Path) -> None:
    if known is not None and tuple(classes) != known:
        raise DataError(f"{what}: has the classes {classes}, not {list(known)}; delete it.")
    if len(classes) < 2:
        raise DataError(
            f"{what}: has one class, '{classes[0]}', and there is nothing to tell apart. Bring"
            " images of two classes or more."
        )
