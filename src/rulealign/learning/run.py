"""One network under one rule: made from settings and seed, and taken up from a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from rulealign import guards
from rulealign.learning import checkpoint as checkpoints
from rulealign.learning.checkpoint import Checkpoint
from rulealign.learning.network import named_as
from rulealign.learning.rule import Course, LearningRule
from rulealign.learning.rules import rule_class
from rulealign.learning.weights import initial_network, weights_hash
from rulealign.plan.settings.training import CheckpointSettings
from rulealign.provenance import fingerprint

EXPLODED = 1e4
"""Size of a weight that no training comes back from."""


@dataclass(frozen=True)
class Run:
    """One network under one rule.

    Attributes:
        settings: of the checkpoints.
        seed: the network's seed.
        device: where the network lies.
        network: the network.
        rule: the rule that changes it.
        initial_hash: hash of the initial weights, as they were before the rule came to them.
        classes: that the network tells apart.
    """

    settings: CheckpointSettings
    seed: int
    device: torch.device
    network: nn.Module
    rule: LearningRule
    initial_hash: str
    classes: int

    def name(self, epoch: int) -> str:
        """Say whose network it is, for messages."""
        network, rule = self.settings.arm
        return f"network '{network}', rule '{rule}', seed {self.seed}, epoch {epoch}"

    def require_sound_weights(self) -> None:
        """Refuse a network whose training has diverged.

        Raises:
            GuardError: names network, rule, seed, epoch and the first layer with a weight or
                statistic that is not finite, or larger than `EXPLODED`; of a variance, than its
                square.
        """
        for name, value in self.network.state_dict().items():
            layer, _, kind = name.rpartition(".")
            # variances are squares; activations with powers make large ones without any training
            limit = EXPLODED**2 if kind == "running_var" else EXPLODED
            if value.is_floating_point() and not float(value.abs().max()) <= limit:
                self.rule.diverged(
                    f"layer '{layer}'",
                    f"its {kind} is not finite or larger than {limit:g}",
                    "lower the rule's rates",
                )


def start_run(
    settings: CheckpointSettings, seed: int, device: torch.device, *, classes: int
) -> Run:
    """Make a network with its initial weights, and the rule that will change it.

    Args:
        settings: as in `Run`.
        seed: the network's seed.
        device: where to put the network.
        classes: that the network tells apart: those of its training set.

    Returns:
        The run at epoch 0, before the rule's `prepare`.

    Raises:
        ConfigurationError: there is no such `init`, or a class of the user's fails.
    """
    with named_as(settings.arm.network):
        settings.network.show_at([settings.training_set.image_size])
        network = initial_network(
            settings.network, settings.study_seed, seed, settings.rule.init, classes=classes
        ).to(device)
    initial_hash = weights_hash(network)
    course = Course(
        study_seed=settings.study_seed,
        label=settings.arm.rule,
        seed=seed,
        schedule_epochs=settings.training.schedule_epochs,
        device=settings.device,
        network=settings.arm.network,
    )
    rule = rule_class(settings.rule.kind)(network, settings.rule, course)
    return Run(settings, seed, device, network, rule, initial_hash, classes)


def take_up(run: Run, path: Path, epoch: int) -> Checkpoint:
    """Put a run where a checkpoint left it; the random state is the caller's to restore.

    Args:
        run: as made by `start_run`; changed in place.
        path: the checkpoint.
        epoch: the epochs that it must have been trained for.

    Returns:
        The checkpoint.

    Raises:
        GuardError: it is another network's, or started from other weights (guards 10, 17).
        StoreError: it cannot be read.
    """
    loaded = checkpoints.load(
        path,
        rule=run.settings.arm.rule,
        seed=run.seed,
        epoch=epoch,
        settings_hash=fingerprint(run.settings.plain()),
        classes=run.classes,
    )
    adopt(run, loaded)
    run.rule.kept = f"The checkpoint of epoch {epoch} is kept ({path})"
    return loaded


def adopt(run: Run, loaded: Checkpoint) -> None:
    """Give a run the network and the rule's state of a checkpoint.

    Args:
        run: as made by `start_run` with the checkpoint's settings; changed in place.
        loaded: the checkpoint.

    Raises:
        GuardError: the checkpoint started from other weights than the run (guard 10).
    """
    hashes = {"of this run": run.initial_hash, "of the checkpoint": loaded.initial_hash}
    guards.same_initial_weights(hashes, run.seed)
    run.network.load_state_dict(loaded.network)
    run.rule.load_state_dict(loaded.rule_state)
