"""What a conv stack is worth to a readout: a new one, taught on a checkpoint's frozen conv stack.

`python benchmarks/frozen_readout.py results/<study> <rule> <seed> <epoch>` takes the conv weights
of that checkpoint, gives fc1 and fc2 their initial weights again, and teaches them for as many
epochs as the study's schedule has, with the settings of its rule `readout`. Beside the accuracy of
`readout` itself (the same on the initial conv weights) and of the rule (whose readout learned while
the conv stack still changed), it tells worse features from features that moved under their readout.
"""

import sys
from pathlib import Path

import torch

from rulealign.learning import checkpoint as checkpoints
from rulealign.learning.batches import Epochs, held_out_images, training_images
from rulealign.learning.device import require_device, use_threads
from rulealign.learning.run import start_run
from rulealign.learning.trainer import held_out_accuracy
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.provenance import derive_seed


def load(results: Path, rule: str, seed: int, epoch: int) -> checkpoints.Checkpoint:
    """Read one checkpoint of a study."""
    path = results / "checkpoints" / f"net-cnn3_rule-{rule}_seed-{seed}_epoch-{epoch}.pt"
    return checkpoints.load(path, rule=rule, seed=seed, epoch=epoch, settings_hash=None)


def main(results: Path, rule: str, seed: int, epoch: int) -> float:
    """Teach a new readout and measure it."""
    use_threads(1)
    untaught = load(results, "readout", seed, 0)
    settings = CheckpointSettings.read(untaught.settings)
    device = require_device(settings.device)
    run = start_run(settings, seed, device, classes=untaught.classes)
    taught = load(results, rule, seed, epoch).network
    readout = tuple(f"{name}." for name in run.network.linear())
    conv = {name: value for name, value in taught.items() if not name.startswith(readout)}
    run.network.load_state_dict(conv, strict=False)
    images = results / "training_set" / "images.h5"
    epochs = Epochs(training_images(images, settings, seed, device), settings, seed)
    torch.manual_seed(derive_seed(settings.study_seed, "readout", seed, "training"))
    for number in range(settings.training.schedule_epochs):
        run.network.train()
        run.rule.start_epoch(number)
        for shown, labels in epochs.batches(number):
            run.rule.step(shown, labels)
    held_out = held_out_images(images, settings, device)
    return held_out_accuracy(run.rule, held_out, settings.training, run.name(number + 1))


if __name__ == "__main__":
    folder, label, *numbers = sys.argv[1:]
    accuracy = main(Path(folder), label, *map(int, numbers))
    print(f"{label}, seed {numbers[0]}, epoch {numbers[1]}: a new readout reaches {accuracy:.4f}")
