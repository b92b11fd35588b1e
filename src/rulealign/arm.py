"""An arm of a study: a network under a learning rule."""

from __future__ import annotations

from typing import NamedTuple


class Arm(NamedTuple):
    """One network under one rule, by their labels; it has networks of several seeds and epochs.

    Attributes:
        network: a label of `networks`.
        rule: a label of `rules`.
    """

    network: str
    rule: str

    def __str__(self) -> str:
        """Name it in words."""
        return f"{self.network} by {self.rule}"


class Mapped(NamedTuple):
    """A line of the layer map for one network.

    Attributes:
        network: a label of `networks`.
        layer: of that network.
        roi: that it is held against.
    """

    network: str
    layer: str
    roi: str
