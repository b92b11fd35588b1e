"""Any classification network of torchvision, by its name there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.errors import ConfigurationError
from rulealign.learning.explored_network import ExploredNetwork
from rulealign.schema import FilePlace
from rulealign.wrong_values import nearest

if TYPE_CHECKING:
    from torch import nn

    from rulealign.learning.explored import Explored, Reader

WEIGHTS = ("weight", "bias")
"""Names of what a linear layer holds."""


class TorchvisionModel(ExploredNetwork):
    """A classification network of torchvision: its weights are random, or those of a file.

    Nodes are those of `torchvision.models.feature_extraction.get_graph_node_names` in evaluation
    mode. Most of these networks are built for images of 224 px: at 32 px deep ones have maps of one
    position. Source: the papers that torchvision's documentation names for each. Not for networks
    that give several outputs while they train (inception_v3, googlenet).
    """

    device: ClassVar[str] = "meta"

    kind: Literal["torchvision"] = Field(description="architecture; see docs/networks.md")
    model: str = Field(description="name of a classification network of torchvision: resnet50")
    weights: FilePlace | None = Field(
        default=None,
        description="a state dict of it (.pt, .pth, .safetensors) that every seed starts from; only"
        " the linear layer of the logits is drawn where the file is of other classes. null: all"
        " weights are drawn",
    )

    @property
    def own_files(self) -> list[str]:
        """Name the file of weights."""
        return [os.path.normpath(Path(self.weights).expanduser())] if self.weights else []

    def made(self, classes: int) -> nn.Module:
        """Make the network, with random weights."""
        from torchvision import models

        there = models.list_models(module=models)
        if self.model not in there:
            near = nearest(self.model, there)
            hint = f"did you mean '{near}'?" if near else f"there are: {', '.join(there)}"
            raise ConfigurationError(f"network.model: torchvision has no '{self.model}'; {hint}")
        for file in self.own_files:
            if not Path(file).is_file():
                raise ConfigurationError(f"network.weights: there is no file {self.weights}")
        return models.get_model(self.model, weights=None, num_classes=classes)

    def build(self, classes: int) -> Explored:
        """Build the network, with the weights of the file; see `Network.build`."""
        built = super().build(classes)
        for file in self.own_files:
            from rulealign.learning.state_files import load_state

            heads = [name.removeprefix("network.") for name in built.linear()]
            load_state(built, Path(file), or_drawn=[f"{h}.{w}" for h in heads for w in WEIGHTS])
        return built

    def reader(self) -> Reader:
        """Give the function that reads nodes of the graph."""
        from rulealign.learning.explored import read_graph

        return read_graph

    def readable(self, network: nn.Module) -> list[str]:
        """List the nodes of the graph, and the modules that hold them, which end in their last."""
        from torchvision.models.feature_extraction import get_graph_node_names

        paths = [name.split(".") for name in get_graph_node_names(network)[1]]
        return [".".join(path[:end]) for path in paths for end in range(1, len(path) + 1)]
