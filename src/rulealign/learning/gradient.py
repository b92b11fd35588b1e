"""What rules with a supervised gradient share: settings, learning rate, and one step."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.optimised import OptimisedRule
from rulealign.learning.rule import Course, Probe
from rulealign.learning.rule_settings import RuleSettings
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import Closed, Fraction, NonNegativeFloat, PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn


class MuonSettings(Closed):
    """The settings of orthogonalised steps."""

    rate: PositiveFloat = Field(
        default=0.02, description="step size of the orthogonalised kernels at epoch 0"
    )
    layers: Literal["conv", "all"] = Field(
        default="conv",
        description="whose kernels: of all convolutions but the first, or of linear layers, too,"
        " but that of the logits",
    )


class GradientSettings(RuleSettings):
    """The settings of a rule that descends a gradient."""

    optimizer: Literal["adam", "sgd", "muon"] = Field(
        default="adam",
        description="how a gradient becomes a step; muon evens out the directions of a kernel's"
        " step, and leaves the first convolution, the logits, biases and norms to AdamW",
    )
    learning_rate: PositiveFloat = Field(
        default=0.001, description="step size at epoch 0; with muon, of what it leaves to AdamW"
    )
    momentum: Fraction = Field(
        default=0, description="of sgd; must be 0 for adam and muon, which have their own"
    )
    muon: MuonSettings | None = Field(
        default=None, description="a section, with `optimizer: muon` only; null for its defaults"
    )
    weight_decay: NonNegativeFloat = Field(
        default=0.0001,
        description="this times the weights is added to the gradient (L2; with muon decoupled)",
    )
    schedule: Literal["cosine", "constant"] = Field(
        default="cosine",
        description="learning rate over training.schedule_epochs: down to 0, or the same",
    )
    clip_norm: PositiveFloat = Field(
        default=1.0,
        description="gradients of a larger norm, over all weights, are scaled down to this norm",
    )

    def fewer_dead_units(self) -> str:
        """Say what leaves fewer dead units in linear layers."""
        if self.optimizer == "adam":
            return "set optimizer to sgd, learning_rate to 0.01, momentum to 0.9"
        return "lower learning_rate"

    def checks(self) -> Checks:
        """Check that what belongs to one optimiser is given to no other."""
        yield self._of_their_optimizer()

    def _of_their_optimizer(self) -> Iterator[Mistake]:
        if self.optimizer != "sgd" and self.momentum != 0:
            why = f"{self.momentum} has no meaning for {self.optimizer}; put 0, or use sgd"
            yield Mistake("momentum", why)
        if self.optimizer != "muon" and self.muon is not None:
            why = f"has no meaning for {self.optimizer}; remove it, or set optimizer to muon"
            yield Mistake("muon", why)


class GradientRule(OptimisedRule):
    """Descends the gradient that autograd computes for the cross-entropy, in mean over a batch.

    Subclasses say which gradient that is, by changing how the network's layers send errors back.
    """

    Settings = GradientSettings

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        self.optimizer = make_optimizer(network, settings)

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change the weights once: loss, backward pass, clipping, step.

        Args:
            images: float32, shape (batch, 3, size, size); augmented and normalised.
            labels: int64, shape (batch,).

        Returns:
            `loss` (cross-entropy, nats, before the step), `gradient_norm` (before clipping),
            `learning_rate`.

        Raises:
            GuardError: loss or gradient is not finite.
        """
        logged = self.fill_gradients(images, labels)
        return logged | self.descend()

    def fill_gradients(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Give every parameter the gradient that its step will follow; here of the cross-entropy.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            What to log; `loss` among it, nats.

        Raises:
            GuardError: the loss is not finite.
        """
        self.optimizer.zero_grad()
        loss = functional.cross_entropy(self.network(images), labels)
        loss.backward()
        return {"loss": self.finite(loss)}

    def descend(self) -> dict[str, float]:
        """Take one step along the gradients that the parameters hold: clip, then optimise.

        Returns:
            `gradient_norm` (before clipping) and `learning_rate`.

        Raises:
            GuardError: a gradient is not finite.
        """
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.settings.clip_norm)
        if not math.isfinite(norm):
            self._refuse_gradient()
        self.optimizer.step()
        return {
            "gradient_norm": norm.item(),
            "learning_rate": self.optimizer.param_groups[0]["lr"],
        }

    def _refuse_gradient(self) -> None:
        place = self.first_layer_not_finite("grad")
        self.diverged(place, "gradient_norm is not finite", self.remedy())

    def remedy(self) -> str:
        """Say which settings to change when training diverges."""
        rate, norm = self.settings.learning_rate, self.settings.clip_norm
        return f"lower the rule's learning_rate ({rate}) or clip_norm ({norm})"

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Give the negative gradient of one batch, and the gradient at every layer's output.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            `update`: minus the gradient of every parameter; `errors`: of every convolution and
            linear layer, the gradient of the loss with respect to its output.
        """
        with kept_errors(self.network) as errors:
            self.fill_gradients(images, labels)
        return Probe(negative_gradients(self.network), errors)


def make_optimizer(network: nn.Module, settings: GradientSettings) -> torch.optim.Optimizer:
    """Make the optimiser of all weights of a network.

    Args:
        network: the network.
        settings: optimizer, learning_rate, momentum, muon, weight_decay.

    Returns:
        Adam (Kingma & Ba 2015; PyTorch's betas .9 and .999), SGD with momentum, or Muon.
    """
    shared = {"lr": settings.learning_rate, "weight_decay": settings.weight_decay}
    if settings.optimizer == "muon":
        from rulealign.learning.muon import muon

        chosen = settings.muon or MuonSettings()
        return muon(network, chosen.layers, rate=chosen.rate, **shared)
    if settings.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), **shared)
    return torch.optim.SGD(network.parameters(), momentum=settings.momentum, **shared)


def probe_gradient(network: nn.Module, images: Tensor, labels: Tensor) -> Probe:
    """Compute the gradient of the cross-entropy of one batch as the layers send it back.

    Args:
        network: the network; its gradients are overwritten, its BatchNorm statistics updated.
        images: float32, shape (batch, 3, size, size), normalised.
        labels: int64, shape (batch,).

    Returns:
        Minus the gradient of every parameter; the error at the output of every convolution and
        linear layer, shape (batch, features).
    """
    network.zero_grad()
    with kept_errors(network) as errors:
        functional.cross_entropy(network(images), labels).backward()
    return Probe(negative_gradients(network), errors)


@contextmanager
def kept_errors(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Keep the error that each convolution and linear layer gets in a backward pass, the last one.

    Args:
        network: the network.

    Yields:
        Layer -> the gradient by its output, shape (batch, features); filled by backward passes.
    """
    errors: dict[str, Tensor] = {}

    def keep(name: str) -> Any:
        def hook(_: nn.Module, outgoing: tuple[Tensor, ...]) -> None:
            errors[name] = outgoing[0].detach().flatten(1)

        return hook

    handles = [
        layer.register_full_backward_pre_hook(keep(name))
        for name, layer in network.named_modules()
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear)
    ]
    try:
        yield errors
    finally:
        for handle in handles:
            handle.remove()


def negative_gradients(network: nn.Module) -> dict[str, Tensor]:
    """Give minus the gradient of every parameter that has one, by name."""
    return {
        name: -parameter.grad.detach().clone()
        for name, parameter in network.named_parameters()
        if parameter.grad is not None
    }
