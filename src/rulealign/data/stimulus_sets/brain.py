"""The images that subjects saw, as the brain data's stimulus set asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field

from rulealign.data.stimulus_set import StimulusSet

if TYPE_CHECKING:
    from rulealign.data.stimulus_set import Stimulus


class BrainStimuli(StimulusSet):
    """The images that come with the brain data, as its stimulus set asks for them.

    They are read from the folder or zip of `<concept>/<stimulus>` files; an encrypted zip opens
    with the password in the environment, see `things.licence`.
    """

    used_as = ("stimuli",)
    origin = "come with the brain data"
    cited = "They come with the brain data."
    of_brain = True

    kind: Literal["brain"] = Field(description="the brain dataset's own images")

    @classmethod
    def groups(cls, trials: Path | None, stimulus_set: str | None) -> Mapping[str, Sequence[str]]:
        """List the images of each stimulus; see `StimulusSet.groups`."""
        from rulealign.data.images.stimulus_sets import stimulus_images

        return stimulus_images(trials, stimulus_set)

    @classmethod
    def pictures(
        cls, _section: Self, source: Path | None, names: Sequence[str], _seed: int | None
    ) -> Iterator[Stimulus]:
        """Read the images of these names, and no others; see `StimulusSet.pictures`."""
        from rulealign.data.things.images import images_password, open_images
        from rulealign.store import refuse_duplicates

        refuse_duplicates(names, f"{source}: images asked for")
        yield from open_images(source, names, images_password())
