"""The courses of alignment over training, measured: `statistics/trajectories.csv` (guard 34)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.arm import Arm, Mapped
from rulealign.errors import DataError
from rulealign.plan.settings.score_tables import TrajectorySettings
from rulealign.rsa.alignment import row_ids
from rulealign.rsa.model_rdms import joined
from rulealign.rsa.tables import ALIGNMENT_KEYS, require_shared_bootstrap
from rulealign.rsa.trajectory import trajectory_measures
from rulealign.store import open_h5, read_csv, read_ids, require_same_ids, write_csv

COURSE_KEYS = [name for name in ALIGNMENT_KEYS if name != "epoch"]
"""Columns that tell courses apart, in sorting order."""


def trajectories_table(
    tables: Sequence[Path], draws: Sequence[Path], settings: TrajectorySettings, output: Path
) -> None:
    """Measure every trained rule's course of alignment, for each pair of the layer map.

    Scores and draws are averaged over seeds, as in `statistics/alignment.csv`, and then measured:
    the interval is that of the stimulus bootstrap, and does not contain the variation over seeds.
    Each file of draws is read by itself, so that no more than one is held.

    Args:
        tables: the `alignment/net-<n>_rule-<k>_roi-<r>.csv` of rules with two epochs or more.
        draws: their `*_draws.h5`, in the same order.
        settings: what all draws were made with, the layer map, and each arm's seeds and epochs.
        output: the CSV to make: `COURSE_KEYS`, `n_seeds`, and of each measure of
            `trajectory.trajectory_measures` its name, unit, value, interval, and the reason why
            something is missing.

    Raises:
        GuardError: draws were made with other bootstrap settings or over other pairs; names both.
        DataError: draws do not belong to their table, or an arm, ROI, layer, epoch or seed is
            missing or listed twice; names it.
        StoreError: a file cannot be read, or the disk is full.
    """
    if not tables or len(tables) != len(draws):
        raise DataError(f"{len(tables)} alignment tables need as many draws, not {len(draws)}.")
    require_shared_bootstrap([Path(path) for path in draws], settings)
    rows = [
        row
        for table, path in zip(tables, draws, strict=True)
        for row in _of_file(Path(table), Path(path), settings)
    ]
    _require_courses(rows, settings)
    found = pd.DataFrame(rows).sort_values(COURSE_KEYS, kind="stable")
    twice = found.duplicated([*COURSE_KEYS, "measure"])
    if twice.any():
        name = joined(found.loc[twice, COURSE_KEYS])[0]
        raise DataError(f"two alignment tables have the course {name}; list each table once.")
    write_csv(output, found)


def _of_file(table: Path, path: Path, settings: TrajectorySettings) -> Iterator[dict[str, Any]]:
    rows = read_csv(table)
    with open_h5(path) as file:
        require_same_ids(row_ids(rows), read_ids(file, "row"), str(table), str(path))
        sampled = file["draws"][()]
    for place in settings.layer_map:
        own = rows[(rows[list(Mapped._fields)] == list(place)).all(axis=1)]
        for key, course in own.groupby(COURSE_KEYS, sort=True):
            known = dict(zip(COURSE_KEYS, key, strict=True))
            seeds = _require_network(course, known, table, settings)
            epochs, scores, means = _over_seeds(course, sampled)
            try:
                measures = trajectory_measures(epochs, scores, means, settings.interval)
            except DataError as error:
                raise DataError(f"{table}: {'_'.join(map(str, key))}: {error}") from error
            for measure in map(asdict, measures):
                yield {**known, "n_seeds": seeds, "measure": measure.pop("name"), **measure}


def _over_seeds(
    course: pd.DataFrame, sampled: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    groups = course.groupby("epoch", sort=True)
    columns = [sampled[:, rows.index].astype(np.float64).mean(axis=1) for _, rows in groups]
    scores = groups["score"].mean()
    return scores.index.to_numpy(), scores.to_numpy(), np.stack(columns, axis=1)


def _require_network(
    course: pd.DataFrame, known: Mapping[str, Any], table: Path, settings: TrajectorySettings
) -> int:
    # every epoch of every seed once; gives the number of seeds
    network, rule = known["network"], known["rule"]
    if rule not in settings.seeds.get(network, ()):
        raise DataError(
            f"{table}: {Arm(network, rule)} is no arm of the study with two epochs or more."
        )
    expected = {(seed, e) for seed in settings.seeds[network][rule] for e in settings.epochs[rule]}
    found = list(zip(course["seed"], course["epoch"], strict=True))
    if len(found) != len(set(found)) or set(found) != expected:
        odd = sorted(set(found) ^ expected) or sorted(
            {one for one in found if found.count(one) > 1}
        )
        raise DataError(
            f"{table}: the course of {'_'.join(map(str, known.values()))} has not exactly the"
            f" study's seeds and epochs: seed {odd[0][0]} at epoch {odd[0][1]} is missing,"
            " appears twice or is unknown. Delete the file and rerun the command."
        )
    return len(settings.seeds[network][rule])


def _require_courses(rows: Sequence[Mapping[str, Any]], settings: TrajectorySettings) -> None:
    there = {(Arm(row["network"], row["rule"]), row["layer"], row["roi"]) for row in rows}
    for network, layer, roi in settings.layer_map:
        for arm in [Arm(network, rule) for rule in settings.seeds[network]]:
            if (arm, layer, roi) not in there:
                raise DataError(
                    f"no alignment table has the course of {arm}, {layer} with {roi}, which the"
                    " layer map names."
                )
