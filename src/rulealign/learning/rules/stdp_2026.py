"""Spike-timing-dependent plasticity as it was published in 2026, defects included."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.readout import PublishedReadoutSettings, ReadoutRule
from rulealign.learning.rule import Probe
from rulealign.learning.rule_settings import RuleSettings
from rulealign.schema import PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor, nn


class PublishedSTDPSettings(PublishedReadoutSettings):
    """The settings of `stdp_2026`."""

    kind: Literal["stdp_2026"] = Field(
        description="spike timing as published in 2026, with its defects (BatchNorm is trained with"
        " the readout); to learn by spike timing, use stdp"
    )
    init: Literal["default", "kaiming-normal"] = Field(
        default="kaiming-normal", description=RuleSettings.model_fields["init"].description
    )
    time_steps: whole(1, 10_000) = Field(default=10, description="length of the spike trains")
    a_plus: PositiveFloat = Field(default=0.003, description="size of the first term of the kernel")
    a_minus: PositiveFloat = Field(
        default=0.003, description="size of the second term of the kernel"
    )
    tau_plus: PositiveFloat = Field(
        default=20, description="time constant of the first term, time steps"
    )
    tau_minus: PositiveFloat = Field(
        default=20, description="time constant of the second term, time steps"
    )
    clamp: PositiveFloat = Field(
        default=0.002,
        description="largest size of the kernel's mean over a batch; larger ones are cut to it",
    )
    learning_rate: PositiveFloat = Field(
        default=0.0005, description="this times the clamped mean is added to the conv weights"
    )


class PublishedSTDP(ReadoutRule):
    """Change conv weights by channel-level spike times, as code published in 2026 did.

    For every conv layer, with x (batch, in, height, width) its input and y (batch, out, height,
    width) its output, before BatchNorm, in the forward pass of a batch::

        rate = sigmoid(mean over positions)                  shape (batch, in) and (batch, out)
        t_pre, t_post = time step of the first spike         of one train per image and channel
        K(dt) = A+ exp(-max(dt, 0) / tau+) - A- exp(min(dt, 0) / tau-),   dt = t_post - t_pre
        dW[o, i, :, :] = learning_rate clamp(mean over batch of K(dt[o, i]), -clamp, clamp)

    A train spikes in each of the `time_steps` steps with the probability `rate`. BatchNorm's scale
    and shift, and the readout, descend the gradient of the cross-entropy by Adam
    (`readout_learning_rate`), which comes from the weights before dW.

    Source: STDP as published in 2026 (arXiv 2605.30556, 2604.16875); there A+ = A- = .003,
    tau+ = tau- = 20, 10 time steps, clamp .002, learning rate 5e-4, Adam 1e-3, conv weights drawn
    with `init: kaiming-normal`. Their defects, kept here:

    - the sign of K is reversed: a postsynaptic spike after the presynaptic one (dt > 0) weakens
      the synapse, where Bi & Poo 1998 found that it strengthens it;
    - |K| grows with |dt|, from 0 at dt = 0, where it should decay: coincident spikes do nothing;
    - spikes are those of whole channels, and dW is broadcast over the kernel: no synapse sees the
      patch of the image before it, so nothing spatial can be learned;
    - a channel's rate hardly differs between images (standard deviation .07 to .13 at the start, on
      CIFAR-10), and one train per image is drawn: most of a spike time is chance;
    - |K| stays below A (1 - exp(-time_steps / tau)) = .0012, so the clamp never acts, and a weight
      changes by 6e-7 a batch at most: |dW| / |W0| is 1e-5 (first block) to 1e-4 (third) an epoch of
      62 batches, so the conv weights hardly learn;
    - BatchNorm's scale and shift are trained by backpropagation through the conv stack: what the
      network learns before the readout it learns by the rule that it is compared with.

    Open in the source's description, chosen here as the simplest reading: one Bernoulli draw per
    step stands for a Poisson train; a train without a spike has its first one at `time_steps`; the
    output of a conv layer is read before BatchNorm. Not for a claim about spike timing.
    """

    Settings = PublishedSTDPSettings
    control: ClassVar[str] = "untrained_bn"  # `readout` has weight decay, and a schedule

    def supervised_parameters(self) -> list[nn.Parameter]:
        """List what the optimiser changes: the readout and BatchNorm's scale and shift."""
        norms = [value for _, _, norm in self.network.blocks() for value in norm.parameters()]
        return [*norms, *super().supervised_parameters()]

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change conv weights by spike times, and everything else by the gradient.

        Args:
            images: float32, shape (batch, 3, size, size); augmented and normalised.
            labels: int64, shape (batch,).

        Returns:
            `loss` (cross-entropy, nats, before the step), `learning_rate` (of Adam).

        Raises:
            GuardError: the loss is not finite.
        """
        loss, changes = self.propose(images, labels)
        self.optimizer.step()
        with torch.no_grad():
            for name, change in changes.items():
                self.network.get_submodule(name).weight.add_(change[:, :, None, None])
        return {"loss": loss, "learning_rate": self.optimizer.param_groups[0]["lr"]}

    def propose(self, images: Tensor, labels: Tensor) -> tuple[float, dict[str, Tensor]]:
        """Give BatchNorm and readout their gradients, and say how conv weights are to change.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The loss, nats; conv layer -> change of all weights of a kernel, shape (out, in).
        """
        with self._watched() as means:
            loss = functional.cross_entropy(self.network(images), labels)
        value = self.finite(loss)
        # gradients of these alone: conv weights get none, yet pass the error on to what is below
        gradients = torch.autograd.grad(loss, self.supervised)
        for parameter, gradient in zip(self.supervised, gradients, strict=True):
            parameter.grad = gradient
        rate = self.settings.learning_rate * self.learning_rate_share(self.epoch)
        return value, {
            name: rate * spike_change(torch.sigmoid(pre), torch.sigmoid(post), self.settings)
            for name, (pre, post) in means.items()
        }

    @contextmanager
    def _watched(self) -> Iterator[dict[str, tuple[Tensor, Tensor]]]:
        # channel means of input and output of every conv layer, of what is computed inside `with`
        means: dict[str, tuple[Tensor, Tensor]] = {}

        def keep(name: str) -> Any:
            def hook(_: nn.Module, inputs: tuple[Tensor], output: Tensor) -> None:
                means[name] = tuple(maps.detach().mean(dim=(2, 3)) for maps in (*inputs, output))

            return hook

        blocks = self.network.blocks()
        handles = [conv.register_forward_hook(keep(name)) for name, conv, _ in blocks]
        try:
            yield means
        finally:
            for handle in handles:
                handle.remove()

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Give the change of the conv weights, and the negative gradient of everything else.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The proposed change of every parameter; no errors.
        """
        _, changes = self.propose(images, labels)
        supervised = {id(parameter) for parameter in self.supervised}
        update = {
            name: -parameter.grad
            for name, parameter in self.network.named_parameters()
            if id(parameter) in supervised
        }
        for name, change in changes.items():
            shape = self.network.get_submodule(name).weight.shape
            update[f"{name}.weight"] = change[:, :, None, None].expand(shape)
        return Probe(update, {})


