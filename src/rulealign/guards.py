"""Checks that run in the pipeline: each stops a known way to a wrong number (docs/method.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rulealign.errors import GuardError
from rulealign.lazy import torch
from rulealign.provenance import state_hash

if TYPE_CHECKING:
    from torch import Tensor, nn


def norm_layers_in_eval(module: nn.Module, what: str) -> None:
    """Guard 1: refuse to read a network whose norm layers would use the batch's own statistics.

    Args:
        module: the network, about to be read.
        what: whose network it is (rule, seed, epoch), for the message.

    Raises:
        GuardError: names the first norm layer that is in training mode or keeps no statistics.
    """
    for name, layer in _norm_layers(module):
        if layer.training:
            raise GuardError(
                f"{what}: norm layer '{name}' is in training mode and would use the statistics of"
                " the batch it is shown; network.eval() must reach every layer before extraction."
            )
        if layer.running_mean is None:
            raise GuardError(
                f"{what}: norm layer '{name}' keeps no statistics and would use those of the batch"
                " it is shown; build it with track_running_stats=True."
            )


def norm_layers_in_train(module: nn.Module, what: str) -> None:
    """Guard 1: refuse to train a network whose norm layers are frozen.

    Args:
        module: the network, about to be trained.
        what: whose network it is (rule, seed, epoch), for the message.

    Raises:
        GuardError: names the first norm layer that is in evaluation mode.
    """
    for name, layer in _norm_layers(module):
        if not layer.training:
            raise GuardError(
                f"{what}: norm layer '{name}' is in evaluation mode before training; call"
                " network.train(), and see which measurement did not put the mode back."
            )


def _norm_layers(module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    base, of_images = torch.nn.modules.batchnorm._NormBase, torch.nn.modules.instancenorm
    for name, layer in module.named_modules():
        # InstanceNorm that keeps no statistics uses those of one image, in either mode
        alone = isinstance(layer, of_images._InstanceNorm) and layer.running_mean is None
        if isinstance(layer, base) and not alone:
            yield name, layer


def alone_equals_in_batch(
    forward: Callable[[Tensor], Mapping[str, Tensor]], images: Tensor, tolerance: float, what: str
) -> None:
    """Guard 1: refuse a network that sees an image differently when others are shown with it.

    Args:
        forward: images -> features, layer -> shape (n, ...).
        images: float32, shape (n, 3, size, size); the first is shown alone and with the others. A
            single image is shown with its own negative.
        tolerance: largest difference allowed, as a share of the layer's largest feature; sums of
            float32 differ by about 1e-6 between batch sizes.
        what: whose network it is (rule, seed, epoch), for the message.

    Raises:
        GuardError: names the layer and the difference.
    """
    batch = images if len(images) > 1 else torch.cat([images, -images])
    together, alone = forward(batch), forward(batch[:1])
    for layer, features in together.items():
        scale = float(features.abs().max())
        difference = float((features[:1] - alone[layer]).abs().max())
        # written so that NaN, which no comparison finds larger, is refused too
        if not difference <= tolerance * scale:
            raise GuardError(
                f"{what}: layer '{layer}' gives an image other features alone than in a batch"
                f" (largest difference {difference:.3g}, largest feature {scale:.3g}): it uses"
                " statistics of the batch. Put every layer in evaluation mode."
            )


@contextmanager
def unchanged_state(
    module: nn.Module, what: str, rule_state: Callable[[], Mapping[str, Any]] = dict
) -> Iterator[None]:
    """Guards 1, 14, 27: refuse a measurement that changes the network it measures, or its rule.

    Args:
        module: the network, measured inside the `with`.
        what: whose network it is, and the measurement, for the message.
        rule_state: the `state_dict` of the rule that the network is read by; without it only the
            network is watched.

    Raises:
        GuardError: names the first parameter, buffer or part of the rule's state that changed.
    """
    watched = {
        "network": (module.state_dict, "measure in evaluation mode and without gradients"),
        "rule's state": (rule_state, "a rule's `layers` and `classify` must leave it as it is"),
    }
    before = {name: _hashes(state()) for name, (state, _) in watched.items()}
    yield
    for name, (state, remedy) in watched.items():
        now = _hashes(state())
        changed = [key for key in before[name] | now if before[name].get(key) != now.get(key)]
        if changed:
            raise GuardError(
                f"{what}: the measurement changed the {name}, first '{changed[0]}'; {remedy}."
            )


def _hashes(state: Any, path: str = "") -> dict[str, str]:
    # of every tensor and number of nested mappings and lists, by its place in them
    if isinstance(state, Mapping):
        parts = state.items()
    elif isinstance(state, list | tuple):
        parts = enumerate(state)
    else:
        return {path: state_hash({path: state}) if hasattr(state, "dtype") else repr(state)}
    start = f"{path}." if path else ""
    found: dict[str, str] = {}
    for name, part in parts:
        found |= _hashes(part, f"{start}{name}")
    return found


def states_pairwise_distinct(hashes: Mapping[str, str]) -> None:
    """Guard 17: refuse two trained networks with the same weights.

    Args:
        hashes: name of a network (rule, seed, epoch > 0; or a fixed one that is given) -> hash of
            its state. Leave out epoch 0 and untrained rules, which share their weights by design.

    Raises:
        GuardError: names the first two networks with the same state.
    """
    first: dict[str, str] = {}
    for name, value in hashes.items():
        if value in first:
            raise GuardError(
                f"{name} and {first[value]} have the same state {value}: one of them is not what"
                " its name says. Delete what both have in results, and rerun the command; of models"
                " that are given, correct the table first."
            )
        first[value] = name


def same_initial_weights(hashes: Mapping[str, str], seed: int) -> None:
    """Guard 10: refuse to compare rules that started from different initial weights.

    Args:
        hashes: rule -> hash of the initial weights of its network of one seed.
        seed: that seed, for the message.

    Raises:
        GuardError: names the first rule that differs from the first one.
    """
    rules = list(hashes)
    for rule in rules[1:]:
        if hashes[rule] != hashes[rules[0]]:
            raise GuardError(
                f"seed {seed}: rules '{rules[0]}' and '{rule}' started from different weights"
                f" ({hashes[rules[0]]} and {hashes[rule]}); delete their checkpoints and rerun the"
                " command."
            )


def images_not_compared(
    calibration: Mapping[str, str], compared: Mapping[str, str], what: str, than: str
) -> None:
    """Guard 12: refuse to calibrate a control on images that are compared.

    A copy that was cropped, recoloured or compressed anew is another image to this guard unless it
    has the same id.

    Args:
        calibration: id -> hash of the pixels of each calibration image.
        compared: id -> hash of the pixels of each compared image, prepared at the same size.
        what: the file of the calibration images, for the message.
        than: the file of the compared images.

    Raises:
        GuardError: names the first image that is in both, by its id or by its pixels.
    """
    by_pixels = {value: name for name, value in compared.items()}
    for name, value in calibration.items():
        if value in by_pixels:
            same = f"'{name}' has the pixels of '{by_pixels[value]}'"
        elif name in compared:
            same = f"'{name}' has the id of a compared image (other pixels; another background?)"
        else:
            continue
        raise GuardError(
            f"{what}: {same} in {than}. Images that are compared must not calibrate BatchNorm: take"
            " it out of the calibration set; if it shows something else, rename its file."
        )


def weights_as_drawn(now: str, drawn: str, what: str) -> None:
    """Guard 12: refuse a rule whose preparation changed the initial weights.

    Args:
        now: hash of the weights after the rule's `prepare`.
        drawn: hash of the initial weights.
        what: whose network it is (rule, seed, epoch), for the message.

    Raises:
        GuardError: the hashes differ.
    """
    if now != drawn:
        raise GuardError(
            f"{what}: preparing the network changed its initial weights ({drawn} to {now}); epoch 0"
            " would be no common baseline. A rule's `prepare` may set norm statistics only."
        )


def stdp_kernel_sign(kernel: Callable[[Tensor], Tensor], time_steps: int, what: str) -> None:
    """Guard 25: refuse an STDP kernel of reversed sign, or one that does not decay with |dt|.

    Args:
        kernel: t_post - t_pre, in steps -> weight change; float, elementwise.
        time_steps: steps that a presentation lasts; longer intervals do not occur. With a small
            time constant the change may be too small for a number at long ones, hence 0.
        what: whose kernel it is, for the message.

    Raises:
        GuardError: names what is wrong and the first lag, in steps, at which it is.
    """
    lags = torch.arange(1, time_steps, dtype=torch.float64)
    for sign, effect in ((1.0, "potentiate"), (-1.0, "depress")):
        changes = (sign * kernel(sign * lags)).tolist()
        # written so that NaN, which no comparison finds larger, is refused too
        for lag, change in enumerate(changes, start=1):
            if not (change > 0 or (change == 0 and lag > 1)):
                raise GuardError(
                    f"{what}: the STDP kernel does not {effect} at t_post - t_pre = {sign * lag:g}"
                    f" steps (it gives {sign * change:.3g}); a synapse whose spike came before the"
                    " unit's must grow, one whose spike came after it must shrink."
                )
            if lag > 1 and not (change < changes[lag - 2] or change == changes[lag - 2] == 0):
                raise GuardError(
                    f"{what}: the STDP kernel does not decay with |t_post - t_pre| at"
                    f" {sign * lag:g} steps; a pair must count less, the farther apart it is."
                )
