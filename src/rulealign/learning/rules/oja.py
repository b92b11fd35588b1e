"""Oja's subspace rule on patches: the worked example of docs/adding-a-rule.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.lazy import torch
from rulealign.learning.patches import draw_patches
from rulealign.learning.readout import ReadoutRule, ReadoutSettings
from rulealign.schema import PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor

    from rulealign.learning.network import Network


class OjaSettings(ReadoutSettings):
    """The settings of `oja`."""

    kind: Literal["oja"] = Field(description="conv layers learn the principal subspace of patches")
    learning_rate: PositiveFloat = Field(
        default=1.0,
        description="eta at epoch 0, for patches of mean squared length 1; above 1 the filters may"
        " swing or grow instead of settling",
    )
    patches_per_image: whole(1, 10_000) = Field(
        default=16, description="random places per image, layer and step"
    )


class Oja(ReadoutRule):
    """Let each conv layer learn the principal subspace of the patches that it sees.

    With the rows of W, shape (filters, inputs), as filters and y = W x for a patch x,

        dW = eta (y x^T - y y^T W) = eta y (x - W^T y)^T, in mean over the patches

    (Oja 1989, Int. J. Neural Systems 1:61, the subspace rule): Hebbian growth, less what the layer
    already explains. Where filters are fewer than inputs, they become an orthonormal basis of the
    principal subspace: W W^T = 1. Where they are more (32 filters on the 27 inputs of RGB), no
    such basis exists; then W^T W becomes 1: the layer keeps the whole patch, in a rotation that is
    near the initial weights'. In both cases the rule fixes the subspace, not the single filters: do
    not read them as principal components. No label and no layer above acts on the filters.
    """

    Settings = OjaSettings

    @classmethod
    def smallest_image_side(cls, network: Network) -> int:
        """Give the pixels per side of the smallest images of which every block sees patches."""
        return network.smallest_side_with_patches()

    def learn_features(self, images: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Change every conv layer by the patches of its input, all from one forward pass.

        Args:
            images: float32, shape (batch, 3, size, size).

        Returns:
            The last map before the change, shape (batch, channels, height, width); per layer
            `residual_<layer>`, the share of the patches' variance outside of what it explains.

        Raises:
            GuardError: weights are not finite.
        """
        rate = self.settings.learning_rate * self.learning_rate_share(self.epoch)
        residuals = {}
        with torch.no_grad():
            maps = self.network.maps(images)
            inputs = [images, *maps.values()]
            for (name, conv, _), seen in zip(self.network.blocks(), inputs, strict=False):
                patches = draw_patches(seen, conv.kernel_size[0], self.settings.patches_per_image)
                change, residual = oja_change(conv.weight.flatten(1), standardised(patches))
                conv.weight += rate * change.view_as(conv.weight)
                residuals[f"residual_{name}"] = residual
                if not conv.weight.isfinite().all():
                    remedy = f"lower the rule's learning_rate ({self.settings.learning_rate})"
                    self.diverged(f"layer '{name}'", "the weights are not finite", remedy)
        return self.network.last(maps), residuals


def oja_change(weight: Tensor, patches: Tensor) -> tuple[Tensor, float]:
    """Compute dW / eta of Oja's subspace rule.

    Args:
        weight: W, shape (filters, inputs).
        patches: x, shape (patches, inputs).

    Returns:
        y (x - W^T y)^T, in mean over the patches, shape (filters, inputs); mean of |x - W^T y|^2.
    """
    responses = patches @ weight.T
    unexplained = patches - responses @ weight
    return responses.T @ unexplained / len(patches), unexplained.square().sum(1).mean().item()


def standardised(patches: Tensor) -> Tensor:
    """Subtract the mean patch, as BatchNorm does behind the filters, and set the mean |x|^2 to 1.

    Args:
        patches: shape (patches, inputs).

    Returns:
        The same shape; so one rate suits every layer.
    """
    centred = patches - patches.mean(0)
    return centred / centred.square().sum(1).mean().sqrt()
