"""Networks of which nothing is here but the names of their layers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rulealign.learning.network import Layer, Network
from rulealign.schema import Number

_Name = Annotated[str, Field(pattern=r"^[^/\s{}]+$")]
_Depth = Annotated[float, Field(ge=0, le=1), Number]


class Given(Network):
    """A network that lives elsewhere, in whatever framework: it is known by its layers alone.

    What it makes of the stimuli is given, as activations or as RDMs (`given_activations`,
    `given_rdms`), a vector for each layer. Not for networks that can be built here: these are
    given by their weights (`given`).
    """

    has_weights: ClassVar[bool] = False

    kind: Literal["given"] = Field(description="known by its layers alone; see your-own-network.md")
    depths: Annotated[dict[_Name, _Depth], Field(min_length=1)] = Field(
        description="layer -> its relative depth, from 0 to 1; in the order of computation"
    )

    @property
    def has_batch_norm(self) -> bool:
        """Whether norm layers keep statistics of batches: nobody here knows."""
        return False

    def layers(self) -> tuple[Layer, ...]:
        """List the layers that are given, each of them a vector."""
        return tuple(Layer(name, depth, None) for name, depth in self.depths.items())

    def no_signals(self) -> str:
        """Say why gradients at its layers cannot be read."""
        return "a network of the kind 'given' has no weights here"
