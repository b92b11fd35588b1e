"""A network of residual stages between a stem and the layer of the logits."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from rulealign.learning.norms import activations


class Residual(nn.Module):
    """A stem (convolution, norm layer, activation), residual stages, mean over positions, logits.

    Args:
        parts: name -> module, in the order of computation: the convolution of the stem, what
            normalises it, the stages, and the layer of the logits.
        activation: as in `network.Normed`.
    """

    def __init__(self, parts: Mapping[str, nn.Module], activation: str = "relu") -> None:
        super().__init__()
        self.activation = activation
        for name, part in parts.items():
            self.add_module(name, part)
        self.names = tuple(parts)

    def error_path(self) -> dict[str, nn.Module]:
        """Give the layers that send an error back, name -> layer: all but the first.

        Shortcuts without a convolution send theirs back exactly, under every rule.
        """
        wanted = nn.Conv2d | nn.Linear
        return dict([(n, one) for n, one in self.named_modules() if isinstance(one, wanted)][1:])

    def norms(self) -> dict[str, nn.BatchNorm2d]:
        """Give the BatchNorm behind each convolution, name of the convolution -> layer."""
        found, conv = {}, ""
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                conv = name
            elif isinstance(module, nn.BatchNorm2d):
                found[conv] = module
        return found

    def linear(self) -> dict[str, nn.Linear]:
        """Give the layer of the logits, name -> layer."""
        return {self.names[-1]: self.get_submodule(self.names[-1])}

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the readable layers: the maps, all of them."""
        return self.maps(images)

    def maps(self, images: Tensor) -> dict[str, Tensor]:
        """Compute the conv stack.

        Args:
            images: float32, shape (batch, 3, height, width), normalised.

        Returns:
            The stem's map and that of each stage, after the activation, shape (batch, channels,
            height, width).
        """
        stem, norm, *stages = (self.get_submodule(name) for name in self.names[:-1])
        maps = [activations(self.activation)(norm(stem(images)))]
        for stage in stages:
            maps.append(stage(maps[-1]))
        return dict(zip([self.names[0], *self.names[2:-1]], maps, strict=True))

    def last(self, maps: Mapping[str, Tensor]) -> Tensor:
        """Give the map of the last stage, which the logits are made of, of what `maps` computes."""
        return maps[self.names[-2]]

    def read_out(self, features: Tensor) -> Tensor:
        """Average the last map over positions: (batch, channels, ...) -> (batch, channels)."""
        return features.mean((2, 3))

    def decide(self, hidden: Tensor) -> Tensor:
        """Compute the logits, shape (batch, classes), from what `read_out` gives."""
        return self.get_submodule(self.names[-1])(hidden)

    def forward(self, images: Tensor) -> Tensor:
        """Classify images.

        Args:
            images: as in `maps`.

        Returns:
            Logits, float32, shape (batch, classes).
        """
        return self.decide(self.read_out(self.last(self.maps(images))))
