"""Difference target propagation: learned inverses carry targets down."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.error_hierarchy import error_hierarchy
from rulealign.learning.gradient import GradientRule, GradientSettings
from rulealign.learning.rule import Course
from rulealign.provenance import derive_seed
from rulealign.schema import NonNegativeFloat, PositiveFloat

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.error_hierarchy import ErrorHierarchy
    from rulealign.learning.network import Network


class TargetPropagationSettings(GradientSettings):
    """The settings of `target_propagation`."""

    kind: Literal["target_propagation"] = Field(
        description="learned inverses of the layers carry targets down"
    )
    target_step: PositiveFloat = Field(
        default=1, description="share of an image's gradient that the topmost target lies away"
    )
    inverse_learning_rate: PositiveFloat = Field(
        default=0.001, description="Adam's step size for the inverses at epoch 0"
    )
    noise: NonNegativeFloat = Field(
        default=0.1,
        description="standard deviation of what is added to the states that inverses learn from,"
        " as a share of their root mean square",
    )


class TargetPropagation(GradientRule):
    """Carry targets down by learned inverses, and let every layer come nearer to its own.

    States x_1 ... x_L are the maps of the conv blocks and the hidden layer, x_l = f_l(x_{l-1});
    g_l, with weights of its own, maps x_l back to x_{l-1}: a transposed 4x4 convolution of stride
    2, or a linear layer, then ReLU. Per image, with s = target_step,

        t_L = x_L - s dLoss/dx_L        t_{l-1} = x_{l-1} + g_l(t_l) - g_l(x_l)
        dw_l ~ -d(|f_l(x_{l-1}) - t_l|^2 / 2s)/dw_l, with x_{l-1} and t_l held
        dv_l ~ -d(|g_l(f_l(x + noise)) - (x + noise)|^2)/dv_l, with x = x_{l-1}

    (v_l: weights of g_l, by Adam, after the w_l). The logits learn from the cross-entropy. If g_l
    were linear with the transposed Jacobian of f_l, dw_l would be bp's. Source: Lee, Zhang, Fischer
    & Bengio 2015 (ECML), equations 8 to 15; what inverses should become: Meulemans et al. 2020,
    Ernoult et al. 2022, who let them learn for longer. `inverse_<layer>` in the log: squared error
    of g_l, as a share of the variance of what it gives back. Not for asking what a circuit without
    a backward path of its own could learn.
    """

    Settings = TargetPropagationSettings

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot teach a network; "" where it can."""
        return network.no_chain()

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        from rulealign.learning.weights import seeded

        super().__init__(network, settings, course)
        with seeded(derive_seed(course.study_seed, course.label, course.seed, "inverses")):
            self.inverses = torch.nn.ModuleDict(self._inverses()).to(course.device)
        weights = self.inverses.parameters()
        self.inverter = torch.optim.Adam(weights, settings.inverse_learning_rate)

    def _inverses(self) -> dict[str, nn.Module]:
        convs = {name: conv for name, conv, _ in self.network.blocks()}
        made = {
            name: torch.nn.ConvTranspose2d(conv.out_channels, conv.in_channels, 4, 2, 1)
            for name, conv in list(convs.items())[1:]
        }
        *hidden, _ = self.network.linear().items()
        return made | {
            name: torch.nn.Linear(layer.out_features, layer.in_features) for name, layer in hidden
        }

    def inverse(self, name: str, above: Tensor, below: Tensor) -> Tensor:
        """Compute g_l.

        Args:
            name: of the layer l.
            above: x_l, or t_l.
            below: of the shape of x_{l-1}.

        Returns:
            Of the shape of `below`.
        """
        module = self.inverses[name]
        if above.dim() == 4:
            return functional.relu(module(above, output_size=below.shape[-2:]))
        side = self.network.map_side
        given = functional.relu(module(above)).unflatten(1, (below.shape[1], side, side))
        return functional.interpolate(given, below.shape[-2:])

    def fill_gradients(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Give every parameter the gradient of its layer's distance to the target.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            `loss` (cross-entropy, nats).

        Raises:
            GuardError: the loss is not finite.
        """
        self.optimizer.zero_grad()
        step, count = self.settings.target_step, len(images)
        self.swept = hierarchy = error_hierarchy(self.network, images, labels, step)
        loss = self.finite(hierarchy.output.detach() / (step * count))
        hierarchy.errors = self.ways_to_targets(hierarchy)
        hierarchy.fill_gradients(list(self.network.parameters()), step * count)
        return {"loss": loss}

    def ways_to_targets(self, hierarchy: ErrorHierarchy) -> list[Tensor]:
        """Give t_1 - x_1 to t_L - x_L.

        Args:
            hierarchy: at the feed-forward sweep; its output is the loss, summed, times s.

        Returns:
            Of the shapes of the states.
        """
        (slope,) = torch.autograd.grad(hierarchy.output, hierarchy.states[-1], retain_graph=True)
        ways = [-slope]
        downwards = list(pairwise(hierarchy.states[1:]))[::-1]
        with torch.no_grad():
            for name, (below, above) in zip(reversed(list(self.inverses)), downwards, strict=True):
                moved = self.inverse(name, above + ways[0], below)
                ways.insert(0, moved - self.inverse(name, above, below))
        return ways

    def step(self, images: Tensor, labels: Tensor) -> dict[str, float]:
        """Change the weights once, then those of the inverses.

        Args:
            images: as in `GradientRule.step`.
            labels: as in `GradientRule.step`.

        Returns:
            As `GradientRule.step`, and `inverse_<layer>`.
        """
        logged = super().step(images, labels)
        return logged | self.learn_inverses()

    def learn_inverses(self) -> dict[str, float]:
        """Let inverses take one step, on the states of the last batch."""
        from rulealign.learning.norms import statistics_kept

        self.inverter.zero_grad()
        shares = {}
        lower = zip(self.swept.blocks[1:], self.swept.states[1:], strict=False)
        for name, (block, state) in zip(self.inverses, lower, strict=True):
            with torch.no_grad(), statistics_kept(self.network):
                below = state.detach()
                # on the CPU, so that the draw is the same for every device
                drawn = torch.randn(below.shape).to(below)
                below = below + self.settings.noise * below.square().mean().sqrt() * drawn
                above = block(below)
            missed = functional.mse_loss(self.inverse(name, above, below), below)
            missed.backward()
            shares[f"inverse_{name}"] = (missed / below.var()).item()
        self.inverter.step()
        return shares

    def start_epoch(self, epoch: int) -> None:
        """Set the rates of an epoch, 0 for the first one."""
        super().start_epoch(epoch)
        for group in self.inverter.param_groups:
            share = self.learning_rate_share(epoch)
            group["lr"] = self.settings.inverse_learning_rate * share

    def state_dict(self) -> dict[str, Any]:
        """Return inverses and the state of both optimisers."""
        own = {"inverses": self.inverses.state_dict(), "inverter": self.inverter.state_dict()}
        return super().state_dict() | own

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned."""
        super().load_state_dict(state)
        self.inverses.load_state_dict(state["inverses"])
        self.inverter.load_state_dict(state["inverter"])
