"""How a network learned, checkpoint by checkpoint: how far, which way, and with which errors."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from rulealign import guards, store
from rulealign.errors import DataError
from rulealign.learning.batches import held_out_images, normalise, training_images
from rulealign.learning.device import (
    random_state,
    repeatable,
    require_device,
    restore_random_state,
)
from rulealign.learning.gradient import probe_gradient
from rulealign.learning.network import build_network, carries_weights
from rulealign.learning.rule import LearningRule, Probe
from rulealign.learning.run import Run, start_run, take_up
from rulealign.provenance import derive_seed

DEAD_UNIT_IMAGES = 1000
"""Held-out images for all of which a unit must be silent to count as dead."""

State = Mapping[str, Tensor]


class Shown(NamedTuple):
    """What all checkpoints of one network are measured with.

    Attributes:
        images: float32, shape (batch, 3, px, px), normalised; the first training images of the
            seed, not augmented.
        labels: int64, shape (batch,).
        held_out: uint8, shape (n, px, px, 3).
        draw: seed of whatever is random about a batch.
    """

    images: Tensor
    labels: Tensor
    held_out: Tensor
    draw: int


def write_diagnostics(
    settings: Mapping[str, Any], seed: int, kept: Mapping[int, Path], training_set: Path, out: Path
) -> None:
    """Measure all checkpoints of one rule and seed: a row per epoch and layer.

    Columns: `weight_change` (|W - W0| / |W0|), `dead_units` (share of a readable layer's),
    `angle_to_bp` (degrees), `effective_rank` (of the errors at the layer's output),
    `norm_mean_drift` and `norm_variance_drift` (since the checkpoint before), `rerun_drift`
    (largest difference of the same gradient computed twice; guard 15). Cells are empty where there
    is nothing to measure, as the direction of a rule that does not train.

    Args:
        settings: those of the checkpoints, see `trainer.initial_checkpoint`.
        seed: the network's seed.
        kept: epoch -> checkpoint; epoch 0 among them.
        training_set: `images.h5` of the training set.
        out: the CSV to make.

    Raises:
        ConfigurationError: a GPU is configured and there is none.
        DataError: epoch 0 is missing, or the images are not those of the settings.
        GuardError: a checkpoint is another network's, or reading changed the network.
        StoreError: a checkpoint cannot be read.
    """
    if 0 not in kept:
        raise DataError(f"{out}: weights are held against those of epoch 0, which is missing.")
    device = require_device(settings["device"])
    rows, initial, before = [], None, None
    with repeatable(device):
        shown = _shown(settings, seed, training_set, device)
        for epoch, path in sorted(kept.items()):
            run = start_run(settings, seed, device)
            state = take_up(run, path, epoch).network
            initial = initial or state
            rows += _measure(run, epoch, state, initial, before, shown)
            before = state
            print(f"{run.name(epoch)}: measured", flush=True)
    store.write_csv(out, pd.DataFrame(rows))


def _shown(
    settings: Mapping[str, Any], seed: int, training_set: Path, device: torch.device
) -> Shown:
    data = training_images(training_set, settings, seed, device)
    count = settings["training"]["batch_size"]
    return Shown(
        normalise(data.images[:count], settings["training"]),
        data.labels[:count],
        held_out_images(training_set, settings, device).images[:DEAD_UNIT_IMAGES],
        derive_seed(settings["study_seed"], seed, "diagnostics"),
    )


def _measure(
    run: Run, epoch: int, state: State, initial: State, before: State | None, shown: Shown
) -> list[dict[str, Any]]:
    names = [name for name, layer in run.network.named_modules() if carries_weights(layer)]
    norms = {name: norm for name, _, norm in run.network.blocks()}
    dead = dead_units(run.rule, shown.held_out, run.settings["training"], run.name(epoch))
    directions = _directions(run, epoch, state, shown) if run.rule.trains else {}
    rows = []
    for name in names:
        drift = norm_drift(run.network, norms[name], state, before) if name in norms else None
        rows.append(
            {
                "rule": run.settings["label"],
                "kind": run.settings["rule"]["kind"],
                "seed": run.seed,
                "epoch": epoch,
                "layer": name,
                "weight_change": weight_change(state[f"{name}.weight"], initial[f"{name}.weight"]),
                "dead_units": dead.get(name, math.nan),
                **directions.get(name, dict.fromkeys(DIRECTIONS, math.nan)),
                **dict(zip(DRIFTS, drift or (math.nan, math.nan), strict=True)),
            }
        )
    return rows


DIRECTIONS = ("angle_to_bp", "effective_rank", "rerun_drift")
DRIFTS = ("norm_mean_drift", "norm_variance_drift")


def _directions(run: Run, epoch: int, state: State, shown: Shown) -> dict[str, dict[str, float]]:
    exact, again = (plain_gradient(run, state, shown) for _ in range(2))
    own = rule_probe(run, epoch, shown)
    measured = {}
    for name in exact.errors:
        weight = f"{name}.weight"
        measured[name] = {
            "angle_to_bp": angle(own.update.get(weight), exact.update[weight]),
            "effective_rank": effective_rank(own.errors.get(name)),
            "rerun_drift": rerun_drift(exact.update[weight], again.update[weight]),
        }
    return measured


def weight_change(now: Tensor, initial: Tensor) -> float:
    """Give |W - W0| / |W0|, Frobenius norms.

    Args:
        now: W.
        initial: W0, of the same shape, not all 0.

    Returns:
        0 where nothing moved.
    """
    return float((now.double() - initial.double()).norm() / initial.double().norm())


def dead_units(
    rule: LearningRule, images: Tensor, settings: Mapping[str, Any], what: str
) -> dict[str, float]:
    """Measure the share of units that are silent for every image, without changing the network.

    Args:
        rule: the rule, whose readable layers are read in evaluation mode.
        images: uint8, shape (n, px, px, 3).
        settings: `mean` and `std`, for pixel values 0-1, and `batch_size`.
        what: whose network it is, for the messages of the guards.

    Returns:
        Readable layer -> share, 0-1, of its channels (of a conv layer, at all positions) or units.

    Raises:
        GuardError: reading would use statistics of the batch, or did change the network.
    """
    network, alive = rule.network, {}
    was_training = network.training
    network.eval()
    guards.norm_layers_in_eval(network, what)
    with guards.unchanged_state(network, what), torch.inference_mode():
        for batch in images.split(settings["batch_size"]):
            for name, values in rule.layers(normalise(batch, settings)).items():
                active = (values != 0).transpose(0, 1).flatten(1).any(dim=1)
                alive[name] = active | alive.get(name, torch.zeros_like(active))
    network.train(was_training)
    return {name: int((~active).sum()) / len(active) for name, active in alive.items()}


def plain_gradient(run: Run, state: State, shown: Shown) -> Probe:
    """Compute backpropagation's gradient on a network of its own, where no rule acts.

    Args:
        run: says which network, and on which device.
        state: the network's `state_dict`.
        shown: the batch.

    Returns:
        Minus the gradient of every parameter, and the errors at the layers' outputs.
    """
    network = build_network(run.settings["network"]).to(run.device)
    network.load_state_dict(state)
    network.train()
    with same_dropout(network, shown.draw):
        return probe_gradient(network, shown.images, shown.labels)


def rule_probe(run: Run, epoch: int, shown: Shown) -> Probe:
    """Ask a rule what it would do with the batch; the run is of no further use.

    Args:
        run: as taken up from a checkpoint; changed.
        epoch: of the checkpoint. The rates are those of the epoch that begins there, or of the
            last one: at the end of a schedule a rule proposes nothing.
        shown: the batch.

    Returns:
        The proposed change and the errors.
    """
    run.network.train()
    run.rule.start_epoch(min(epoch, run.settings["training"]["schedule_epochs"] - 1))
    torch.manual_seed(shown.draw)
    with same_dropout(run.network, shown.draw):
        return run.rule.probe(shown.images, shown.labels)


@contextmanager
def same_dropout(network: nn.Module, seed: int) -> Iterator[None]:
    """Silence the same units whatever was drawn before, so that updates differ by rule alone.

    Args:
        network: its dropout layers draw from `seed` and leave the random state as it was.
        seed: as made by `provenance.derive_seed`.
    """
    kept: list[dict[str, Tensor]] = []

    def begin(_: nn.Module, values: tuple[Tensor, ...]) -> None:
        kept.append(random_state(values[0].device))
        torch.manual_seed(seed)

    def end(*_: Any) -> None:
        restore_random_state(kept.pop())

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Dropout)]
    handles = [layer.register_forward_pre_hook(begin) for layer in layers]
    handles += [layer.register_forward_hook(end) for layer in layers]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def angle(one: Tensor | None, other: Tensor | None) -> float:
    """Measure the angle between two changes of the same weights.

    2 atan2(|a - b|, |a + b|) of the unit vectors a and b, which is exact near 0 and 180 degrees,
    where the arc cosine is not (Kahan).

    Args:
        one: any shape, or None for no change.
        other: the same.

    Returns:
        Degrees, 0-180; NaN where either is missing or 0 and has no direction.
    """
    if one is None or other is None or not one.any() or not other.any():
        return math.nan
    a, b = (values.double().flatten() / values.double().norm() for values in (one, other))
    return math.degrees(2 * math.atan2((a - b).norm(), (a + b).norm()))


def effective_rank(errors: Tensor | None) -> float:
    """Measure over how many directions a batch of errors spreads.

    exp(-sum p ln p) of the singular values p, normalised to sum 1 (Roy & Vetterli 2007, EUSIPCO,
    definition 1). They are the roots of the eigenvalues of the smaller Gram matrix, in float64;
    those within its rounding are 0. Not for comparing batches of different size, which bounds it.

    Args:
        errors: shape (batch, features), or None.

    Returns:
        1 to min(batch, features); NaN for no or zero errors.
    """
    if errors is None or not errors.any():
        return math.nan
    values = errors.double()
    gram = values @ values.T if len(values) <= values.shape[1] else values.T @ values
    squares = torch.linalg.eigvalsh(gram)
    rounding = len(squares) * torch.finfo(squares.dtype).eps * squares.max()
    singular = torch.where(squares > rounding, squares, 0.0).sqrt()
    return float(torch.special.entr(singular / singular.sum()).sum().exp())


def rerun_drift(one: Tensor, again: Tensor) -> float:
    """Guard 15: give the largest absolute difference between two computations of one gradient."""
    return float((one - again).abs().max())


def norm_drift(
    network: nn.Module, norm: nn.Module, now: State, before: State | None
) -> tuple[float, float]:
    """Measure how far a norm layer's statistics moved since the checkpoint before.

    Args:
        network: the network that the layer belongs to.
        norm: the layer.
        now: the network's `state_dict`.
        before: that of the checkpoint before; None at the first one.

    Returns:
        In mean over channels: |mu - mu_before| in standard deviations before, and
        |ln(var / var_before)|. Variances include the layer's eps, as what it divides by does, so
        that a silent channel counts as still. NaN without a checkpoint before.
    """
    if before is None:
        return math.nan, math.nan
    name = next(name for name, module in network.named_modules() if module is norm)
    means = [state[f"{name}.running_mean"].double() for state in (before, now)]
    variances = [state[f"{name}.running_var"].double() + norm.eps for state in (before, now)]
    moved = (means[1] - means[0]).abs() / variances[0].sqrt()
    return float(moved.mean()), float((variances[1] / variances[0]).log().abs().mean())
