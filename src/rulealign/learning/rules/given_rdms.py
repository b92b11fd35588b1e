"""Models of which RDMs were computed elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.learning.given import ONE_ARRAY, STORED, GivenSettings, only_given
from rulealign.learning.rule import LearningRule
from rulealign.schema import FilePlace

if TYPE_CHECKING:
    from rulealign.learning.network import Network


class GivenRdmsSettings(GivenSettings):
    """The settings of `given_rdms`."""

    endings: ClassVar[tuple[str, ...]] = tuple(dict.fromkeys((*STORED, *ONE_ARRAY)))
    places: ClassVar[tuple[str, ...]] = ("stimuli", "size", "layer", "centring")

    kind: Literal["given_rdms"] = Field(
        description="files of RDMs, one for each layer, square or their upper triangles"
    )
    ids: FilePlace | None = Field(
        default=None,
        description="a text file with the stimuli in the order of the RDMs, one a line; null: each"
        " file has an array `ids` of texts, or a .csv its labels",
    )


class GivenRdms(LearningRule):
    """What networks of any framework make of the stimuli, as RDMs that were computed elsewhere.

    Scores and claims follow from them. Nobody here knows their features: how much of an RDM the
    mean vector explains (guard 33) is not measured, and encoding has nothing to predict from. Not
    where activations can be given: then the pipeline makes the RDMs, by the distance of all others.
    """

    Settings = GivenRdmsSettings
    made_here: ClassVar[bool] = False
    has_states: ClassVar[bool] = False
    has_activations: ClassVar[bool] = False

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it describes another kind of network; "" where it does not."""
        return only_given(network)
