"""Stimulus images in a folder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from rulealign.data.convert import Convert
from rulealign.data.stimulus_set import StimulusSet
from rulealign.errors import DataError
from rulealign.schema import Source

if TYPE_CHECKING:
    from rulealign.data.stimulus_set import Stimulus

BOOKKEEPING = ("fetched.json",)
"""Files that are no images and may lie in a folder of stimuli: what a download leaves there."""


class FolderStimuli(StimulusSet):
    """Stimulus images in a folder: ids are the file names without ending, 2 before 10."""

    used_as = ("stimuli", "calibration")
    origin = "from {source}"

    kind: Literal["folder"] = Field(description="one image file per stimulus")
    source: Source = Field(
        description="a dataset of the registry, or a path (with a '/') to a folder"
    )
    convert: Convert = None

    @classmethod
    def unfit(cls, path: Path) -> str:
        """Say what is needed where a path is no folder; see `StimulusSet.unfit`."""
        needed = "a folder with one image file per stimulus; unpack an archive first"
        return "" if path.is_dir() else needed

    @classmethod
    def pictures(
        cls, section: Self, source: Path | None, _names: Sequence[str], _seed: int | None
    ) -> Iterator[Stimulus]:
        """Read the folder's images; refuse what is no image. See `StimulusSet.pictures`."""
        from rulealign.data.images.pictures import read_rgb
        from rulealign.store import refuse_duplicates

        files = _image_files(source)
        refuse_duplicates([path.stem for path in files], f"{source}: file names without ending")
        for path in files:
            yield path.stem, read_rgb(path, str(path), convert=section.convert is not None)


def _image_files(folder: Path) -> list[Path]:
    from rulealign.data.file_names import ENDINGS, is_hidden, is_image, natural_order

    if not folder.is_dir():
        raise DataError(f"{folder}: is no folder; a stimulus set of kind 'folder' needs one.")
    found = (path for path in folder.iterdir() if path.name not in BOOKKEEPING)
    listed = sorted(found, key=lambda path: natural_order(path.name))
    files = [path for path in listed if not is_hidden(path.name)]
    if len(files) < len(listed):
        print(f"{folder}: {len(listed) - len(files)} files of the operating system left out")
    for path in files:
        if not path.is_file() or not is_image(path.name):
            raise DataError(
                f"{path}: is no image ({', '.join(ENDINGS)}); a folder of stimuli holds one image"
                " per stimulus and nothing else. Move it away."
            )
    if not files:
        raise DataError(
            f"{folder}: holds no images. Put them there ({', '.join(ENDINGS)}), or correct `source`"
            " of this stimulus set."
        )
    return files
