"""Predictive coding as it was published in 2026, defects included, to reproduce its curves."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from rulealign.lazy import functional, torch
from rulealign.learning.readout import PublishedReadoutSettings, ReadoutRule
from rulealign.learning.rule import Course
from rulealign.provenance import derive_seed
from rulealign.schema import PositiveFloat, whole

if TYPE_CHECKING:
    from torch import Tensor, nn


class PublishedPredictiveCodingSettings(PublishedReadoutSettings):
    """The settings of `pc_2026`."""

    kind: Literal["pc_2026"] = Field(
        description="predictive coding as published in 2026, with its defects; to learn by"
        " predictive coding, use pc"
    )
    inference_steps: whole(1, 10_000) = Field(
        default=10, description="steps of the states after the forward pass"
    )
    inference_rate: PositiveFloat = Field(
        default=0.02, le=1, description="share of its prediction error that a state loses in a step"
    )
    weight_rate: PositiveFloat = Field(
        default=0.0001,
        description="this times the clamped outer product is added to the weights of every conv"
        " block but the last",
    )
    clamp: PositiveFloat = Field(
        default=0.01,
        description="largest size of an entry of the outer product; larger ones are cut to it",
    )


class Settled(NamedTuple):
    """States after inference, and what is left of their prediction errors.

    Attributes:
        states: block -> r_l, float32, shape (batch, channels, height, width).
        errors: block -> e_l of these states, of the shape of r_l; the last block has none.
    """

    states: dict[str, Tensor]
    errors: dict[str, Tensor]


class PublishedPredictiveCoding(ReadoutRule):
    """Move states and conv layers by prediction errors, as code published in 2026 did.

    With r_l the map of conv block l after pooling, shape (batch, channels_l, height_l, width_l),
    as the forward pass gives it, and x_l the input of conv l in that pass::

        p_l = upsample(tanh(B_l^T * r_{l+1})),   e_l = r_l - p_l         for l = 1 ... L-1
        r_l <- r_l - inference_rate e_l                                  inference_steps times
        W_l <- W_l + weight_rate clamp(<e_l> <x_l>^T, -clamp, clamp)     for l = 1 ... L-1

    B_l^T * is a transposed 3x3 convolution (stride 1, padding 1, no bias) from the channels of
    r_{l+1} to those of r_l; upsample repeats the nearest value up to the size of r_l; < > is the
    mean over batch and positions, so <e_l> <x_l>^T has shape (channels_l, inputs_l) and changes
    all nine weights of a kernel alike. B_l has shape (channels_{l+1}, channels_l, 3, 3), is drawn
    once per label and seed from PyTorch's default distribution, and never changes. All states move
    at once. The readout learns by Adam from r_L; what is read are the states after inference.

    Source: predictive coding as published in 2026 (arXiv 2605.30556, 2604.16875), settings .02
    (10 steps), 1e-4, clamp .01, Adam 1e-3, PyTorch's initial weights. Their defects, kept here:

    - the prediction weights are random and never trained, so predictions stay noise;
    - errors and inputs are averaged over batch and positions before they are multiplied, and the
      product is broadcast over the kernel: no spatial structure can be learned;
    - the clamp cuts every entry at the start of training (measured on CIFAR-10), so that only the
      signs of the means are left; in a second block, all positive, every weight grows by 1e-6 a
      batch;
    - the weights move along e_l x_l^T and not against it: no energy is descended;
    - the last block never changes: nothing above it predicts its state;
    - |dW| / |W0| is .0005 and .0018 (first two blocks of three) an epoch of 62 batches, and
      accuracy is that of a readout of nearly random features;
    - BatchNorm's scale and shift are not trained.

    Open in the source's description, chosen here as the simplest reading: a state moves by its own
    error only, not also by the error of what it predicts (so r_L stays that of the forward pass);
    the weights use the errors of the settled states but the inputs of the forward pass; they move
    with the sign of the product; B_l has no bias. Not for a claim about predictive coding.
    """

    Settings = PublishedPredictiveCodingSettings
    control: ClassVar[str] = "untrained_bn"  # `readout` has weight decay, and a schedule

    def __init__(self, network: nn.Module, settings: Any, course: Course) -> None:
        super().__init__(network, settings, course)
        drawn_by = derive_seed(course.study_seed, course.label, course.seed, "prediction")
        self.prediction = random_predictions(network, drawn_by)

    def learn_features(self, images: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Infer the states of one batch, then change every conv layer but the last.

        Args:
            images: float32, shape (batch, 3, size, size).

        Returns:
            The state of the last block; `prediction_error`, the mean square of all errors left.
        """
        with torch.no_grad():
            passed = self.network.maps(images)
            settled = self.settle(passed)
            inputs = [images, *passed.values()]
            for (name, error), seen in zip(settled.errors.items(), inputs, strict=False):
                weight = self.network.get_submodule(name).weight
                change = outer_product(error, seen, self.settings.clamp)
                weight.add_(change[:, :, None, None], alpha=self._weight_rate())
            errors = torch.cat([error.flatten() for error in settled.errors.values()])
            left = errors.square().mean().item()
            return self.network.last(settled.states), {"prediction_error": left}

    def _weight_rate(self) -> float:
        return self.settings.weight_rate * self.learning_rate_share(self.epoch)

    def settle(self, passed: dict[str, Tensor]) -> Settled:
        """Let states lose part of their prediction errors, step by step.

        Args:
            passed: block -> map of the forward pass; not changed.

        Returns:
            The states after `inference_steps` steps, and their errors.
        """
        states = dict(passed)
        for _ in range(self.settings.inference_steps):
            errors = self.errors(states)
            for name, error in errors.items():
                states[name] = states[name].sub(error, alpha=self.settings.inference_rate)
        return Settled(states, self.errors(states))

    def errors(self, states: dict[str, Tensor]) -> dict[str, Tensor]:
        """Compute what of each state is not predicted.

        Args:
            states: block -> shape (batch, channels, height, width), in the order of computation.

        Returns:
            Block, all but the last -> state minus prediction.
        """
        return {
            name: state - predict(above, self.prediction[name], state.shape)
            for (name, state), (_, above) in pairwise(states.items())
        }

    def layers(self, images: Tensor) -> dict[str, Tensor]:
        """Read the states after inference.

        Args:
            images: float32, shape (n, 3, size, size), normalised; the network is evaluated.

        Returns:
            Of every conv block its state; the hidden layer is computed from that of the last.
        """
        states = self.settle(self.network.maps(images)).states
        return states | self.network.hidden(self.network.last(states))

    def classify(self, images: Tensor) -> Tensor:
        """Classify images by the states after inference.

        Args:
            images: as in `layers`.

        Returns:
            Logits, float32, shape (n, classes).
        """
        states = self.settle(self.network.maps(images)).states
        return self.network.decide(self.network.read_out(self.network.last(states)))

    def state_dict(self) -> dict[str, Any]:
        """Return the optimiser's state and the prediction weights."""
        return super().state_dict() | {"prediction": self.prediction}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take up the optimiser's state and the prediction weights.

        Args:
            state: as returned by `state_dict`.
        """
        super().load_state_dict(state)
        for name, weight in self.prediction.items():
            weight.copy_(state["prediction"][name])


def random_predictions(network: nn.Module, seed: int) -> dict[str, Tensor]:
    """Draw the weights that predict states, as PyTorch draws those of transposed convolutions.

    Args:
        network: the network; it is not changed, nor is the global random state.
        seed: as made by `provenance.derive_seed`.

    Returns:
        Predicted block, all but the last -> weights, float32, (channels above, channels, 3, 3).
    """
    from rulealign.learning.weights import seeded

    weights = {}
    with seeded(seed):
        for (name, below, _), (_, above, _) in pairwise(network.blocks()):
            drawn = torch.nn.ConvTranspose2d(above.out_channels, below.out_channels, 3)
            weights[name] = drawn.weight.detach().to(below.weight.device)
    return weights


def predict(state: Tensor, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
    """Predict the state of a layer from that of the layer above.

    Args:
        state: of the layer above, shape (batch, channels above, height, width).
        weight: shape (channels above, channels, 3, 3).
        shape: of the predicted state, (batch, channels, rows, columns).

    Returns:
        upsample(tanh(weight^T * state)), of that shape, values between -1 and 1.
    """
    # upsampling last: the same values as before tanh, at a quarter of the cost
    coarse = torch.tanh(functional.conv_transpose2d(state, weight, padding=1))
    return functional.interpolate(coarse, size=shape[-2:], mode="nearest")


def outer_product(error: Tensor, inputs: Tensor, clamp: float) -> Tensor:
    """Multiply error and input of a conv layer, both averaged over batch and positions.

    Args:
        error: shape (batch, channels, height, width).
        inputs: shape (batch, inputs, rows, columns).
        clamp: largest size of an entry.

    Returns:
        Shape (channels, inputs), clamped.
    """
    means = error.mean(dim=(0, 2, 3)), inputs.mean(dim=(0, 2, 3))
    return torch.outer(*means).clamp(-clamp, clamp)
