"""Generated objects that nobody saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from rulealign.data.stimulus_set import StimulusSet
from rulealign.schema import GENERATED, Pixels, PositiveInt

if TYPE_CHECKING:
    from rulealign.data.stimulus_set import Stimulus

UNIFORM = {"grey": 128, "white": 255}
"""Background -> its grey; 1/f noise is none."""


class GeneratedImages(StimulusSet):
    """Generated objects, classes taking turns: disjoint from any photograph, and no download."""

    used_as = ("calibration",)
    origin = "{count} generated objects, no photographs"
    cited = GENERATED
    drawn = True

    kind: Literal["synthetic-objects"] = Field(description="generated, no download")
    background: Literal["1/f noise", "grey", "white"] = Field(
        description="what surrounds the objects: 1/f noise, or a uniform 128 or 255"
    )
    as_shown: Literal[False] = Field(description="nobody saw these in a scanner")
    count: PositiveInt = Field(description="how many images")
    image_size: Pixels = Field(description="pixels per side before they are resized like stimuli")

    @classmethod
    def pictures(
        cls, section: Self, _source: Path | None, _names: Sequence[str], seed: int | None
    ) -> Iterator[Stimulus]:
        """Draw the images, each from a seed of its own; see `StimulusSet.pictures`."""
        import numpy as np
        from PIL import Image

        from rulealign.data.simulated.objects import CLASSES, draw_object
        from rulealign.provenance import derive_seed

        for place in range(section.count):
            rng = np.random.default_rng(derive_seed(seed, "calibration image", place))
            image, mask = draw_object(place % len(CLASSES), section.image_size, rng)
            if section.background in UNIFORM:
                image[~mask] = UNIFORM[section.background]
            yield f"generated_{place + 1:04d}", Image.fromarray(image)
