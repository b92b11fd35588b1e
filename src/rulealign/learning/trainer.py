"""Training in stretches: each begins at a checkpoint and ends with the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn
from tqdm import tqdm

from rulealign import guards, store
from rulealign.errors import ConfigurationError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning.batches import (
    Epochs,
    LabelledImages,
    held_out_images,
    normalise,
    training_images,
)
from rulealign.learning.checkpoint import Checkpoint
from rulealign.learning.device import (
    random_state,
    repeatable,
    require_device,
    restore_random_state,
    use_threads,
)
from rulealign.learning.network import initial_network, weights_hash
from rulealign.learning.rule import Course, LearningRule
from rulealign.learning.rules import rule_class
from rulealign.provenance import canonical, derive_seed, fingerprint, state_hash

__all__ = ["held_out_accuracy", "initial_checkpoint", "train_stretch", "use_threads"]


@dataclass(frozen=True)
class _Run:
    """One network under one rule."""

    settings: Mapping[str, Any]
    seed: int
    device: torch.device
    network: nn.Module
    rule: LearningRule

    def name(self, epoch: int) -> str:
        return f"rule '{self.settings['label']}', seed {self.seed}, epoch {epoch}"


def _start(settings: Mapping[str, Any], seed: int, device: torch.device) -> _Run:
    network = initial_network(settings["network"], settings["study_seed"], seed).to(device)
    course = Course(
        study_seed=settings["study_seed"],
        label=settings["label"],
        seed=seed,
        schedule_epochs=settings["training"]["schedule_epochs"],
        device=settings["device"],
    )
    kind = rule_class(settings["rule"]["kind"])
    rule = kind(network, kind.Settings.model_validate(settings["rule"]), course)
    return _Run(settings, seed, device, network, rule)


def initial_checkpoint(
    settings: Mapping[str, Any], seed: int, training_set: Path, output: Path, log: Path
) -> None:
    """Make a rule's network of epoch 0: initial weights, prepared by the rule.

    Args:
        settings: `network`, `training` (without seeds and checkpoints), `training_set`, `rule`,
            `label`, `study_seed`, `device`: plain values, as the configuration has them.
        seed: the network's seed.
        training_set: `images.h5` of the training set.
        output: the checkpoint to make.
        log: the CSV to make; one row, for epoch 0.

    Raises:
        ConfigurationError: a GPU is configured and there is none.
        DataError: the training images are too few, or of another size.
    """
    device = require_device(settings["device"])
    with repeatable(device):
        run = _start(settings, seed, device)
        initial_hash = weights_hash(run.network)
        images = training_images(training_set, settings, seed, device).images
        run.rule.prepare(normalise(images, settings["training"]))
        guards.weights_as_drawn(weights_hash(run.network), initial_hash, run.name(0))
        torch.manual_seed(derive_seed(settings["study_seed"], settings["label"], seed, "training"))
        _finish(run, 0, [{"epoch": 0}], initial_hash, training_set, output, log)


def train_stretch(
    settings: Mapping[str, Any],
    seed: int,
    previous: Path,
    from_epoch: int,
    to_epoch: int,
    training_set: Path,
    output: Path,
    log: Path,
) -> None:
    """Train a network on from the checkpoint before; a chain of stretches equals one long one.

    Args:
        settings: as in `initial_checkpoint`.
        seed: the network's seed.
        previous: the checkpoint to continue from.
        from_epoch: the epochs that it has been trained for.
        to_epoch: the epochs that the new one will have been trained for.
        training_set: `images.h5` of the training set.
        output: the checkpoint to make.
        log: the CSV to make: one row per epoch of this stretch.

    Raises:
        ConfigurationError: a GPU is configured and there is none, or the rule does not train.
        DataError: the training images are too few, or of another size.
        GuardError: training diverges, or `previous` is another network's; nothing is written.
        StoreError: `previous` cannot be read.
    """
    device = require_device(settings["device"])
    with repeatable(device):
        run = _start(settings, seed, device)
        if not run.rule.trains:
            raise ConfigurationError(f"rule '{settings['label']}' does not train; keep its epoch 0")
        loaded = _resume(run, previous, from_epoch)
        data = training_images(training_set, settings, seed, device)
        epochs = Epochs(data, settings, seed)
        rows = [_train_epoch(run, epochs, epoch) for epoch in range(from_epoch, to_epoch)]
        _finish(run, to_epoch, rows, loaded.initial_hash, training_set, output, log)


def _resume(run: _Run, previous: Path, epoch: int) -> Checkpoint:
    loaded = checkpoints.load(
        previous,
        rule=run.settings["label"],
        seed=run.seed,
        epoch=epoch,
        settings_hash=fingerprint(run.settings),
    )
    run.network.load_state_dict(loaded.network)
    run.rule.load_state_dict(loaded.rule_state)
    restore_random_state(loaded.random)
    return loaded


def _train_epoch(run: _Run, epochs: Epochs, epoch: int) -> dict[str, float]:
    run.network.train()
    guards.norm_layers_in_train(run.network, run.name(epoch))
    run.rule.start_epoch(epoch)
    sums: dict[str, float] = defaultdict(float)
    progress = tqdm(epochs.batches(epoch), f"epoch {epoch + 1}", len(epochs), mininterval=2)
    for images, labels in progress:
        logged = run.rule.step(images, labels)
        for name, value in logged.items():
            sums[name] += value
        progress.set_postfix(loss=f"{logged['loss']:.3f}", refresh=False)
    return {"epoch": epoch + 1} | {name: total / len(epochs) for name, total in sums.items()}


def _finish(
    run: _Run,
    epoch: int,
    rows: list[dict[str, Any]],
    initial_hash: str,
    training_set: Path,
    output: Path,
    log: Path,
) -> None:
    random = random_state(run.device)
    held_out = held_out_images(training_set, run.settings, run.device)
    accuracy = held_out_accuracy(
        run.network, held_out, run.settings["training"], f"{run.name(epoch)}, held-out accuracy"
    )
    state = run.network.state_dict()
    made = Checkpoint(
        network=state,
        rule_state=run.rule.state_dict(),
        random=random,
        rule=run.settings["label"],
        kind=run.settings["rule"]["kind"],
        seed=run.seed,
        epoch=epoch,
        settings=canonical(run.settings),
        settings_hash=fingerprint(run.settings),
        initial_hash=initial_hash,
        state_hash=state_hash(state),
    )
    rows[-1] |= {
        "held_out_accuracy": accuracy,
        "held_out_images": len(held_out.labels),
        "initial_hash": made.initial_hash,
        "state_hash": made.state_hash,
    }
    print(f"{run.name(epoch)}: held-out accuracy {accuracy:.4f}")
    _write_log(log, rows)
    checkpoints.save(output, made)


def _write_log(path: Path, rows: list[dict[str, Any]]) -> None:
    first = ["epoch", "learning_rate", "loss"]
    last = ["held_out_accuracy", "held_out_images", "initial_hash", "state_hash"]
    others = [name for name in rows[0] if name not in first + last]
    # rows of the epochs before the checkpoint have no accuracy: their cells stay empty
    table = pd.DataFrame(rows, columns=[*first, *others, *last])
    store.write_csv(path, table.astype({"held_out_images": "Int64"}))


def held_out_accuracy(
    network: nn.Module, data: LabelledImages, settings: Mapping[str, Any], what: str
) -> float:
    """Measure the share of images that a network classifies rightly, without changing it.

    Args:
        network: the network; measured in evaluation mode, then put back in the mode it was in.
        data: images that it was not trained on.
        settings: `mean` and `std`, for pixel values 0-1, and `batch_size`.
        what: whose network it is, for the messages of the guards.

    Returns:
        Correct / all, 0-1.

    Raises:
        GuardError: the measurement would use, or did change, the network's state.
    """
    was_training = network.training
    network.eval()
    guards.norm_layers_in_eval(network, what)
    correct = 0
    with guards.unchanged_state(network, what), torch.no_grad():
        size = settings["batch_size"]
        for images, labels in zip(data.images.split(size), data.labels.split(size), strict=True):
            chosen = network(normalise(images, settings)).argmax(dim=1)
            correct += int((chosen == labels).sum())
    network.train(was_training)
    return correct / len(data.labels)
