"""The tidy tables `training.csv` and `diagnostics.csv`: what every network learned, and how."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rulealign import guards
from rulealign.errors import DataError
from rulealign.store import read_csv, write_csv

NETWORK = ["network", "rule", "kind", "seed", "epoch"]
ACCURACY = ["trains", "held_out_accuracy", "held_out_images"]


class LoggedNetwork(NamedTuple):
    """Whose a training log is.

    Attributes:
        network: the label of its network in the study.
        rule: that of its rule.
        kind: the name of the rule in the registry.
        init: how the conv weights were drawn.
        seed: of the network.
        epoch: of the checkpoint.
        trains: whether the rule changes weights at all.
        made_here: whether the pipeline trained it, and knows its loss.
    """

    network: str
    rule: str
    kind: str
    init: str
    seed: int
    epoch: int
    trains: bool
    made_here: bool = True


def training_table(logs: Sequence[Path], networks: Sequence[LoggedNetwork], output: Path) -> None:
    """Collect the accuracy and loss at every checkpoint: `statistics/training.csv`.

    Args:
        logs: the `checkpoints/*_log.csv`.
        networks: whose they are, in the same order.
        output: the CSV to make.

    Raises:
        DataError: a log lacks its checkpoint's epoch, its accuracy, the number of images that it
            rests on or, where the rule learns, its loss; names the log.
        GuardError: two networks that learned, here or elsewhere, have the same state, or rules of
            one seed and `init` started from different weights.
        StoreError: a log cannot be read, or the disk is full.
    """
    rows = [_training_row(Path(log), of) for log, of in zip(logs, networks, strict=True)]
    table = pd.DataFrame(rows).sort_values(["network", "rule", "seed", "epoch"], kind="stable")
    _guard_states(table)
    write_csv(output, table.drop(columns=["made_here", "initial_hash", "state_hash"]))


def _guard_states(table: pd.DataFrame) -> None:
    for (_, seed, _), networks in table.groupby(["network", "seed", "init"]):
        guards.same_initial_weights(networks.set_index("rule")["initial_hash"].to_dict(), seed)
    table = table.assign(name=[_named(row) for row in table[NETWORK].itertuples(index=False)])
    for _, networks in table[table["epoch"] == 0].groupby(["network", "rule"]):
        guards.states_pairwise_distinct(networks.set_index("name")["state_hash"].to_dict())
    learned = table["trains"] & (table["epoch"] > 0)
    fixed = ~table["trains"] & ~table["made_here"]  # models of their own, whose epoch is 0
    own = table[learned | fixed]
    guards.states_pairwise_distinct(own.set_index("name")["state_hash"].to_dict())


def _training_row(log: Path, network: LoggedNetwork) -> dict[str, Any]:
    lines = read_csv(log)
    line = lines[lines["epoch"] == network.epoch]
    if len(line) != 1:
        raise DataError(f"{log}: has {len(line)} lines of epoch {network.epoch}, not one.")
    accuracy = line["held_out_accuracy"].item()
    if not 0 <= accuracy <= 1:
        raise DataError(f"{log}: held_out_accuracy is {accuracy}, not a fraction from 0 to 1.")
    images = line["held_out_images"].item()
    if not images > 0:
        raise DataError(f"{log}: held_out_images is {images}, not a number of images.")
    learns = network.trains and network.made_here and network.epoch > 0
    loss = line["loss"].item() if learns else None
    if learns and not np.isfinite(loss):
        raise DataError(f"{log}: the loss of epoch {network.epoch} is {loss}.")
    return {
        **network._asdict(),
        "held_out_accuracy": accuracy,
        "held_out_images": int(images),
        "loss": loss,
        "initial_hash": line["initial_hash"].item(),
        "state_hash": line["state_hash"].item(),
    }


def diagnostics_table(
    parts: Sequence[Path], training: Path, classes: int, output: Path
) -> pd.DataFrame:
    """Gather the diagnostics of all networks and join their accuracy: `statistics/diagnostics.csv`.

    Args:
        parts: the `diagnostics/*.csv` of all arms and seeds.
        training: `statistics/training.csv`.
        classes: classes of the training set; chance is one in so many.
        output: the CSV to make: a row per network, rule, kind, seed, epoch and layer, layers
            in the order of computation.

    Returns:
        The table.

    Raises:
        DataError: a network or layer is missing or listed twice; names it.
        StoreError: a file cannot be read, or the disk is full.
    """
    measured = pd.concat([read_csv(Path(part)) for part in parts], ignore_index=True)
    accuracy = read_csv(training)[NETWORK + ACCURACY]
    _require_every_layer_once(measured)
    _require_same_networks(measured, accuracy, str(training))
    table = measured.merge(accuracy, on=NETWORK, how="left", validate="many_to_one")
    table["chance"] = 1 / classes
    table = table.sort_values(["network", "rule", "seed", "epoch"], kind="stable")
    write_csv(output, table)
    return table


def _require_every_layer_once(measured: pd.DataFrame) -> None:
    layers: dict[str, list[str]] = {}
    for network, rows in measured.groupby(NETWORK, sort=False):
        found = sorted(rows["layer"])
        if found != (known := layers.setdefault(network[0], found)):
            raise DataError(
                f"diagnostics of {_named(network)}: has the layers {found}, but others have"
                f" {known}; delete its file and rerun the command."
            )


def _require_same_networks(measured: pd.DataFrame, accuracy: pd.DataFrame, training: str) -> None:
    one, other = (set(map(tuple, table[NETWORK].to_numpy())) for table in (measured, accuracy))
    for missing, where in ((other - one, "the diagnostics"), (one - other, training)):
        if missing:
            raise DataError(
                f"{_named(min(missing, key=str))} is missing from {where}; delete what is there"
                " and rerun the command."
            )
    twice = accuracy.duplicated(NETWORK)
    if twice.any():
        raise DataError(f"{training}: {_named(accuracy[twice].iloc[0][NETWORK])} appears twice.")


def _named(network: Sequence[object]) -> str:
    label, rule, kind, seed, epoch = network
    return f"network '{label}', rule '{rule}' ({kind}), seed {seed}, epoch {epoch}"
