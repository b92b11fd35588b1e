"""Networks that others wrote: what is read of them is found by running them, not declared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from rulealign.errors import ConfigurationError
from rulealign.learning.weights import carries_weights

Reader = Callable[[nn.Module, Sequence[str], Tensor], dict[str, Tensor]]
"""Network, names of nodes, images -> name -> what the network makes of the images there."""


class Found(NamedTuple):
    """What one forward pass shows of a network.

    Attributes:
        shapes: name of each node that is read -> shape of its values for one image.
        depths: name of each of them -> share of the layers with weights that it depends on.
        logits: shape of the output for one image while it trains; None where it is no tensor.
        readout: name of the linear layer whose output the logits are; "" where there is none.
    """

    shapes: dict[str, tuple[int, ...]]
    depths: dict[str, float]
    logits: tuple[int, ...] | None
    readout: str


class Explored(nn.Module):
    """A network of somebody else's, read at nodes that its settings name.

    Args:
        network: the network, which maps images to logits.
        nodes: names of what is read.
        reader: how it is read.
        side: gives the pixels per side of images that it takes, where they are asked for.
    """

    def __init__(
        self, network: nn.Module, nodes: Sequence[str], reader: Reader, side: Callable[[], int]
    ) -> None:
        super().__init__()
        self.network = out_of_place(network)
        self.nodes, self.reader, self.side = tuple(nodes), reader, side

    def forward(self, images: Tensor) -> Tensor:
        """Classify images: float32 (batch, 3, height, width) -> logits (batch, classes)."""
        return self.network(images)

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the readable layers: name -> values, as the network has them there."""
        return self.reader(self.network, self.nodes, images)

    def error_path(self) -> dict[str, nn.Module]:
        """Give the layers that send an error back, name -> layer: all but the first."""
        return dict([(n, one) for n, one in self.named_modules() if carries_weights(one)][1:])

    def norms(self) -> dict[str, nn.BatchNorm2d]:
        """Give the BatchNorm behind each convolution, name of the convolution -> layer."""
        found, made = {}, {}

        def look(name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if isinstance(module, nn.Conv2d):
                made[id(output)] = (name, output)
            elif isinstance(module, nn.BatchNorm2d) and id(inputs[0]) in made:
                found[made[id(inputs[0])][0]] = module

        _run(self, self._image(), look)
        return found

    def linear(self) -> dict[str, nn.Linear]:
        """Give the linear layer whose output the logits are, name -> layer."""
        return {self._readout: self.get_submodule(self._readout)}

    @cached_property
    def _readout(self) -> str:
        return readout_of(self, self._image())

    def maps(self, images: Tensor) -> dict[str, Tensor]:
        """Compute what the linear layer of the logits reads: its name -> values."""
        ((name, layer),) = self.linear().items()
        seen: dict[str, Tensor] = {}
        handle = layer.register_forward_pre_hook(lambda _, inputs: seen.update({name: inputs[0]}))
        try:
            self.network(images)
        finally:
            handle.remove()
        return seen

    def last(self, maps: Mapping[str, Tensor]) -> Tensor:
        """Give what the logits are made of, of what `maps` computes."""
        (values,) = maps.values()
        return values

    def read_out(self, features: Tensor) -> Tensor:
        """Give what the logits are made of: the features themselves."""
        return features

    def decide(self, hidden: Tensor) -> Tensor:
        """Compute the logits from what `read_out` gives."""
        (layer,) = self.linear().values()
        return layer(hidden)

    def _image(self) -> Tensor:
        side = self.side()
        return torch.zeros(1, 3, side, side, device=next(self.parameters()).device)


def out_of_place(network: nn.Module) -> nn.Module:
    """Let no module overwrite its input; the network's values stay what they are."""
    for module in network.modules():
        if getattr(module, "inplace", False):
            module.inplace = False
    return network


def explore(network: nn.Module, nodes: Sequence[str], reader: Reader, images: Tensor) -> Found:
    """Run a network, and look.

    Args:
        network: the network; it is left in evaluation mode.
        nodes: names of what is read.
        reader: how it is read.
        images: one image, float32, shape (1, 3, side, side).

    Returns:
        What was seen.

    Raises:
        ConfigurationError: a node cannot be read, or the output of a convolution or linear layer is
            overwritten.
    """
    _require_kept_outputs(network, images)
    weights = [one.weight for one in network.eval().modules() if carries_weights(one)]
    depths, shapes = {}, {}
    for name, values in reader(network, nodes, images).items():
        # weights that a layer does not depend on lie above it
        asked = {"retain_graph": True, "allow_unused": True}
        reached = torch.autograd.grad(values.sum(), weights, **asked) if values.grad_fn else ()
        depths[name] = sum(one is not None for one in reached) / max(1, len(weights))
        shapes[name] = tuple(values.shape[1:])
    with torch.no_grad():
        logits = network.train()(torch.cat([images, images]))  # some give more while they train
    network.eval()
    shape = tuple(logits.shape[1:]) if isinstance(logits, Tensor) else None
    return Found(shapes, depths, shape, readout_of(network, images))


def _require_kept_outputs(network: nn.Module, images: Tensor) -> None:
    # rules and diagnostics look at the error of each output, which is then another one's
    made: dict[str, tuple[Tensor, int]] = {}

    def look(name: str, module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if carries_weights(module):
            made[name] = (output, output._version)

    _run(network, images, look)
    for name, (output, version) in made.items():
        if output._version != version:
            raise ConfigurationError(
                f"network: what '{name}' gives is overwritten in place by what follows, such as"
                " `relu(values, inplace=True)` or `values += ...`; make new values there"
            )


def readout_of(network: nn.Module, images: Tensor) -> str:
    """Name the linear layer whose output is a network's output; "" where there is none.

    Args:
        network: the network; its mode is left as it was.
        images: of a size that it takes.
    """
    made: dict[int, tuple[str, Tensor]] = {}

    def look(name: str, module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Linear):
            made[id(output)] = (name, output)

    logits = _run(network, images, look)
    return made.get(id(logits), ("", None))[0]


def _run(network: nn.Module, images: Tensor, look: Callable[..., None]) -> Tensor:
    was = network.training
    with torch.no_grad(), _watched(network.eval(), look):
        output = network(images)
    network.train(was)
    return output


@contextmanager
def _watched(network: nn.Module, look: Callable[..., None]) -> Iterator[None]:
    def hook(name: str) -> Callable[..., None]:
        return lambda module, inputs, output: look(name, module, inputs, output)

    named = network.named_modules()
    handles = [module.register_forward_hook(hook(name)) for name, module in named]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def read_modules(network: nn.Module, nodes: Sequence[str], images: Tensor) -> dict[str, Tensor]:
    """Read the outputs of modules, before anything that follows overwrites them.

    Args:
        network: any module.
        nodes: names of modules of it.
        images: float32, shape (batch, 3, height, width).

    Returns:
        Name -> output of the module, as it was when it was computed.

    Raises:
        ConfigurationError: a module does not run, or gives something else than one tensor.
    """
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if not isinstance(output, Tensor):
                kind = type(output).__name__
                raise ConfigurationError(f"network.nodes: '{name}' gives a {kind}, and no tensor.")
            seen[name] = output.clone()

        return hook

    handles = [network.get_submodule(name).register_forward_hook(keep(name)) for name in nodes]
    try:
        network(images)
    finally:
        for handle in handles:
            handle.remove()
    if missing := [name for name in nodes if name not in seen]:
        raise ConfigurationError(f"network.nodes: '{missing[0]}' does not run; leave it out.")
    return {name: seen[name] for name in nodes}


_GRAPHS: WeakKeyDictionary[nn.Module, dict[tuple[str, ...], nn.Module]] = WeakKeyDictionary()


def read_graph(network: nn.Module, nodes: Sequence[str], images: Tensor) -> dict[str, Tensor]:
    """Read nodes of a network's graph, as `torchvision.models.feature_extraction` names them.

    Args:
        network: a model that can be traced.
        nodes: names of nodes of it.
        images: float32, shape (batch, 3, height, width).

    Returns:
        Name -> values of the node, before anything that follows overwrites them.
    """
    graphs = _GRAPHS.setdefault(network, {})
    if tuple(nodes) not in graphs:
        graphs[tuple(nodes)] = _graph(network, nodes)
    return graphs[tuple(nodes)].train(network.training)(images)


def _graph(network: nn.Module, nodes: Sequence[str]) -> nn.Module:
    from torchvision.models.feature_extraction import create_feature_extractor

    was = network.training
    extractor = create_feature_extractor(network, {name: name for name in nodes})
    network.train(was)
    for graph in (extractor.train_graph, extractor.eval_graph):
        (output,) = (node for node in graph.nodes if node.op == "output")
        kept = {}
        for name, node in output.args[0].items():
            with graph.inserting_after(node):  # `relu(..., inplace=True)` would overwrite it
                kept[name] = graph.call_method("clone", (node,))
        output.args = (kept,)
    extractor.graph = extractor.train_graph if extractor.training else extractor.eval_graph
    return extractor
