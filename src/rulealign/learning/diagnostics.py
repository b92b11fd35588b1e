"""Diagnostics of learning: every checkpoint of a network, measured with the same images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import Tensor, nn

from rulealign import store
from rulealign.data.images.training_split import class_names
from rulealign.errors import DataError
from rulealign.learning.batches import held_out_images, normalise, training_images
from rulealign.learning.device import (
    random_state,
    repeatable,
    require_device,
    restore_random_state,
)
from rulealign.learning.filters import FirstFilters, first_filters, write_filters
from rulealign.learning.gradient import probe_gradient
from rulealign.learning.measures import (
    State,
    angle,
    dead_units,
    effective_rank,
    norm_drift,
    rerun_drift,
    stable_rank,
    weight_change,
)
from rulealign.learning.rule import Probe
from rulealign.learning.run import Run, start_run, take_up
from rulealign.learning.weights import build_network, carries_weights
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.provenance import derive_seed

DEAD_UNIT_IMAGES = 1000
"""Held-out images for all of which a unit must be silent to count as dead."""

DIRECTIONS = ("angle_to_bp", "effective_rank", "stable_rank", "rerun_drift")
DRIFTS = ("norm_mean_drift", "norm_variance_drift")


class Shown(NamedTuple):
    """What all checkpoints of one network are measured with.

    Attributes:
        images: float32, shape (batch, 3, size, size), normalised; the first training images of the
            seed, not augmented.
        labels: int64, shape (batch,).
        held_out: uint8, shape (n, size, size, 3).
        draw: seed of whatever is random about a batch.
    """

    images: Tensor
    labels: Tensor
    held_out: Tensor
    draw: int


def write_diagnostics(
    settings: CheckpointSettings,
    seed: int,
    kept: Mapping[int, Path],
    training_set: Path,
    out: Path,
    filters: Path,
) -> None:
    """Measure all checkpoints of one rule and seed: a row per epoch and layer.

    Columns: `convolution` (whether the layer is one), `weight_change` (|W - W0| / |W0|),
    `dead_units` (share of a readable layer's), `angle_to_bp` (degrees), `effective_rank` and
    `stable_rank` (of the errors at the layer's output), `norm_mean_drift` and `norm_variance_drift`
    (since the checkpoint before), `rerun_drift` (largest difference of the same gradient computed
    twice; guard 15). Cells are empty where there is nothing to measure, as the direction of a rule
    that does not train.

    Args:
        settings: of the checkpoints.
        seed: the network's seed.
        kept: epoch -> checkpoint; epoch 0 among them.
        training_set: `images.h5` of the training set.
        out: the CSV to make.
        filters: the HDF5 file to make; see `filters.write_filters`.

    Raises:
        ConfigurationError: a GPU is configured and there is none.
        DataError: epoch 0 is missing, or the images are not those of the settings.
        GuardError: a checkpoint is another network's, or reading changed the network.
        StoreError: a checkpoint cannot be read.
    """
    if 0 not in kept:
        raise DataError(f"{out}: weights are held against those of epoch 0, which is missing.")
    device = require_device(settings.device)
    rows, initial, before = [], None, None
    seen: dict[int, FirstFilters | None] = {}
    with repeatable(device):
        shown = _shown(settings, seed, training_set, device)
        classes = len(class_names(training_set))
        for epoch, path in sorted(kept.items()):
            run = start_run(settings, seed, device, classes=classes)
            state = take_up(run, path, epoch).network
            initial = initial or state
            seen[epoch] = first_filters(run.network)
            rows += _measure(run, epoch, state, initial, before, shown)
            before = state
            print(f"{run.name(epoch)}: measured", flush=True)
    table = pd.DataFrame(rows)
    _print_rerun_drift(table)
    store.write_csv(out, table)
    about = {**settings.arm._asdict(), "seed": seed}
    write_filters(filters, seen, settings=settings.plain(), attributes=about)


def _print_rerun_drift(table: pd.DataFrame) -> None:
    if table["rerun_drift"].isna().all():
        return  # the rule does not train: no gradient was computed
    worst = table.loc[table["rerun_drift"].idxmax()]
    print(
        f"network '{worst['network']}', rule '{worst['rule']}', seed {worst['seed']}: the same"
        f" gradient computed twice differs by {worst['rerun_drift']:.3g} at most (layer"
        f" '{worst['layer']}', epoch {worst['epoch']})",
        flush=True,
    )


def _shown(
    settings: CheckpointSettings, seed: int, training_set: Path, device: torch.device
) -> Shown:
    data = training_images(training_set, settings, seed, device)
    recipe = settings.training
    return Shown(
        normalise(data.images[: recipe.batch_size], recipe),
        data.labels[: recipe.batch_size],
        held_out_images(training_set, settings, device).images[:DEAD_UNIT_IMAGES],
        derive_seed(settings.study_seed, seed, "diagnostics"),
    )


def _measure(
    run: Run, epoch: int, state: State, initial: State, before: State | None, shown: Shown
) -> list[dict[str, Any]]:
    layers = {name: one for name, one in run.network.named_modules() if carries_weights(one)}
    norms = run.network.norms()
    dead = dead_units(run.rule, shown.held_out, run.settings.training, run.name(epoch))
    learns = run.rule.trains and run.rule.made_here
    directions = _directions(run, epoch, state, shown) if learns else {}
    rows = []
    for name, layer in layers.items():
        drift = norm_drift(run.network, norms[name], state, before) if name in norms else None
        rows.append(
            {
                **run.settings.arm._asdict(),
                "kind": run.settings.rule.kind,
                "seed": run.seed,
                "epoch": epoch,
                "layer": name,
                "convolution": isinstance(layer, nn.Conv2d),
                "weight_change": weight_change(state[f"{name}.weight"], initial[f"{name}.weight"]),
                "dead_units": dead.get(name, math.nan),
                **directions.get(name, dict.fromkeys(DIRECTIONS, math.nan)),
                **dict(zip(DRIFTS, drift or (math.nan, math.nan), strict=True)),
            }
        )
    return rows


def _directions(run: Run, epoch: int, state: State, shown: Shown) -> dict[str, dict[str, float]]:
    exact, again = (plain_gradient(run, state, shown) for _ in range(2))
    own = rule_probe(run, epoch, shown)
    measured = {}
    for name in exact.errors:
        weight = f"{name}.weight"
        measured[name] = {
            "angle_to_bp": angle(own.update.get(weight), exact.update[weight]),
            "effective_rank": effective_rank(own.errors.get(name)),
            "stable_rank": stable_rank(own.errors.get(name)),
            "rerun_drift": rerun_drift(exact.update[weight], again.update[weight]),
        }
    return measured


def plain_gradient(run: Run, state: State, shown: Shown) -> Probe:
    """Compute backpropagation's gradient on a network of its own, where no rule acts.

    Args:
        run: says which network, and on which device.
        state: the network's `state_dict`.
        shown: the batch.

    Returns:
        Minus the gradient of every parameter, and the errors at the layers' outputs.
    """
    network = build_network(run.settings.network, run.classes).to(run.device)
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
    run.rule.start_epoch(min(epoch, run.settings.training.schedule_epochs - 1))
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
