"""Spike-timing-dependent plasticity."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from rulealign import guards
from rulealign.lazy import torch
from rulealign.learning.optimised import schedule_share
from rulealign.learning.readout import ReadoutRule, ReadoutSettings
from rulealign.learning.rule import Course
from rulealign.learning.rule_settings import for_each_block
from rulealign.schema import NonNegativeFloat, PositiveFloat, PositiveInt, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.network import Network


class StdpSettings(ReadoutSettings):
    """The settings of `stdp`; lists hold one value for each conv block."""

    per_block = ("learning_rate", "patches_per_image", "centring", "decorrelation")

    kind: Literal["stdp"] = Field(description="spike times change conv weights")
    time_steps: whole(3, 10_000) = Field(default=10, description="steps that a patch is shown for")
    a_plus: PositiveFloat = Field(
        default=0.003,
        description="largest potentiation of a spike pair, in standard deviations of the layer's"
        " initial weights",
    )
    a_minus: PositiveFloat = Field(default=0.003, description="largest depression, as a_plus")
    tau_plus: PositiveFloat = Field(
        default=20, description="decay of potentiation with |dt|, steps"
    )
    tau_minus: PositiveFloat = Field(default=20, description="decay of depression with |dt|, steps")
    learning_rate: for_each_block(NonNegativeFloat) = Field(
        default=[1, 4, 4],
        description="factor of all weight changes in the first epoch that a layer learns in",
    )
    learning_epochs: PositiveInt = Field(
        default=3,
        description="epochs that a layer learns for; `schedule` takes its learning_rate to 0 over"
        " them, and afterwards the layer keeps its weights",
    )
    order: Literal["together", "one-after-another"] = Field(
        default="together",
        description="all layers learn from epoch 0 on, or each when the one below has finished",
    )
    patches_per_image: for_each_block(whole(1, 10_000)) = Field(
        default=[8, 4, 2],
        description="patches that a layer learns from, drawn at random from each image",
    )
    centring: for_each_block(Literal["patch", "input"]) = Field(
        default=["patch", "input", "input"],
        description="what is subtracted from an input: its patch's mean, or its own running mean",
    )
    decorrelation: for_each_block(NonNegativeFloat) = Field(
        default=[0, 0.1, 0.1],
        description="regularisation of the lateral inhibition between inputs; 0 switches it off",
    )
    contrast_floor: PositiveFloat = Field(
        default=0.1, description="added to a patch's standard deviation before dividing by it"
    )
    spikes_per_contrast: PositiveFloat = Field(
        default=1.0, description="firing rate of an input of contrast 1, spikes per step"
    )
    largest_rate: PositiveFloat = Field(
        default=2.0, description="limit of the firing rate, spikes per step"
    )
    initial_threshold: PositiveFloat = Field(
        default=3.0, description="summed weights at which a unit fires, for a filter of norm 1"
    )
    winning_share: Annotated[float, Field(gt=0, le=1)] = Field(
        default=0.7, description="share of patches that homeostasis lets some unit win, 0-1"
    )
    homeostasis_rate: PositiveFloat = Field(default=0.02, description="step size of the thresholds")
    weight_bound: PositiveFloat = Field(
        default=4.0,
        description="largest size of a weight, in standard deviations of the initial ones",
    )


def stdp_kernel(
    dt: Tensor, a_plus: float, a_minus: float, tau_plus: float, tau_minus: float
) -> Tensor:
    """Give the change of a synapse that one pair of spikes causes.

    a_plus exp(-dt / tau_plus) for dt > 0 (the input spiked first, and may have caused the spike),
    -a_minus exp(dt / tau_minus) for dt < 0. For dt = 0, which shows no order, nothing changes; nor
    where a spike is missing: its time is infinite, hence dt is plus or minus infinity, or NaN if
    both are. Source: Bi & Poo 1998, J. Neurosci. 18:10464, figure 7; Song, Miller & Abbott 2000,
    Nature Neuroscience 3:919, equation 1.

    Args:
        dt: t_post - t_pre, steps; float, any shape.
        a_plus: largest potentiation.
        a_minus: largest depression, given as a positive number.
        tau_plus: steps in which potentiation falls to 1/e.
        tau_minus: steps in which depression falls to 1/e.

    Returns:
        Change, of the shape of `dt`, in the unit of `a_plus`.
    """
    size = dt.abs()
    depression = torch.where(dt < 0, -a_minus * torch.exp(-size / tau_minus), 0.0)
    return torch.where(dt > 0, a_plus * torch.exp(-size / tau_plus), depression)


class Stdp(ReadoutRule):
    """Let the conv blocks learn from the order of spikes; readout as in `ReadoutRule`.

    For each synapse and image patch: dW = a_plus exp(-dt / tau_plus) for dt = t_post - t_pre > 0,
    -a_minus exp(dt / tau_minus) for dt < 0 (`stdp_kernel`). Times are those of first spikes.

    - Presynaptic: an input's contrast (value minus mean, over the patch's standard deviation) is
      carried by an ON or an OFF cell, whose Poisson rate is its size, so that strong inputs spike
      early (Masquelier & Thorpe 2007, PLoS Comput. Biol. 3:e31). A signed weight is an ON minus an
      OFF synapse.
    - Postsynaptic: units add up what has arrived and fire at a threshold; the first one silences
      the others and alone learns (Kheradpisheh et al. 2018, Neural Networks 99:56). Thresholds
      adapt so that all win equally often (Querlioz et al. 2013, IEEE Trans. Nanotechnol. 12:288;
      Diehl & Cook 2015, Front. Comput. Neurosci. 9:99). The norm of each filter is kept, as
      is a bound of each weight.
    - BatchNorm's statistics follow the batches, without a gradient; its affine part stays 1 and 0.

    The rule sees no label. When not to use it: for accuracy; `bp` is far better.
    """

    Settings = StdpSettings

    @classmethod
    def smallest_image_side(cls, network: Network) -> int:
        """Give the pixels per side of the smallest images of which every block sees patches."""
        return network.smallest_side_with_patches()

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        from rulealign.learning import spikes

        super().__init__(network, settings, course)
        names = ("a_plus", "a_minus", "tau_plus", "tau_minus")
        kernel = partial(stdp_kernel, **{name: getattr(settings, name) for name in names})
        guards.stdp_kernel_sign(kernel, settings.time_steps, f"rule '{course.label}'")
        self.spiking = {
            name: spikes.SpikingLayer(conv, place, settings, kernel)
            for place, (name, conv, _) in enumerate(network.blocks())
        }

    def learn_features(self, images: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Let each layer learn from what reaches it, then pass its new output on.

        Args:
            images: float32, shape (batch, 3, size, size).

        Returns:
            The last map, without a graph; what `SpikingLayer.learn` reports of each layer.

        Raises:
            GuardError: weights are not finite.
        """
        logged: dict[str, float] = {}
        handles = [
            layer.conv.register_forward_pre_hook(self._teacher(name, logged))
            for name, layer in self.spiking.items()
        ]
        try:
            features, _ = super().learn_features(images)
        finally:
            for handle in handles:
                handle.remove()
        return features, logged

    def _teacher(self, name: str, logged: dict[str, float]) -> Callable[[nn.Module, Any], None]:
        layer = self.spiking[name]

        def teach(conv: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            reported = layer.learn(inputs[0], self._share(name))
            logged.update({f"{name}_{what}": value for what, value in reported.items()})
            if not conv.weight.isfinite().all():
                self.diverged(f"layer '{name}'", "a weight is not finite", "lower learning_rate")

        return teach

    def _share(self, name: str) -> float:
        settings = self.settings
        turn = list(self.spiking).index(name) if settings.order == "one-after-another" else 0
        epoch = self.epoch - turn * settings.learning_epochs
        if not 0 <= epoch < settings.learning_epochs:
            return 0.0
        return schedule_share(settings.schedule, epoch, settings.learning_epochs)

    def state_dict(self) -> dict[str, Any]:
        """Return the readout's optimiser and what the spiking layers carry."""
        layers = {name: layer.state_dict() for name, layer in self.spiking.items()}
        return super().state_dict() | {"spiking": layers}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned.

        Args:
            state: as returned by `state_dict`.
        """
        super().load_state_dict(state)
        for name, layer in self.spiking.items():
            for what, value in layer.state_dict().items():
                value.copy_(state["spiking"][name][what])
