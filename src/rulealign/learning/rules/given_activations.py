"""Models whose activations were computed elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.learning.given import STORED, GivenSettings, only_given
from rulealign.learning.rule import LearningRule
from rulealign.schema import FilePlace

if TYPE_CHECKING:
    from rulealign.learning.network import Network


class GivenActivationsSettings(GivenSettings):
    """The settings of `given_activations`."""

    endings: ClassVar[tuple[str, ...]] = STORED
    places: ClassVar[tuple[str, ...]] = ("stimuli", "size", "layer")

    kind: Literal["given_activations"] = Field(
        description="files of activations, stimuli x features for each layer"
    )
    ids: FilePlace | None = Field(
        default=None,
        description="a text file with the stimuli in the order of the rows, one a line; null: each"
        " file has an array `ids` of texts",
    )


class GivenActivations(LearningRule):
    """What networks of any framework make of the stimuli, computed elsewhere.

    RDMs, scores and claims follow from it as from activations that are computed here. What cannot
    be checked is how they came about: that norm layers were in evaluation mode, which images were
    shown, and at which size, are the user's word.
    """

    Settings = GivenActivationsSettings
    made_here: ClassVar[bool] = False
    has_states: ClassVar[bool] = False

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it describes another kind of network; "" where it does not."""
        return only_given(network)
