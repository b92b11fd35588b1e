"""The section of the network that every rule trains."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rulealign.schema import (
    Closed,
    Fraction,
    whole,
)


class Network(Closed):
    """The network that every rule trains."""

    kind: Literal["cnn3"] = Field(description="architecture; see docs/networks.md")
    channels: Annotated[list[whole(1, 4096)], Field(min_length=3, max_length=3)] = Field(
        description="channels of conv1, conv2 and conv3"
    )
    hidden_units: whole(1, 65_536) = Field(description="units of fc1")
    dropout: Fraction = Field(description="dropout probability between fc1 and fc2")
