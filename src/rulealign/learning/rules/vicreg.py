"""Learning without labels, end to end: backpropagation of a loss of two views."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.learning.two_views import TwoViewRule, TwoViewSettings

if TYPE_CHECKING:
    from torch import Tensor, nn


class VicregSettings(TwoViewSettings):
    """The settings of `vicreg`."""

    kind: Literal["vicreg"] = Field(
        description="backpropagation, without labels, of a loss that brings two views together"
    )


class Vicreg(TwoViewRule):
    """Backpropagate, from the last map to the first weight, a loss of two views of each image.

    With the last maps x and x' of two views, shape (batch, channels, height, width), averaged over
    2 x 2 fields, z = head(x) of shape (batch, embedding), all conv weights follow
    -dL(z, z')/dw; L (`two_views.vicreg_loss`) brings views together, keeps every unit of z varying
    over the batch and different units uncorrelated. Source: Bardes, Ponce & LeCun 2022 (ICLR). The
    second view has a random crop (.3 to 1 of the side), a flip, other colours, and in a fifth of
    the images none. No label acts on the conv stack; the readout above learns from labels, on the
    first view. `vicreg_local` is the same without errors that cross blocks.
    """

    Settings = VicregSettings

    def make_heads(self) -> dict[str, nn.Module]:
        """Build the head of the last block."""
        last = self.network.blocks()[-1]
        return {last.name: self.head(last.conv.out_channels)}

    def losses(self, images: Tensor, labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Compute the loss of the last map.

        Args:
            images: as in `step`.
            labels: not used.

        Returns:
            Last block -> loss; its map of the first view.
        """
        from rulealign.learning.norms import statistics_kept

        net = self.network
        first = net.last(net.maps(images))
        with statistics_kept(net):
            second = net.last(net.maps(self.second_view(images)))
        name = net.blocks()[-1].name
        return {name: self.compare(name, first, second)}, first
