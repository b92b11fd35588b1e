"""What a network is: settings that can be checked without torch, and what they make of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from rulealign.errors import ConfigurationError
from rulealign.schema import Closed, Number

if TYPE_CHECKING:
    from torch import nn


class Layer(NamedTuple):
    """A layer that can be read.

    Attributes:
        name: in configuration, files and tables.
        depth: share of the network's layers with weights that an image has passed there, 0 to 1.
        stride: pixels of the image between two positions of its map; None: it has no positions.
        rounds_up: whether a remainder of pixels still has a position, as under strided convolutions
            with padding; pooling drops it.
    """

    name: str
    depth: float
    stride: int | None
    rounds_up: bool = False

    def side(self, size: int) -> int | None:
        """Give the positions per side of its map for images of `size` pixels per side."""
        if self.stride is None:
            return None
        return -(-size // self.stride) if self.rounds_up else size // self.stride


class Block(NamedTuple):
    """A conv block that local rules may teach.

    Attributes:
        name: of its convolution, and of the layer that is read after it.
        kernel: positions per side of the patches that the convolution sees.
        stride: pixels of the image between two positions of the block's output.
        channels: of the convolution.
    """

    name: str
    kernel: int
    stride: int
    channels: int


@contextmanager
def named_as(label: str) -> Iterator[None]:
    """Name a network by its label in errors of its settings, which begin with `network`.

    Args:
        label: the key of `networks`.
    """
    try:
        yield
    except ConfigurationError as error:
        raise ConfigurationError(re.sub(r"^network\b", f"networks.{label}", str(error))) from error


Width = Annotated[
    float,
    Field(gt=0, le=16, description="factor of all channels and hidden units, rounded; at least 1"),
    Number,
]


def widened(channels: int, width: float) -> int:
    """Give a number of channels times a factor: rounded, at least 1."""
    return max(1, round(channels * width))


class Network(Closed):
    """The settings of a network, which say what can be read and taught, and build it.

    A network is one file in `networks/`: a subclass whose docstring states the architecture and its
    source, with a literal `kind` of its own, and one line in the registry. Configuration, plans and
    rules ask it; the names of its layers stand nowhere else.
    """

    has_weights: ClassVar[bool] = True
    """Whether it can be built; else only its layers are known."""

    smallest_image_side: ClassVar[int] = 1
    """Pixels per side of the smallest image that leaves no map empty."""

    kind: str = Field(description="the network's name in the registry")

    def show_at(self, sizes: Sequence[int]) -> None:
        """Learn at which sizes images are shown, in pixels per side; most networks need not."""

    def layers(self) -> tuple[Layer, ...]:
        """List the layers that can be read, in the order of computation."""
        raise NotImplementedError(f"{type(self).__name__} does not list its layers")

    def blocks(self) -> tuple[Block, ...]:
        """List the conv blocks that local rules may teach, in the order of computation."""
        return ()

    @property
    def own_files(self) -> list[str]:
        """Name the user's own files that it is made of."""
        return []

    @property
    def has_batch_norm(self) -> bool:
        """Whether norm layers keep statistics of batches."""
        return True

    def no_blocks(self) -> str:
        """Say why rules that teach any chain of conv blocks cannot teach it; "" where they can."""
        return "" if self.blocks() else f"teaches a chain of conv blocks, and '{self.kind}' is none"

    def no_chain(self) -> str:
        """Say why rules for blocks of BatchNorm and ReLU cannot teach it; "" where they can."""
        return self.no_blocks()

    def no_readout(self) -> str:
        """Say why its linear layers cannot be taught alone; "" where they can."""
        return ""

    def no_signals(self) -> str:
        """Say why gradients at its layers cannot be read; "" where they can."""
        return ""

    def build(self, classes: int) -> nn.Module:
        """Build the network with weights from the global random state.

        Args:
            classes: that it tells apart.

        Returns:
            A module, in training mode, that maps images, float32 (batch, 3, height, width), to
            logits (batch, classes), with `layers(images)`: name of each of `layers` -> values, of
            shape (batch, channels, height, width) or (batch, units); and `error_path()`: name ->
            module that sends an error back to what lies below it, in the order of computation, that
            of the logits last; `norms()`: name of a convolution -> the BatchNorm behind it; and for
            rules that teach the linear layers alone `maps`, `last`, `read_out`, `decide` and
            `linear`, as of `chain.Chain`. Where there are `blocks`, it is one.
        """
        raise NotImplementedError(f"{type(self).__name__} is not built")

    def layer_names(self) -> list[str]:
        """Name the layers that can be read, in the order of computation."""
        return [layer.name for layer in self.layers()]

    def nearest(self, depth: float, names: Sequence[str]) -> str | None:
        """Name the layer nearest to a relative depth among some; of two, the first one."""
        some = [layer for layer in self.layers() if layer.name in names]
        return min(some, key=lambda one: abs(one.depth - depth)).name if some else None

    def vectors(self) -> list[str]:
        """Name those of them that have no positions, and so no descriptor to choose."""
        return [layer.name for layer in self.layers() if layer.stride is None]

    def smallest_side_with_patches(self) -> int:
        """Give the pixels per side of the smallest image of which every block sees a patch."""
        blocks = self.blocks()
        first = [block.kernel for block in blocks[:1]]
        return max([1, *first, *(low.stride * high.kernel for low, high in pairwise(blocks))])

    def side_multiple(self) -> int:
        """Give what sides of images must be multiples of, in pixels, for blocks to drop no edge."""
        return max([1, *(block.stride for block in self.blocks())])


class Normed(Network):
    """A network whose convolutions are followed by a norm layer and an activation."""

    norm: Literal["batch", "layer", "group", "none"] = Field(
        default="batch",
        description="what follows each convolution: BatchNorm; LayerNorm over channels and"
        " positions of an image; GroupNorm of 32 groups, or of as many as divide the channels; or"
        " nothing",
    )
    activation: Literal["relu", "gelu"] = Field(
        default="relu", description="ReLU, or GELU (Hendrycks & Gimpel 2016)"
    )

    @property
    def has_batch_norm(self) -> bool:
        """Whether norm layers keep statistics of batches."""
        return self.norm == "batch"

    def no_chain(self) -> str:
        """Say why rules for blocks of BatchNorm and ReLU cannot teach it; "" where they can."""
        if self.norm == "batch" and self.activation == "relu":
            return self.no_blocks()
        other = f"norm: {self.norm}" if self.norm != "batch" else f"activation: {self.activation}"
        return self.no_blocks() or f"teaches conv blocks of BatchNorm and ReLU, and not '{other}'"
