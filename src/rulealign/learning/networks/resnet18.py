"""ResNet-18 for small images: residual blocks, which only rules with a gradient can teach."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from rulealign.learning.network import Layer, Network, Width, widened

if TYPE_CHECKING:
    from torch import nn

STAGES = {"layer1": (64, 1), "layer2": (128, 2), "layer3": (256, 2), "layer4": (512, 2)}
"""Stage of two residual blocks -> its channels, and the stride of its first convolution."""

WITH_WEIGHTS = {"conv1": 1, "layer1": 5, "layer2": 10, "layer3": 15, "layer4": 20}
"""Layer that is read -> convolutions up to there, those of the shortcuts included."""

GROUPS = 32


class ResNet18(Network):
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
    norm: Literal["batch", "layer", "group", "none"] = Field(
        default="batch",
        description="what follows each convolution: BatchNorm; LayerNorm over channels and"
        " positions of an image; GroupNorm of 32 groups, or of as many as divide the channels; or"
        " nothing",
    )

    @property
    def has_batch_norm(self) -> bool:
        """Whether norm layers keep statistics of batches."""
        return self.norm == "batch"

    def layers(self) -> tuple[Layer, ...]:
        """List the stem and the four stages, each read after its last ReLU."""
        total, stride, found = WITH_WEIGHTS["layer4"] + 1, 1, []
        for name, passed in WITH_WEIGHTS.items():
            stride *= STAGES[name][1] if name in STAGES else 1
            found.append(Layer(name, passed / total, stride, rounds_up=True))
        return tuple(found)

    def build(self, classes: int) -> nn.Module:
        """Build the network; see `Network.build`."""
        from torch import nn
        from torchvision.models.resnet import BasicBlock

        from rulealign.learning.residual import Residual

        kinds = {
            "batch": nn.BatchNorm2d,
            "layer": partial(nn.GroupNorm, 1),
            "group": _group_norm,
            "none": nn.Identity,
        }
        norm = kinds[self.norm]
        below = widened(64, self.width)
        parts = {"conv1": nn.Conv2d(3, below, 3, padding=1, bias=False), "norm1": norm(below)}
        for name, (channels, stride) in STAGES.items():
            above = widened(channels, self.width)
            shortcut = None
            if stride != 1 or above != below:
                projection = nn.Conv2d(below, above, 1, stride, bias=False)
                shortcut = nn.Sequential(projection, norm(above))
            first = BasicBlock(below, above, stride, shortcut, norm_layer=norm)
            parts[name] = nn.Sequential(first, BasicBlock(above, above, norm_layer=norm))
            below = above
        return Residual(parts | {"fc": nn.Linear(below, classes)})


def _group_norm(channels: int) -> nn.Module:
    from math import gcd

    from torch import nn

    return nn.GroupNorm(gcd(GROUPS, channels), channels)
