"""Predictive coding: a hierarchy of states that learns to predict itself."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rulealign.errors import DataError
from rulealign.lazy import torch
from rulealign.learning.readout import ReadoutRule, ReadoutSettings
from rulealign.learning.rule import Course, Probe
from rulealign.learning.rule_settings import for_each_block
from rulealign.provenance import derive_seed
from rulealign.schema import PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor, nn

    from rulealign.learning.generative import Block, Settled
    from rulealign.learning.network import Network

ROUNDING = 1e-5
"""Share of F that it may seem to rise by, in float32, when it does not."""


class PredictiveCodingSettings(ReadoutSettings):
    """The settings of `pc`."""

    per_block = ("precision",)

    kind: Literal["pc"] = Field(description="states, predictions and local Hebbian learning")
    inference_steps: whole(1, 10_000) = Field(
        default=4, description="steps of the states after the forward pass"
    )
    inference_rate: PositiveFloat = Field(
        default=1.0,
        description="size of these steps, 1 = the inverse of the energy's curvature (bounded from"
        " above, level by level, at every batch); from 2 on the energy may rise, which stops"
        " training",
    )
    precision: for_each_block(PositiveFloat) = Field(
        default=[1.0, 0.1, 0.01],
        description="inverse variance of the prediction errors of the image and of every conv block"
        " but the last",
    )
    prior: PositiveFloat = Field(
        default=1.0,
        description="inverse variance of the states around their feed-forward values; large: states"
        " hardly move",
    )
    conv_learning_rate: PositiveFloat = Field(
        default=0.0001,
        description="Adam's step size for the conv weights at epoch 0; keep it well below that"
        " of the predictions (at 3e-4 against 1e-3 the channels of a third block became alike)",
    )
    prediction_learning_rate: PositiveFloat = Field(
        default=0.01, description="Adam's step size for the prediction weights at epoch 0"
    )


class PredictiveCoding(ReadoutRule):
    """Settle states that predict each other, then learn from the prediction errors that are left.

    Levels: r_0 the image, r_1 ... r_L the states of the conv blocks after pooling. The forward
    pass gives a_1 ... a_L, where inference starts (amortised, as in hybrid predictive coding); it
    lowers F in `inference_steps` steps, all levels at once::

        e_{l-1} = r_{l-1} - (V_l^T * r_l + b_l)                              l = 1 ... L
        F = 1/2 sum_l precision_l |e_l|^2 + prior/2 sum_l |r_l - a_l|^2
        r_l <- r_l - rate/curvature_l (prior (r_l - a_l) - precision_{l-1} V_l * e_{l-1}
                                       + precision_l e_l)

    (`generative.py`: shapes and curvature). With the settled states r* fixed, all weights descend
    the same F, by products of what is at the synapse::

        dV_l ~ precision_{l-1} e_{l-1} r*_l^T        db_l ~ precision_{l-1} e_{l-1}
        dW_l ~ prior (r*_l - a_l) a_{l-1}^T

    where the post-synaptic error r* - a counts at open ReLUs, at the position that won its pooling
    window, times BatchNorm's scale; BatchNorm's statistics are held constant. W, V and b each have
    their own Adam: V is to run ahead of W, and errors shrink by orders of magnitude from the first
    block to the last and in training; Adam scales each synapse by its own history only. No label
    and no error of the readout, which is supervised, reaches the conv stack. V is drawn from
    U(-s, s), s = 1/sqrt(channels_l); b starts at 0.

    When prior is large, r* - a tends to -dE/da / prior with E the precision-weighted prediction
    errors, so dW tends to the gradient of E through one layer, which backpropagation would take
    (the fixed-prediction limit of Whittington & Bogacz 2017).

    Sources: Rao & Ballard 1999, Nature Neuroscience 2:79 (equations 4 to 9); Whittington & Bogacz
    2017, Neural Computation 29:1229; Tschantz et al. 2023, PLOS Computational Biology 19:e1011280.
    Not for supervised credit assignment: these features predict images, not labels.
    """

    Settings = PredictiveCodingSettings

    @classmethod
    def image_side_multiple(cls, network: Network) -> int:
        """Give what sides must be multiples of: it predicts every pixel below a pooled map."""
        return network.side_multiple()

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        from rulealign.learning.generative import Hierarchy

        super().__init__(network, settings, course)
        self.convs = [conv for _, conv, _ in network.blocks()]
        weights, biases = self._drawn_predictions()
        self.hierarchy = Hierarchy(weights, biases, settings.precision, settings.prior)
        self.learners = {
            "conv": (torch.optim.Adam([conv.weight for conv in self.convs]), "conv_learning_rate"),
            "prediction": (torch.optim.Adam([*weights, *biases]), "prediction_learning_rate"),
        }
        self._set_rates(0)

    def _drawn_predictions(self) -> tuple[list[Tensor], list[Tensor]]:
        course = self.course
        seed = derive_seed(course.study_seed, course.label, course.seed, "prediction weights")
        generator = torch.Generator().manual_seed(seed)
        weights, biases = [], []
        for conv in self.convs:
            above, below = conv.weight.shape[:2]
            # on the CPU, so that the draw is the same for every device
            drawn = (2 * torch.rand(above, below, 2, 2, generator=generator) - 1) / above**0.5
            drawn = drawn.to(device=conv.weight.device, dtype=conv.weight.dtype)
            weights.append(drawn.contiguous(memory_format=torch.channels_last))
            biases.append(drawn.new_zeros(below))
        return weights, biases

    def start_epoch(self, epoch: int) -> None:
        """Set the rates of an epoch.

        Args:
            epoch: 0 for the first one.
        """
        super().start_epoch(epoch)
        self._set_rates(epoch)

    def _set_rates(self, epoch: int) -> None:
        for learner, rate in self.learners.values():
            for group in learner.param_groups:
                group["lr"] = getattr(self.settings, rate) * self.learning_rate_share(epoch)

    def infer(self, images: Tensor) -> tuple[list[Block], Settled]:
        """Run the forward pass and let the states settle; no weight changes.

        Args:
            images: float32, shape (batch, 3, size, size), size a multiple of 2 to the number
                of blocks.

        Returns:
            The conv blocks as computed; the settled states.

        Raises:
            DataError: size is not such a multiple.
            GuardError: the energy rises, or is not finite.
        """
        from rulealign.learning.generative import run_block

        multiple = 2 ** len(self.convs)
        if any(side % multiple for side in images.shape[-2:]):
            raise DataError(
                f"rule '{self.course.label}': images are {images.shape[-2]} x {images.shape[-1]}"
                " px, but pc predicts every pixel of a pooled map, so sides must be multiples of"
                f" {multiple}; change training_set.image_size."
            )
        blocks: list[Block] = []
        values = images
        for _, conv, norm in self.network.blocks():
            blocks.append(run_block(conv, norm, values))
            values = blocks[-1].output.detach()
        forward = [block.output.detach() for block in blocks]
        with torch.no_grad():
            settled = self.hierarchy.settle(
                images, forward, self.settings.inference_steps, self.settings.inference_rate
            )
        self._require_descent(forward, settled)
        return blocks, settled

    def _require_descent(self, forward: list[Tensor], settled: Settled) -> None:
        for step, (before, after) in enumerate(itertools.pairwise(settled.energies), start=1):
            if math.isfinite(after) and after <= before * (1 + ROUNDING):
                continue
            rate = self.settings.inference_rate
            self.diverged(
                self._place(forward, settled.states[1:]),
                f"the energy went from {before:.6g} to {after:.6g} in inference step {step}",
                f"lower inference_rate ({rate}) below 2, or the learning rates of conv and"
                " prediction weights",
            )

    def _place(self, forward: list[Tensor], states: list[Tensor]) -> str:
        names = [name for name, _, _ in self.network.blocks()]
        for name, value in zip(names, forward, strict=True):
            if not torch.isfinite(value).all():
                return f"layer '{name}', feed-forward value"
        moves = [
            ((state - value).norm() / value.norm()).nan_to_num(nan=torch.inf).item()
            for state, value in zip(states, forward, strict=True)
        ]
        return f"layer '{names[moves.index(max(moves))]}', whose state moved most"

    def local_changes(
        self, blocks: list[Block], settled: Settled
    ) -> tuple[list[Tensor], list[Tensor], list[Tensor]]:
        """Give the Hebbian changes, which are -dF/dweight with the states fixed.

        Args:
            blocks: the conv blocks of the forward pass.
            settled: the settled states.

        Returns:
            Of W_1 ... W_L, V_1 ... V_L and b_1 ... b_L, mean over images.
        """
        share = self.settings.prior / len(settled.states[0])
        convs = [
            block.change((state - block.output).detach() * share, conv.weight.shape)
            for block, state, conv in zip(blocks, settled.states[1:], self.convs, strict=True)
        ]
        return convs, *self.hierarchy.changes(settled)

    def learn_features(self, images: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Settle the states of a batch and let conv and prediction weights learn from them.

        Args:
            images: as in `infer`.

        Returns:
            The last feed-forward map, shape (batch, channels, height, width), without a graph;
            `energy_0` ... `energy_N`: F before and after each step, mean per image.

        Raises:
            DataError: size is not such a multiple.
            GuardError: the energy rises, or is not finite.
        """
        blocks, settled = self.infer(images)
        convs, weights, biases = self.local_changes(blocks, settled)
        for (learner, _), changes in zip(
            self.learners.values(), (convs, weights + biases), strict=True
        ):
            self._learn(learner, changes)
        energies = {f"energy_{step}": energy for step, energy in enumerate(settled.energies)}
        return blocks[-1].output.detach(), energies

    def _learn(self, learner: torch.optim.Optimizer, changes: list[Tensor]) -> None:
        weights = learner.param_groups[0]["params"]
        for weight, change in zip(weights, changes, strict=True):
            weight.grad = -change
        learner.step()
        learner.zero_grad()

    def probe(self, images: Tensor, labels: Tensor) -> Probe:
        """Give the Hebbian changes of the conv weights, and the readout's negative gradient.

        Args:
            images: as in `step`.
            labels: as in `step`.

        Returns:
            The proposed change of every parameter; r* - a of every conv layer, shape
            (batch, units of the pooled map).
        """
        blocks, settled = self.infer(images)
        convs, _, _ = self.local_changes(blocks, settled)
        self.readout_gradient(blocks[-1].output, labels)
        update = {name: torch.zeros_like(value) for name, value in self.network.named_parameters()}
        update |= self.readout_update()
        errors = {}
        for (name, _, _), block, state, change in zip(
            self.network.blocks(), blocks, settled.states[1:], convs, strict=True
        ):
            update[f"{name}.weight"] = change
            errors[name] = (state - block.output).detach().flatten(1)
        return Probe(update, errors)

    def state_dict(self) -> dict[str, Any]:
        """Return prediction weights and biases and the state of the three optimisers."""
        return super().state_dict() | {
            "prediction_weights": self.hierarchy.weights,
            "prediction_biases": self.hierarchy.biases,
            "learners": {
                name: learner.state_dict() for name, (learner, _) in self.learners.items()
            },
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up what `state_dict` returned.

        Args:
            state: as returned by `state_dict`.
        """
        super().load_state_dict(state)
        for kind in ("weights", "biases"):
            ours, loaded = getattr(self.hierarchy, kind), state[f"prediction_{kind}"]
            for value, new in zip(ours, loaded, strict=True):
                value.copy_(new)
        for name, (learner, _) in self.learners.items():
            learner.load_state_dict(state["learners"][name])