def published_kernel(interval: Tensor, settings: PublishedSTDPSettings) -> Tensor:
    """Turn spike intervals into weight changes, with the published, reversed sign.

    Args:
        interval: t_post - t_pre, time steps, any shape.
        settings: a_plus, a_minus, tau_plus, tau_minus.

    Returns:
        A+ exp(-max(dt, 0) / tau+) - A- exp(min(dt, 0) / tau-); with A+ = A-: 0 at dt = 0,
        negative for dt > 0, positive for dt < 0. Not the kernel of Bi & Poo 1998.
    """
    plus = settings.a_plus * torch.exp(-interval.clamp(min=0) / settings.tau_plus)
    return plus - settings.a_minus * torch.exp(interval.clamp(max=0) / settings.tau_minus)


def first_spikes(rates: Tensor, time_steps: int) -> Tensor:
    """Draw spike trains from torch's global CPU generator, and find their first spikes.

    Args:
        rates: probability of a spike in a time step, any shape.
        time_steps: length of the trains.

    Returns:
        Time step of the first spike, counted from 0, int64, of the shape of `rates`;
        `time_steps` for a train without one.
    """
    spikes = torch.rand(time_steps, *rates.shape).to(rates.device) < rates
    silent = torch.ones_like(spikes[:1])
    return torch.cat([spikes, silent]).int().argmax(dim=0)


def spike_change(pre: Tensor, post: Tensor, settings: PublishedSTDPSettings) -> Tensor:
    """Draw spikes and average the kernel over a batch, before learning_rate.

    Args:
        pre: rates of the input's channels, shape (batch, in).
        post: rates of the output's channels, shape (batch, out).
        settings: time_steps, clamp, and those of the kernel.

    Returns:
        Clamped mean over the batch, shape (out, in).
    """
    pre_times = first_spikes(pre, settings.time_steps)
    post_times = first_spikes(post, settings.time_steps)
    return mean_kernel(pre_times, post_times, settings).clamp(-settings.clamp, settings.clamp)


def mean_kernel(pre_times: Tensor, post_times: Tensor, settings: PublishedSTDPSettings) -> Tensor:
    """Average the kernel over a batch, for every pair of channels.

    Args:
        pre_times: first spikes of the input's channels, int64, shape (batch, in).
        post_times: first spikes of the output's channels, int64, shape (batch, out).
        settings: those of the kernel.

    Returns:
        Shape (out, in).
    """
    intervals = post_times[:, :, None] - pre_times[:, None, :]
    return published_kernel(intervals.float(), settings).mean(dim=0)
