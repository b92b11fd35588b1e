"""Settings of networks that others wrote, whose layers are found by running them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, NamedTuple

from pydantic import Field, PrivateAttr

from rulealign.errors import ConfigurationError, GuardError
from rulealign.learning.network import Layer, Network
from rulealign.wrong_values import nearest

if TYPE_CHECKING:
    from torch import nn

    from rulealign.learning.explored import Explored, Found, Reader

USUAL_SIDE = 224
"""Pixels per side at which it is run where none of the study's sizes, or none known, will do."""


class ReadLayer(NamedTuple):
    """A layer that is read, as `network.Layer`; the sides of its map are found by running."""

    name: str
    depth: float
    stride: int | None
    network: ExploredNetwork

    def side(self, size: int) -> int | None:
        """Give the positions per side of its map for images of `size` pixels per side."""
        if self.stride is None:
            return None
        return self.network.found(size).shapes[self.name][-1]


class ExploredNetwork(Network):
    """A network that somebody else wrote.

    A subclass says how it is made, how it is read and what can be read. Planning a study with one
    imports torch and runs the network once for each size of images.
    """

    device: ClassVar[str] = "cpu"
    """Where it is run to be explored; on "meta" nothing is computed but shapes."""

    nodes: Annotated[list[str], Field(min_length=1)] = Field(
        description="what is read, in the order of computation; each is a layer of the study"
    )
    _sizes: tuple[int, ...] = PrivateAttr(default=())

    def __eq__(self, other: object) -> bool:
        """Compare settings; at which sizes images are shown is none of them."""
        return type(self) is type(other) and self.model_dump() == other.model_dump()

    def show_at(self, sizes: Sequence[int]) -> None:
        """Learn at which sizes images are shown; it is run at the first one that it takes."""
        self._sizes = tuple(sizes)

    def made(self, classes: int) -> nn.Module:
        """Make the network, which maps images to logits."""
        raise NotImplementedError(f"{type(self).__name__} is not made")

    def reader(self) -> Reader:
        """Give the function that reads nodes."""
        raise NotImplementedError(f"{type(self).__name__} is not read")

    def readable(self, network: nn.Module) -> list[str]:
        """List the nodes that there are."""
        raise NotImplementedError(f"{type(self).__name__} lists no nodes")

    def found(self, size: int) -> Found:
        """Run the network on one image.

        Args:
            size: pixels per side.

        Returns:
            What was seen.

        Raises:
            ConfigurationError: it has no such node, gives no logits, or does not take such images.
        """
        return _found(type(self), self.model_dump_json(), size)

    @property
    def smallest_image_side(self) -> int:
        """Pixels per side of the smallest image that it takes and that leaves no map empty."""
        return _smallest(type(self), self.model_dump_json(), self._side)

    @property
    def _side(self) -> int:
        return _first_taken(type(self), self.model_dump_json(), self._sizes)

    @property
    def has_batch_norm(self) -> bool:
        """Whether norm layers keep statistics of batches."""
        from torch import nn

        _, made = _sample(type(self), self.model_dump_json())
        return any(isinstance(one, nn.BatchNorm2d) for one in made.modules())

    def layers(self) -> tuple[ReadLayer | Layer, ...]:
        """List the nodes that the study names, in the order of computation."""
        found = self.found(self._side)
        return tuple(
            ReadLayer(name, found.depths[name], 1 if len(shape) == 3 else None, self)
            for name, shape in found.shapes.items()
        )

    def no_readout(self) -> str:
        """Say why its logits cannot be taught alone; "" where they can."""
        if self.found(self._side).readout:
            return ""
        return f"teaches the linear layer of the logits, and '{self.kind}' does not end in one"

    def no_signals(self) -> str:
        """Say why gradients at its nodes cannot be read."""
        return f"nodes of '{self.kind}' are not read in the pass that gives its logits"

    def build(self, classes: int) -> Explored:
        """Build the network; see `Network.build`."""
        from rulealign.learning.explored import Explored

        return Explored(
            self.made(classes), self.nodes, self.reader(), lambda: self.smallest_image_side
        )


@lru_cache(maxsize=8)
def _sample(kind: type[ExploredNetwork], settings: str) -> tuple[ExploredNetwork, nn.Module]:
    import torch

    from rulealign.guards import norm_layers_in_eval
    from rulealign.learning.explored import out_of_place

    network = kind.model_validate_json(settings)
    with torch.random.fork_rng(devices=[]), torch.device(kind.device):
        made = out_of_place(network.made(2))
    there = network.readable(made)
    for name in network.nodes:
        if name not in there:
            near = nearest(name, there)
            hint = f"did you mean '{near}'?" if near else f"there are: {', '.join(there)}"
            raise ConfigurationError(f"network.nodes: there is no node '{name}'; {hint}")
    try:
        norm_layers_in_eval(made.eval(), "network")
    except GuardError as error:
        raise ConfigurationError(str(error)) from error
    return network, made


@lru_cache(maxsize=64)
def _found(kind: type[ExploredNetwork], settings: str, size: int) -> Found:
    import torch

    from rulealign.learning.explored import explore

    network, made = _sample(kind, settings)
    images = torch.zeros(1, 3, size, size, device=kind.device)
    try:
        with torch.random.fork_rng(devices=[]):  # dropout draws
            found = explore(made, network.nodes, network.reader(), images)
    except ConfigurationError:
        raise
    except Exception as error:  # whatever somebody else's code raises
        raise ConfigurationError(f"network: does not take images of {size} px ({error})") from error
    if found.logits != (2,):
        gives = "no tensor" if found.logits is None else f"values of shape {found.logits}"
        raise ConfigurationError(f"network: gives {gives} for an image, and no logits of 2 classes")
    _require_vectors_or_maps(found.shapes)
    return found


def _require_vectors_or_maps(shapes: dict[str, tuple[int, ...]]) -> None:
    for name, shape in shapes.items():
        if len(shape) not in (1, 3) or 0 in shape:
            raise ConfigurationError(
                f"network.nodes: '{name}' has values of shape {shape} for an image; a layer is a"
                " vector, or a map (channels, height, width) that is not empty"
            )


@lru_cache(maxsize=8)
def _first_taken(kind: type[ExploredNetwork], settings: str, sizes: tuple[int, ...]) -> int:
    tried = *sizes, USUAL_SIDE
    for size in tried:
        if _takes(kind, settings, size):
            return size
    _found(kind, settings, tried[0])  # says why
    raise AssertionError(f"took images of {tried[0]} px only once")


@lru_cache(maxsize=8)
def _smallest(kind: type[ExploredNetwork], settings: str, taken: int) -> int:
    low, high = 0, taken
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _takes(kind, settings, middle) else (middle, high)
    return high


def _takes(kind: type[ExploredNetwork], settings: str, size: int) -> bool:
    try:
        return bool(_found(kind, settings, size))
    except ConfigurationError:
        return False
