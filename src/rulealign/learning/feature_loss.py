"""Rules whose conv stack descends losses of its own, under a supervised readout."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.gradient import kept_errors, negative_gradients
from rulealign.learning.readout import ReadoutRule, ReadoutSettings
from rulealign.learning.rule import Course, Probe
from rulealign.provenance import derive_seed
from rulealign.schema import NonNegativeFloat, PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network

HEAD_SIDE = 2
"""Positions per side of what a head sees of a map."""


class FeatureLossSettings(ReadoutSettings):
    """The settings of a conv stack that descends losses of its own."""

    learning_rate: PositiveFloat = Field(
        default=0.001, description="Adam's step size for conv blocks and heads at epoch 0"
    )
    weight_decay: NonNegativeFloat = Field(
        default=0.0001, description="this times their weights is added to the gradient (L2)"
    )


class FeatureLossRule(ReadoutRule):
    """Teach the conv blocks by losses on their maps, and the readout by the cross-entropy above.

    Subclasses say in `losses` what those are, and in `make_heads` through which modules they look
    at the maps. Heads are drawn once per label and seed, learn with the blocks, are kept in the
    checkpoints and belong to the rule alone: nothing that is read or classified passes them.
    """

    Settings = FeatureLossSettings

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot teach a network; "" where it can."""
        return network.no_blocks()

    @classmethod
    def smallest_image_side(cls, network: Network) -> int:
        """Give the pixels per side of the smallest images that fill all positions of a head."""
        strides = [block.stride for block in network.blocks()]
        return max(network.smallest_image_side, HEAD_SIDE * max(strides, default=1))

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        from rulealign.learning.weights import seeded

        super().__init__(network, settings, course)
        with seeded(derive_seed(course.study_seed, course.label, course.seed, "heads")):
            self.heads = torch.nn.ModuleDict(self.make_heads()).to(course.device)
        taught = {id(one) for one in self.supervised}
        conv = [one for one in network.parameters() if id(one) not in taught]
        self.learner = torch.optim.Adam(
            [*conv, *self.heads.parameters()],
            settings.learning_rate,
            weight_decay=settings.weight_decay,
        )

    def make_heads(self) -> dict[str, nn.Module]:
        """Build the modules through which losses look at the maps, name -> module; here none."""
        return {}

    def losses(self, images: Tensor, labels: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Compute what the conv blocks descend, in mean over the batch.

        Args:
            images: as in `step`; one forward pass of them updates BatchNorm's statistics.
            labels: as in `step`.

        Returns:
            Block -> loss, one number; the last map of `images`, which the readout learns from.

        Raises:
            NotImplementedError: the subclass does not say.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what the blocks descend")

    def start_epoch(self, epoch: int) -> None:
        """Set the rates of an epoch, 0 for the first one."""
        super().start_epoch(epoch)
        for group in self.learner.param_groups:
            group["lr"] = self.settings.learning_rate * self.learning_rate_share(epoch)

    def learn(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Let blocks and heads take one step down their losses.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The last map, without a graph; `loss_<block>`.

        Raises:
            GuardError: a loss is not finite.
        """
        features, logged = self._fill_gradients(images, labels)
        self.learner.step()
        return features, logged

    def _fill_gradients(self, images: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, float]]:
        self.learner.zero_grad()
        losses, features = self.losses(images, labels)
        logged = {f"loss_{name}": loss.item() for name, loss in losses.items()}
        for name, value in logged.items():
            if not math.isfinite(value):
                remedy = f"lower the rule's learning_rate ({self.settings.learning_rate})"
                self.diverged(f"layer '{name.removeprefix('loss_')}'", f"{name} is {value}", remedy)
        sum(losses.values()).backward()
        return features.detach(), logged

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Give minus the gradients of one batch: of the blocks' own losses, and of the readout's.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The proposed change of every parameter; the gradient at every layer's output.
        """
        with kept_errors(self.network) as errors:
            features, _ = self._fill_gradients(images, labels)
            self.readout_gradient(features, labels)
        return Probe(negative_gradients(self.network), errors)

    def state_dict(self) -> dict[str, Any]:
        """Return heads and the state of both optimisers."""
        own = {"heads": self.heads.state_dict(), "learner": self.learner.state_dict()}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        super().load_state_dict(state)
        self.heads.load_state_dict(state["heads"])
        self.learner.load_state_dict(state["learner"])


def seen_by_head(values: Tensor) -> Tensor:
    """Average a map to `HEAD_SIDE` positions per side; what remains at its edges is left out.

    Args:
        values: shape (batch, channels, height, width), each side at least `HEAD_SIDE`.

    Returns:
        Shape (batch, channels * HEAD_SIDE ** 2).
    """
    tall, wide = (side // HEAD_SIDE for side in values.shape[-2:])
    inside = values[..., : tall * HEAD_SIDE, : wide * HEAD_SIDE]
    return functional.avg_pool2d(inside, (tall, wide)).flatten(1)
