"""The tidy table `statistics/training.csv`: how well every network does at every checkpoint.

It lies outside `rsa`, so that no change of the statistics makes it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign import guards
from rulealign.errors import DataError
from rulealign.store import read_csv, write_csv


def training_table(logs: Sequence[Path], meta: Sequence[Mapping[str, Any]], output: Path) -> None:
    """Collect the accuracy and loss at every checkpoint: `statistics/training.csv`.

    Args:
        logs: the `checkpoints/*_log.csv`.
        meta: for each log, in the same order: `rule` (label), `kind`, `init`, `seed`, `epoch`
            and `trains` (whether the rule learns).
        output: the CSV to make.

    Raises:
        DataError: a log lacks its checkpoint's epoch, its accuracy, the number of images that it
            rests on or, where the rule learns, its loss; names the log.
        GuardError: two trained networks have the same state, or rules of one seed and `init`
            started from different weights.
        StoreError: a log cannot be read, or the disk is full.
    """
    if not logs or len(logs) != len(meta):
        raise DataError(f"{len(logs)} training logs need as many descriptions, not {len(meta)}.")
    rows = [_training_row(Path(log), known) for log, known in zip(logs, meta, strict=True)]
    table = pd.DataFrame(rows).sort_values(["rule", "seed", "epoch"], kind="stable")
    _guard_states(table)
    write_csv(output, table.drop(columns=["initial_hash", "state_hash"]))


def _guard_states(table: pd.DataFrame) -> None:
    for (seed, _), networks in table.groupby(["seed", "init"]):
        guards.same_initial_weights(networks.set_index("rule")["initial_hash"].to_dict(), seed)
    for rule, networks in table[table["epoch"] == 0].groupby("rule"):
        seeds = "rule '" + rule + "', epoch 0, seed " + networks["seed"].astype(str)
        guards.states_pairwise_distinct(dict(zip(seeds, networks["state_hash"], strict=True)))
    trained = table[table["trains"] & (table["epoch"] > 0)]
    names = "rule '" + trained["rule"] + "', seed " + trained["seed"].astype(str)
    names += ", epoch " + trained["epoch"].astype(str)
    guards.states_pairwise_distinct(dict(zip(names, trained["state_hash"], strict=True)))


def _training_row(log: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    lines = read_csv(log)
    line = lines[lines["epoch"] == known["epoch"]]
    if len(line) != 1:
        raise DataError(f"{log}: has {len(line)} lines of epoch {known['epoch']}, not one.")
    accuracy = line["held_out_accuracy"].item()
    if not 0 <= accuracy <= 1:
        raise DataError(f"{log}: held_out_accuracy is {accuracy}, not a fraction from 0 to 1.")
    images = line["held_out_images"].item()
    if not images > 0:
        raise DataError(f"{log}: held_out_images is {images}, not a number of images.")
    learns = bool(known["trains"]) and known["epoch"] > 0
    loss = line["loss"].item() if learns else None
    if learns and not np.isfinite(loss):
        raise DataError(f"{log}: the loss of epoch {known['epoch']} is {loss}.")
    return {
        **{key: known[key] for key in ("rule", "kind", "init", "seed", "epoch")},
        "trains": bool(known["trains"]),
        "held_out_accuracy": accuracy,
        "held_out_images": int(images),
        "loss": loss,
        "initial_hash": line["initial_hash"].item(),
        "state_hash": line["state_hash"].item(),
    }
