"""Training images: read from their source or generated, kept as one file of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.data.copies import image_hash, require_reasons
from rulealign.data.images.training_split import SPLITS
from rulealign.data.training_sets import training_set_class
from rulealign.errors import DataError
from rulealign.plan.settings.training import TrainingSetSettings
from rulealign.schema import HELD_OUT
from rulealign.store import write_h5

if TYPE_CHECKING:
    from rulealign.data.training_set import Split


def build(settings: TrainingSetSettings, source: Path | None, output: Path) -> None:
    """Write a training set: all images of both splits, with their labels.

    Args:
        settings: of the training set.
        source: what its `source` names, on this machine; None where it is generated.
        output: the HDF5 file to make: `train/images` and `test/images` uint8 (n, size, size, 3)
            RGB, `train/labels` and `test/labels` int64 (n,), with the ids `class` in label order.

    Raises:
        DataError: the source is not what it should be, has fewer images than the study uses, or
            a held-out image of a folder is a training image and the study does not say why.
        StoreError: the disk is full.
    """
    asked = settings.training_set
    # found by its kind, so that the fingerprint of a job's code reaches it
    kind = training_set_class(asked.kind)
    classes, splits = kind.read(asked, source, Path(output).parent, settings.study_seed)
    _require_classes(classes, asked.classes, source or output)
    _require_images(splits["train"], "train", asked.train_images, source or output)
    _require_images(splits["test"], "test", asked.held_out_images, source or output)
    if settings.copies_explained is not None:
        _require_explained_copies(splits, source or output, explained=settings.copies_explained)
    arrays = {}
    for split in SPLITS:
        arrays[f"{split}/images"], arrays[f"{split}/labels"] = splits[split]
    write_h5(output, arrays, ids={"class": classes}, settings=settings.plain())


def _require_classes(classes: list[str], known: tuple[str, ...] | None, what: Path) -> None:
    if known is not None and tuple(classes) != known:
        raise DataError(f"{what}: has the classes {classes}, not {list(known)}; delete it.")
    if len(classes) < 2:
        raise DataError(
            f"{what}: has one class, '{classes[0]}', and there is nothing to tell apart. Bring"
            " images of two classes or more."
        )


def _require_images(found: Split, split: str, wanted: int, what: Path) -> None:
    if len(found[1]) < wanted:
        key = "train_images" if split == "train" else "held_out_images"
        raise DataError(
            f"{what}: the split '{split}' has {len(found[1])} images, training_set.{key} asks for"
            f" {wanted}; lower it, or bring more images."
        )


def _require_explained_copies(splits: Mapping[str, Split], what: Path, *, explained: bool) -> None:
    trained, held_out = ([image_hash(image) for image in splits[split][0]] for split in SPLITS)
    shared = set(trained) & set(held_out)
    copies = sum(one in shared for one in held_out)
    told = f"{copies} of the {len(held_out)} held-out images of {what} are training images too"
    follows = "Held-out accuracy would be higher than on new images."
    found = {HELD_OUT: (told, follows)} if copies else {}
    require_reasons(found, {HELD_OUT: "given"} if explained else {})
