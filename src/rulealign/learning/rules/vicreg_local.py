"""Learning without labels, block by block: no error crosses blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.learning.two_views import TwoViewRule, TwoViewSettings

if TYPE_CHECKING:
    from torch import Tensor, nn


class VicregLocalSettings(TwoViewSettings):
    """The settings of `vicreg_local`."""

    kind: Literal["vicreg_local"] = Field(
        description="the loss of `vicreg` for every conv block, and no error between blocks"
    )


class VicregLocal(TwoViewRule):
    """Let every conv block bring two views of each image together in its own map.

    As `vicreg`, with a loss and a head for every block: with the maps x_l = f_l(x_{l-1}) and x'_l
    of two views,

        dw_l ~ -dL(head_l(x_l), head_l(x'_l))/dw_l, with x_{l-1} and x'_{l-1} held.

    Block l needs its own activity in both views and its head's error; no label and no block above
    acts on it. Source of the loss: Bardes, Ponce & LeCun 2022 (ICLR); of learning layer by layer
    without labels: Illing, Ventura, Bellec & Gerstner 2021 (NeurIPS), Halvagal & Zenke 2023
    (Nature Neuroscience 26:1906), whose losses differ. Heads have two layers, so within a block and
    its head errors do go back.
    """

    Settings = VicregLocalSettings

    def make_heads(self) -> dict[str, nn.Module]:
        """Build the head of every block."""
        return {name: self.head(conv.out_channels) for name, conv, _ in self.network.blocks()}

    def losses(self, images: Tensor, labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Compute the loss of every block.

        Args:
            images: as in `step`.
            labels: not used.

        Returns:
            Block -> loss; the last map of the first view.
        """
        from rulealign.learning.norms import statistics_kept

        losses, first, second = {}, images, self.second_view(images)
        for block in self.network.blocks():
            first = self.network.map_of(block, first.detach())
            with statistics_kept(self.network):
                second = self.network.map_of(block, second.detach())
            losses[block.name] = self.compare(block.name, first, second)
        return losses, first
