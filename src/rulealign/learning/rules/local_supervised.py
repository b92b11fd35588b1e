"""Greedy local learning with labels: every conv block has a classifier of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.feature_loss import (
    HEAD_SIDE,
    FeatureLossRule,
    FeatureLossSettings,
    seen_by_head,
)

if TYPE_CHECKING:
    from torch import Tensor, nn


class LocalSupervisedSettings(FeatureLossSettings):
    """The settings of `local_supervised`."""

    kind: Literal["local_supervised"] = Field(
        description="every conv block learns from a small classifier of its own"
    )


class LocalSupervised(FeatureLossRule):
    """Let every conv block learn from its own small classifier, and no error cross blocks.

    With the map x_l = f_l(x_{l-1}) of block l, shape (batch, channels, height, width), and its
    average A x_l over 2 x 2 fields,

        L_l = cross-entropy(V_l A x_l + c_l, label)      dw_l ~ -dL_l/dw_l, x_{l-1} held,

    in mean over the batch, so block l needs its input, its classifier's error (through V_l), and
    nothing of the blocks above. All blocks learn in the same step. The readout learns on the last
    map, as a classifier of its own. Source: Belilovsky, Eickenberg & Oyallon 2019 (ICML), with one
    linear layer as classifier; all blocks at once as in Nokland & Eidnes 2019 (ICML). The label
    comes to every block: do not use it to ask what can be learned without one (`vicreg_local`).
    """

    Settings = LocalSupervisedSettings

    def make_heads(self) -> dict[str, nn.Module]:
        """Build V_l and c_l of every block."""
        *_, logits = self.network.linear().values()
        return {
            name: torch.nn.Linear(conv.out_channels * HEAD_SIDE**2, logits.out_features)
            for name, conv, _ in self.network.blocks()
        }

    def losses(self, images: Tensor, labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Compute L_l of every block, and the last map.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            Block -> L_l, nats; the last map.
        """
        losses, values = {}, images
        for block in self.network.blocks():
            values = self.network.map_of(block, values.detach())
            logits = self.heads[block.name](seen_by_head(values))
            losses[block.name] = functional.cross_entropy(logits, labels)
        return losses, values
