"""Networks that learned elsewhere, whose weights are in files of the user's."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rulealign.learning.given import GivenSettings
from rulealign.learning.rule import LearningRule


class GivenStatesSettings(GivenSettings):
    """The settings of `given`."""

    endings: ClassVar[tuple[str, ...]] = (".pt", ".pth", ".safetensors")

    kind: Literal["given"] = Field(description="networks of this study that learned elsewhere")
    entry: str | None = Field(
        default=None,
        description="name of the state dict in files that hold more beside it, such as state_dict",
    )
    keys: dict[str, str] = Field(
        default={},
        description="how names of weights in the files begin -> how they begin in the network:"
        " {module.: ''} takes module. away; the first that fits counts",
    )


class Given(LearningRule):
    """Weights that were learned elsewhere, read from state dicts.

    A network of the study gets the weights and statistics of a file, every one of them by its name
    and shape, and is read in evaluation mode as all others are. Files hold tensors alone: whatever
    would run code is refused. What the initial weights were, and in which order images came, is
    known to nobody here: guard 10 has nothing to compare, and no control is matched.
    """

    Settings = GivenStatesSettings
    made_here: ClassVar[bool] = False
