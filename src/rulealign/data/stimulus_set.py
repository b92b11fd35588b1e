"""What a set of images is: settings that can be checked before an image is read, and its reader."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field

from rulealign.schema import Closed

if TYPE_CHECKING:
    from PIL import Image

    Stimulus = tuple[str, Image.Image]
    """Id, and a picture at its own size: RGB, pixels as stored."""


class StimulusSet(Closed):
    """The settings of a set of images that networks are shown without learning from them.

    A kind is one file in `stimulus_sets/`: a subclass with a literal `kind` of its own, and one
    line in the registry. A kind that is read from a dataset of the registry of downloads, or from a
    path, has a field `source`.
    """

    used_as: ClassVar[tuple[str, ...]]
    """The sections of a study that it may stand in: `stimuli`, `calibration`."""

    origin: ClassVar[str]
    """Where the images are from, for the report; settings stand in braces."""

    cited: ClassVar[str] = ""
    """Whose images they are, for the report; empty where another section or `source` says it."""

    of_brain: ClassVar[bool] = False
    """Whether its images are those that come with the brain data."""

    drawn: ClassVar[bool] = False
    """Whether the study's seed draws its images."""

    kind: str = Field(description="the kind's name in the registry")
    background: str = Field(description="what surrounds the objects, in words; shown in the report")
    as_shown: bool = Field(description="whether these are the very images subjects saw")

    @property
    def cut_from(self) -> str | None:
        """Name the stimulus set that objects are cut out of; None where pictures stay whole."""
        return None

    @property
    def cut_to(self) -> int | None:
        """Give the grey that cut-out objects are put on, 0 to 255; None where none are cut out."""
        return None

    @classmethod
    def unfit(cls, _path: Path) -> str:
        """Say what a source must be, in words, where a path is something else; "" where it fits."""
        return ""

    @classmethod
    def groups(cls, _trials: Path | None, _stimulus_set: str | None) -> Mapping[str, Sequence[str]]:
        """Find which images each stimulus is, where a table of trials tells.

        Args:
            trials: a subject's table of trials, of brain data that come with images.
            stimulus_set: which trials become stimuli, as in `choose_trials`.

        Returns:
            Stimulus id -> names of its images; {} where each image is a stimulus.

        Raises:
            DataError: the table is wrong, or has no such trials.
        """
        return {}

    @classmethod
    def pictures(
        cls, section: Self, source: Path | None, names: Sequence[str], seed: int | None
    ) -> Iterator[Stimulus]:
        """Read the pictures, one at a time.

        Args:
            section: the settings of the set.
            source: what its images are read from, on this machine; None where it has no source.
            names: the ordered names of the images that `groups` gives.
            seed: of the study, where it draws the images; else None.

        Yields:
            Id and picture in order; EXIF orientation is not applied.

        Raises:
            DataError: an image is missing, unreadable or not RGB, or an id appears twice; names the
                file.
        """
        raise NotImplementedError(f"{cls.__name__} has no pictures of its own")
