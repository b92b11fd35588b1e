"""Every trained rule less its baseline at the same epoch: `statistics/baselines.csv`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.errors import DataError
from rulealign.rsa.alignment import row_ids
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.tables import ALIGNMENT_KEYS, require_shared_bootstrap
from rulealign.store import open_h5, read_csv, read_ids, require_same_ids, write_csv

BASELINE = "baseline"

_KEYS = [name for name in ALIGNMENT_KEYS if name not in ("rule", "epoch")]
_VALUES = ["n_seeds", "score", "low", "high", "seed_low", "seed_high"]

Scores = tuple[pd.DataFrame, np.ndarray]
"""Rows of a table of alignment, and their draws, shape (draws, rows)."""


def baselines_table(
    tables: Sequence[Path], draws: Sequence[Path], settings: Mapping[str, Any], output: Path
) -> None:
    """Subtract from every trained rule the control that the study names for it.

    Both are of the same epoch and the same seeds; a baseline that does not train has epoch 0 alone,
    which stands for every epoch. Differences are averaged over the seeds that both have, and so
    are those in each resample of the stimuli, which both share: the interval is that of the
    stimulus bootstrap for the mean over these seeds, and does not contain the variation over seeds.

    Args:
        tables: the `alignment/rule-<k>_roi-<r>.csv` of the rules and of their baselines.
        draws: their `*_draws.h5`, in the same order.
        settings: `tables.BOOTSTRAP_KEYS`, `layer_map` (pairs of `layer` and `roi`), and `baselines`
            (rule -> its baseline).
        output: the CSV to make: `tables.ALIGNMENT_KEYS`, `baseline`, `n_seeds`, the difference
            `score` with its interval `low` and `high`, and those of the lowest and highest seed.
            Epochs from 1 on.

    Raises:
        GuardError: draws were made with other bootstrap settings or over other pairs; names both.
        DataError: draws do not belong to their table, or a baseline lacks what its rule has.
        StoreError: a file cannot be read, or the disk is full.
    """
    if draws:
        require_shared_bootstrap([Path(path) for path in draws], settings)
    files = dict(_named(tables, draws))
    rows = [
        row
        for pair in settings["layer_map"]
        for rule, baseline in settings["baselines"].items()
        for row in _differences(
            _read(files, rule, pair), _read(files, baseline, pair), baseline, settings["interval"]
        )
    ]
    found = pd.DataFrame(rows, columns=[*ALIGNMENT_KEYS, BASELINE, *_VALUES])
    write_csv(output, found.drop_duplicates().sort_values(ALIGNMENT_KEYS, kind="stable"))


def _named(
    tables: Sequence[Path], draws: Sequence[Path]
) -> Iterator[tuple[tuple[str, str], tuple[Path, Path]]]:
    for table, path in zip(map(Path, tables), map(Path, draws), strict=True):
        first = read_csv(table).iloc[0]
        yield (first["rule"], first["roi"]), (table, path)


def _read(
    files: Mapping[tuple[str, str], tuple[Path, Path]], rule: str, pair: Mapping[str, str]
) -> Scores:
    if (rule, pair["roi"]) not in files:
        raise DataError(f"there is no alignment table of {rule} with {pair['roi']}.")
    table, path = files[rule, pair["roi"]]
    rows = read_csv(table)
    with open_h5(path) as file:
        require_same_ids(row_ids(rows), read_ids(file, "row"), str(table), str(path))
        places = np.flatnonzero(rows["layer"] == pair["layer"])
        sampled = file["draws"][:, places].astype(np.float64)
    return rows.iloc[places].reset_index(drop=True), sampled


def _differences(
    of_rule: Scores, of_baseline: Scores, baseline: str, interval: float
) -> Iterator[dict[str, Any]]:
    (own, own_draws), (other, other_draws) = of_rule, of_baseline
    trains = other["epoch"].max() > 0
    at = [*_KEYS, "seed", *(["epoch"] if trains else [])]
    places = dict(zip(other[at].itertuples(index=False, name=None), other.index, strict=True))
    shared = own[own["seed"].isin(other["seed"]) & (own["epoch"] > 0)]
    for key, rows in shared.groupby(ALIGNMENT_KEYS, sort=True):
        known = dict(zip(ALIGNMENT_KEYS, key, strict=True))
        matched = [_place(places, row, baseline) for row in rows[at].itertuples(False, None)]
        values = rows["score"].to_numpy() - other["score"].to_numpy()[matched]
        sampled = (own_draws[:, rows.index] - other_draws[:, matched]).mean(axis=1)
        low, high = map(float, percentile_interval(sampled, interval))
        ends = values.mean(), low, high, values.min(), values.max()
        yield {**known, BASELINE: baseline, **dict(zip(_VALUES, (len(rows), *ends), strict=True))}


def _place(places: Mapping[tuple, int], row: tuple, baseline: str) -> int:
    if row not in places:
        raise DataError(
            f"{baseline} has no score of {'_'.join(map(str, row))}, which its rule has; delete its"
            " alignment tables and rerun the command."
        )
    return places[row]
