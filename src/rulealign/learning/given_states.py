"""Checkpoints of networks that learned elsewhere."""

from __future__ import annotations

from pathlib import Path

from rulealign.data.images.training_split import class_names
from rulealign.learning.device import repeatable, require_device
from rulealign.learning.run import start_run
from rulealign.learning.state_files import load_state
from rulealign.learning.trainer import finish_checkpoint
from rulealign.plan.settings.training import CheckpointSettings


def given_checkpoint(
    settings: CheckpointSettings,
    seed: int,
    epoch: int,
    file: Path,
    training_set: Path,
    output: Path,
    log: Path,
) -> None:
    """Make a checkpoint of a network that learned elsewhere.

    Args:
        settings: of the checkpoints of a rule that is given.
        seed: that the network has in the study.
        epoch: that it has in the study.
        file: the user's file with its weights.
        training_set: `images.h5` of the training set, whose held-out images it is measured with.
        output: the checkpoint to make.
        log: the CSV to make; one row, for the epoch, without a loss.

    Raises:
        ConfigurationError: a GPU is configured and there is none.
        DataError: the file is no state dict of this network.
    """
    device = require_device(settings.device)
    with repeatable(device):
        run = start_run(settings, seed, device, classes=len(class_names(training_set)))
        rule = settings.rule
        load_state(run.network, file, entry=rule.entry, keys=rule.keys)
        finish_checkpoint(run, epoch, [{"epoch": epoch}], training_set, output, log)
