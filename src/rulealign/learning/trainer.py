"""Training in stretches: each begins at a checkpoint and ends with the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import torch
from tqdm import tqdm

from rulealign import guards, store
from rulealign.data.check import refuse_compared
from rulealign.data.images.training_split import class_names
from rulealign.errors import ConfigurationError
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning.batches import (
    Epochs,
    LabelledImages,
    held_out_images,
    normalise,
    training_images,
)
from rulealign.learning.calibration import calibration_images
from rulealign.learning.checkpoint import Checkpoint
from rulealign.learning.device import (
    random_state,
    repeatable,
    require_device,
    restore_random_state,
    use_threads,
)
from rulealign.learning.rule import LearningRule
from rulealign.learning.run import Run, start_run, take_up
from rulealign.learning.weights import weights_hash
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.provenance import canonical, derive_seed, fingerprint, state_hash

if TYPE_CHECKING:
    from rulealign.config.training import Recipe

__all__ = [
    "finish_checkpoint",
    "held_out_accuracy",
    "initial_checkpoint",
    "train_stretch",
    "use_threads",
]


def initial_checkpoint(
    settings: CheckpointSettings,
    seed: int,
    training_set: Path,
    output: Path,
    log: Path,
    calibration_set: Path | None = None,
    compared: Sequence[Path] = (),
) -> None:
    """Make a rule's network of epoch 0: initial weights, prepared by the rule.

    Args:
        settings: of the checkpoints.
        seed: the network's seed.
        training_set: `images.h5` of the training set.
        output: the checkpoint to make.
        log: the CSV to make; one row, for epoch 0.
        calibration_set: `stim-<label>_px-<size>_images.h5` for a rule that is prepared with such
            images, else None.
        compared: `stim-<label>_px-<size>_images.h5` of every stimulus set at that size; guard 12
            refuses a calibration set that shares an image with them.

    Raises:
        ConfigurationError: a GPU is configured and there is none, or the calibration set lacks.
        DataError: the images are too few, or of another size.
        GuardError: a calibration image is compared, or preparing changed the weights.
    """
    device = require_device(settings.device)
    with repeatable(device):
        run = start_run(settings, seed, device, classes=len(class_names(training_set)))
        wanted = run.rule.settings.calibration
        shown = calibration_images(wanted, settings, seed, training_set, calibration_set, device)
        if calibration_set is not None:
            refuse_compared(calibration_set, compared)
        run.rule.prepare(shown)
        guards.weights_as_drawn(weights_hash(run.network), run.initial_hash, run.name(0))
        torch.manual_seed(derive_seed(settings.study_seed, settings.arm.rule, seed, "training"))
        finish_checkpoint(run, 0, [{"epoch": 0}], training_set, output, log)


def train_stretch(
    settings: CheckpointSettings,
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
    device = require_device(settings.device)
    with repeatable(device):
        run = start_run(settings, seed, device, classes=len(class_names(training_set)))
        if not run.rule.trains:
            raise ConfigurationError(f"rule '{settings.arm.rule}' does not train; keep its epoch 0")
        loaded = take_up(run, previous, from_epoch)
        restore_random_state(loaded.random)
        data = training_images(training_set, settings, seed, device)
        epochs = Epochs(data, settings, seed)
        rows = [_train_epoch(run, epochs, epoch) for epoch in range(from_epoch, to_epoch)]
        finish_checkpoint(run, to_epoch, rows, training_set, output, log)


def _train_epoch(run: Run, epochs: Epochs, epoch: int) -> dict[str, float]:
    run.network.train()
    guards.norm_layers_in_train(run.network, run.name(epoch + 1))
    run.rule.start_epoch(epoch)
    sums: dict[str, float] = defaultdict(float)
    progress = tqdm(epochs.batches(epoch), f"epoch {epoch + 1}", len(epochs), mininterval=2)
    for images, labels in progress:
        logged = run.rule.step(images, labels)
        for name, value in logged.items():
            sums[name] += value
        progress.set_postfix(loss=f"{logged['loss']:.3f}", refresh=False)
    run.require_sound_weights()
    return {"epoch": epoch + 1} | {name: total / len(epochs) for name, total in sums.items()}


def finish_checkpoint(
    run: Run,
    epoch: int,
    rows: list[dict[str, Any]],
    training_set: Path,
    output: Path,
    log: Path,
) -> None:
    """Measure a network on held-out images, and keep it.

    Args:
        run: the network, as its checkpoint is to hold it.
        epoch: of the checkpoint.
        rows: what to log of each epoch, name -> value; the last one is that of the checkpoint.
        training_set: `images.h5` of the training set.
        output: the checkpoint to make.
        log: the CSV to make.
    """
    random = random_state(run.device)
    held_out = held_out_images(training_set, run.settings, run.device)
    accuracy = held_out_accuracy(
        run.rule, held_out, run.settings.training, f"{run.name(epoch)}, held-out accuracy"
    )
    state = run.network.state_dict()
    made = Checkpoint(
        network=state,
        rule_state=run.rule.state_dict(),
        random=random,
        rule=run.settings.arm.rule,
        kind=run.settings.rule.kind,
        seed=run.seed,
        epoch=epoch,
        classes=run.classes,
        settings=canonical(run.settings.plain()),
        settings_hash=fingerprint(run.settings.plain()),
        initial_hash=run.initial_hash,
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


def held_out_accuracy(rule: LearningRule, data: LabelledImages, recipe: Recipe, what: str) -> float:
    """Measure the share of images that a network classifies rightly, without changing it.

    Args:
        rule: the rule, whose network is measured in evaluation mode, then put back in the mode it
            was in.
        data: images that it was not trained on.
        recipe: that it was trained by.
        what: whose network it is, for the messages of the guards.

    Returns:
        Correct / all, 0-1.

    Raises:
        GuardError: the measurement would use the batch's statistics, or did change the state of
            network or rule.
    """
    network = rule.network
    was_training = network.training
    network.eval()
    guards.norm_layers_in_eval(network, what)
    correct = 0
    with guards.unchanged_state(network, what, rule.state_dict), torch.no_grad():
        size = recipe.batch_size
        for images, labels in zip(data.images.split(size), data.labels.split(size), strict=True):
            chosen = rule.classify(normalise(images, recipe)).argmax(dim=1)
            correct += int((chosen == labels).sum())
    network.train(was_training)
    return correct / len(data.labels)
