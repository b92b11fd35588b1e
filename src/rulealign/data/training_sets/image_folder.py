"""Labelled images in folders named by class."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.data.training_set import TrainingSet
from rulealign.schema import HELD_OUT

if TYPE_CHECKING:
    from rulealign.data.training_set import Split


class ImageFolder(TrainingSet):
    """A folder, zip or tar of `split/class/image`, with the splits `train` and `test`."""

    words = (
        "Images as they are in the folder or archive “{source}”. They are not the official arrays"
        " of a data set of that name, even where they are copies of it."
    )
    may_repeat = True

    kind: Literal["image-folder"] = Field(
        description="images in folders named by class, two or more"
    )
    source: str = Field(
        description="a dataset of the registry, or a path (with a '/') to a folder, .zip or .tar*"
    )

    @classmethod
    def read(
        cls, settings: Mapping[str, Any], source: Path | None, _workplace: Path
    ) -> tuple[list[str], dict[str, Split]]:
        """Read the images, and refuse copies that the study does not explain.

        Args:
            settings: as in `TrainingSet.read`.
            source: the folder or archive.

        Returns:
            As in `TrainingSet.read`; classes are sorted.

        Raises:
            DataError: the source is not `split/class/image`, or a held-out image is a training
                image and the study does not say why.
        """
        from rulealign.data.copies import image_hash, require_reasons
        from rulealign.data.images.image_folder import read_splits
        from rulealign.data.images.training_split import SPLITS

        classes, splits = read_splits(source, settings["image_size"], SPLITS)
        trained, held_out = ([image_hash(image) for image in splits[split][0]] for split in SPLITS)
        shared = set(trained) & set(held_out)
        copies = sum(one in shared for one in held_out)
        what = (
            f"{copies} of the {len(held_out)} held-out images of {source} are training images too"
        )
        follows = "Held-out accuracy would be higher than on new images."
        found = {HELD_OUT: (what, follows)} if copies else {}
        require_reasons(found, {HELD_OUT: "given"} if settings["copies_explained"] else {})
        return classes, splits
