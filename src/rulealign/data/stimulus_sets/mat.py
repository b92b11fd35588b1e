"""Stimulus images in a MATLAB file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from rulealign.data.stimulus_set import StimulusSet
from rulealign.errors import DataError
from rulealign.schema import IdPattern, Source

if TYPE_CHECKING:
    from rulealign.data.stimulus_set import Stimulus


class MatStimuli(StimulusSet):
    """Stimulus images in a struct array of a MATLAB file, in the order of the array."""

    used_as = ("stimuli", "calibration")
    origin = "from {source}"

    kind: Literal["mat"] = Field(description="a struct array with a field `image`")
    source: Source = Field(
        description="a dataset of the registry, or a path (with a '/') to a .mat"
    )
    key: str = Field(description="name of the struct array in the file")
    ids: IdPattern = Field(description="pattern of the ids, such as image_{:02d}, counted from 1")

    @classmethod
    def unfit(cls, path: Path) -> str:
        """Say what is needed where a path is no file; see `StimulusSet.unfit`."""
        return "" if path.is_file() else "a .mat file"

    @classmethod
    def pictures(
        cls, section: Self, source: Path | None, _names: Sequence[str], _seed: int | None
    ) -> Iterator[Stimulus]:
        """Read the array's images: uint8, height x width x 3. See `StimulusSet.pictures`."""
        import numpy as np
        from PIL import Image

        from rulealign.data.ids import pattern_ids
        from rulealign.data.mat import load_mat_struct

        key = section.key
        images = load_mat_struct(source, key, "image")
        ids = pattern_ids(section.ids, len(images))
        for name, pixels in zip(ids, images, strict=True):
            if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3:
                raise DataError(
                    f"{source}: {key}, {name}: `image` is {pixels.dtype} of shape {pixels.shape};"
                    " it must be uint8, height x width x 3."
                )
            yield name, Image.fromarray(pixels)
