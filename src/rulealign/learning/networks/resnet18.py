"""ResNet-18 for small images: residual blocks, which only rules with a gradient can teach."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from rulealign.learning.network import Layer, Normed, Width, widened

if TYPE_CHECKING:
    from torch import nn

STAGES = {"layer1": (64, 1), "layer2": (128, 2), "layer3": (256, 2), "layer4": (512, 2)}
"""Stage of two residual blocks -> its channels, and the stride of its first convolution."""

WITH_WEIGHTS = {"conv1": 1, "layer1": 5, "layer2": 10, "layer3": 15, "layer4": 20}
"""Layer that is read -> convolutions up to there, those of the shortcuts included."""


class ResNet18(Normed):
    """A stem, four stages of two residual blocks, the average over positions, and the logits.

    The stem is conv 3x3 (64 channels, stride 1, no max-pool), as is usual for images of 32 px;
    blocks are torchvision's `BasicBlock`, the first of each later stage with stride 2 and a 1x1
    convolution in its shortcut. PyTorch's default initialisation, not torchvision's. Source: He,
    Zhang, Ren & Sun 2016 (CVPR). Not for rules that teach a chain of conv blocks: a residual block
    adds its input to its output, so no convolution alone makes what is read. `width` is at least
    1/8: with a stem of fewer than eight channels, the backward pass of a shortcut's strided 1x1
    convolution corrupts memory in torch 2 on a CPU.
    """

    kind: Literal["resnet18"] = Field(description="architecture; see docs/networks.md")
    width: Annotated[Width, Field(ge=0.125)] = 1

    def layers(self) -> tuple[Layer, ...]:
        """List the stem and the four stages, each read after its last activation."""
        total, stride, found = WITH_WEIGHTS["layer4"] + 1, 1, []
        for name, passed in WITH_WEIGHTS.items():
            stride *= STAGES[name][1] if name in STAGES else 1
            found.append(Layer(name, passed / total, stride, rounds_up=True))
        return tuple(found)

    def build(self, classes: int) -> nn.Module:
        """Build the network; see `Network.build`."""
        from torch import nn
        from torchvision.models.resnet import BasicBlock

        from rulealign.learning.norms import norm_layers
        from rulealign.learning.residual import Residual

        norm = norm_layers(self.norm)
        below = widened(64, self.width)
        parts = {"conv1": nn.Conv2d(3, below, 3, padding=1, bias=False), "norm1": norm(below)}
        for name, (channels, stride) in STAGES.items():
            above = widened(channels, self.width)
            shortcut = None
            if stride != 1 or above != below:
                projection = nn.Conv2d(below, above, 1, stride, bias=False)
                shortcut = nn.Sequential(projection, norm(above))
            first = BasicBlock(below, above, stride, shortcut, norm_layer=norm)
            blocks = first, BasicBlock(above, above, norm_layer=norm)
            if self.activation == "gelu":
                for block in blocks:
                    block.relu = nn.GELU()
            parts[name] = nn.Sequential(*blocks)
            below = above
        return Residual(parts | {"fc": nn.Linear(below, classes)}, self.activation)
