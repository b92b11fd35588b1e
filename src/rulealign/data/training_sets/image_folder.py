"""Labelled images in folders named by class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.data.convert import Convert
from rulealign.data.file_names import is_hidden
from rulealign.data.training_set import TrainingSet
from rulealign.schema import Source

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
    source: Source = Field(
        description="a dataset of the registry, or a path (with a '/') to a folder, .zip or .tar*"
    )

    convert: Convert = None
    resize: Literal["crop"] | None = Field(
        default=None,
        description="null: images of another size than image_size are refused; crop: the shorter"
        " side is resized to it (bilinear), and the centre is cut out, as of stimuli",
    )

    def class_count(self) -> int | None:
        """Count the folders of classes; None of an archive, and where there is no folder yet."""
        train = Path(self.source).expanduser() / "train"
        if not train.is_dir():
            return None
        images = (file.relative_to(train) for file in train.glob("*/*"))
        return len({file.parent.name for file in images if not is_hidden(file.as_posix())})

    def read(
        self, source: Path | None, _workplace: Path, _seed: int
    ) -> tuple[list[str], dict[str, Split]]:
        """Read the images; classes are sorted. See `TrainingSet.read`."""
        from rulealign.data.images.image_folder import read_splits
        from rulealign.data.images.training_split import SPLITS

        taken = {"convert": self.convert is not None, "resize": self.resize is not None}
        return read_splits(source, self.image_size, SPLITS, **taken)
