"""Any classification network of torchvision, by its name there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.errors import ConfigurationError
from rulealign.learning.explored_network import ExploredNetwork
from rulealign.wrong_values import nearest

if TYPE_CHECKING:
    from torch import nn

    from rulealign.learning.explored import Reader


class TorchvisionModel(ExploredNetwork):
    """A classification network of torchvision, with random weights and torchvision's own start.

    Nodes are those of `torchvision.models.feature_extraction.get_graph_node_names` in evaluation
    mode. Most of these networks are built for images of 224 px: at 32 px deep ones have maps of one
    position. Source: the papers that torchvision's documentation names for each. Not for networks
    that give several outputs while they train (inception_v3, googlenet).
    """

    device: ClassVar[str] = "meta"

    kind: Literal["torchvision"] = Field(description="architecture; see docs/networks.md")
    model: str = Field(description="name of a classification network of torchvision: resnet50")

    def made(self, classes: int) -> nn.Module:
        """Make the network, without weights of others."""
        from torchvision import models

        there = models.list_models(module=models)
        if self.model not in there:
            near = nearest(self.model, there)
            hint = f"did you mean '{near}'?" if near else f"there are: {', '.join(there)}"
            raise ConfigurationError(f"network.model: torchvision has no '{self.model}'; {hint}")
        return models.get_model(self.model, weights=None, num_classes=classes)

    def reader(self) -> Reader:
        """Give the function that reads nodes of the graph."""
        from rulealign.learning.explored import read_graph

        return read_graph

    def readable(self, network: nn.Module) -> list[str]:
        """List the nodes of the graph, and the modules that hold them, which end in their last."""
        from torchvision.models.feature_extraction import get_graph_node_names

        paths = [name.split(".") for name in get_graph_node_names(network)[1]]
        return [".".join(path[:end]) for path in paths for end in range(1, len(path) + 1)]
