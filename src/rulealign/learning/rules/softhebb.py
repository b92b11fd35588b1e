"""Soft Hebbian learning: channels compete for every patch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.readout import ReadoutRule, ReadoutSettings
from rulealign.learning.rule_settings import for_each_block
from rulealign.schema import PositiveFloat, PositiveInt, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network


class SoftHebbSettings(ReadoutSettings):
    """The settings of `softhebb`."""

    per_block = ("learning_rate", "sharpness")

    kind: Literal["softhebb"] = Field(
        description="conv layers learn by soft competition of channels for patches"
    )
    learning_rate: for_each_block(PositiveFloat) = Field(
        default=[0.08, 0.005, 0.01],
        description="of every conv block: the largest change of a weight, at | |w| - 1 | = 1",
    )
    sharpness: for_each_block(PositiveFloat) = Field(
        default=[1.0, 0.65, 0.25],
        description="of every conv block: factor of the responses before the softmax",
    )
    learning_epochs: PositiveInt = Field(
        default=5,
        description="epochs that the conv layers learn for; afterwards they keep their weights",
    )
    images_per_change: whole(1, 100_000) = Field(
        default=10, description="images of a batch that a change of the weights is taken over"
    )


class SoftHebb(ReadoutRule):
    """Let channels compete for every patch; the winner learns it, and the others unlearn it.

    With the filters w_k of a conv layer, a patch x at one position and u_k = w_k x,

        y = softmax(sharpness u) over channels; y_k of the largest u_k is kept, all others negated
        dw_k = sum over images and positions of y_k (x - u_k w_k)
        w_k += learning_rate sqrt(| |w_k| - 1 |) dw_k / max |dw|

    (Journe, Garcia Rodriguez, Guo & Moraitis 2023, ICLR; Moraitis et al. 2022), maximum over the
    layer. All layers learn from one forward pass of the batch, `images_per_change` images at a time
    (published: batches of 10, one epoch of 50,000 images, and the readout after it), for
    `learning_epochs`: as filters come to length 1, fewer and fewer of the last layer win, and what
    they told is lost. No label and no layer above acts on the filters. Made for the network with
    triangle activations, whose large initial filters it needs; its control is `readout` on that
    network. Not for networks whose filters begin short (below about 2): then few of them win, and
    share what they should divide.
    """

    Settings = SoftHebbSettings

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot teach a network; "" where it can."""
        return network.no_blocks()

    def learn_features(self, images: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Change every conv layer by what its convolution sees, all from one forward pass.

        Args:
            images: float32, shape (batch, 3, size, size).

        Returns:
            The last map before the change; per layer `length_<layer>`, the mean length of its
            filters, and `winners_<layer>`, the share of channels that win at some position, while
            they learn.

        Raises:
            GuardError: weights are not finite.
        """
        if self.epoch >= self.settings.learning_epochs:
            return super().learn_features(images)
        seen: dict[str, Tensor] = {}
        handles = [
            conv.register_forward_pre_hook(lambda _, given, of=name: seen.update({of: given[0]}))
            for name, conv, _ in self.network.blocks()
        ]
        with torch.no_grad():
            features = self.network.last(self.network.maps(images))
        for handle in handles:
            handle.remove()
        logged = {}
        for place, (name, conv, _) in enumerate(self.network.blocks()):
            won = self._learn(conv, seen[name], place)
            logged |= {f"length_{name}": _lengths(conv.weight).mean().item()}
            logged |= {f"winners_{name}": won}
            if not conv.weight.isfinite().all():
                remedy = f"lower the rule's learning_rate ({self.settings.learning_rate})"
                self.diverged(f"layer '{name}'", "the weights are not finite", remedy)
        return features, logged

    def _learn(self, conv: nn.Conv2d, seen: Tensor, place: int) -> float:
        share = self.learning_rate_share(self.epoch) * self.settings.learning_rate[place]
        winners: set[int] = set()
        for part in seen.split(self.settings.images_per_change):
            change, won = softhebb_change(conv, part, self.settings.sharpness[place])
            with torch.no_grad():
                rate = share * (_lengths(conv.weight) - 1).abs().sqrt()
                conv.weight += rate[:, None, None, None] * change
            winners.update(won.tolist())
        return len(winners) / conv.out_channels


def _lengths(weight: Tensor) -> Tensor:
    return weight.detach().flatten(1).norm(dim=1)


def softhebb_change(conv: nn.Conv2d, seen: Tensor, sharpness: float) -> tuple[Tensor, Tensor]:
    """Compute dw / max |dw| of one layer, and who won.

    Args:
        conv: the convolution.
        seen: its input, shape (images, channels, height, width).
        sharpness: factor of the responses before the softmax.

    Returns:
        Of the shape of the weights; the channels that are largest somewhere, int64.
    """
    with torch.enable_grad():
        responses = conv(seen.detach())
    with torch.no_grad():
        y = -functional.softmax(sharpness * responses, 1)
        winner = responses.argmax(1, keepdim=True)
        y.scatter_(1, winner, -y.gather(1, winner))
        kept = (y * responses).sum((0, 2, 3))
    # the convolution's derivative by its weights sums y x over images and positions
    (hebbian,) = torch.autograd.grad(responses, conv.weight, y)
    change = hebbian - kept[:, None, None, None] * conv.weight.detach()
    return change / change.abs().max().clamp(min=1e-30), winner.unique()
