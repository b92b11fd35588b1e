"""The tidy tables of alignment: over seeds, and of every subject with every seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.score_tables import AlignmentTableSettings
from rulealign.plan.settings.scores import ScoreSettings
from rulealign.rsa.alignment import COLUMNS, row_ids
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.compare import PER_SUBJECT
from rulealign.rsa.model_rdms import joined
from rulealign.rsa.rdm_file import read_attributes
from rulealign.store import (
    open_h5,
    read_csv,
    read_ids,
    read_settings,
    require_same_ids,
    write_csv,
)

ALIGNMENT_KEYS = [name for name in COLUMNS[: COLUMNS.index("n_stimuli")] if name != "seed"]
"""Columns that tell the rows of `statistics/alignment.csv` apart, in sorting order."""

SUBJECT_KEYS = [name for name in COLUMNS[: COLUMNS.index("n_stimuli")] if name != "convention"]
"""Columns of `statistics/alignment_subjects.csv` before `subject` and `score`."""

_COUNTS = ("n_stimuli", "n_pairs", "n_subjects")


def alignment_table(
    tables: Sequence[Path],
    draws: Sequence[Path],
    settings: AlignmentTableSettings,
    output: Path,
    subjects: Path | None = None,
) -> None:
    """Average alignment over seeds: `statistics/alignment.csv`.

    The interval is that of the stimulus bootstrap for the mean over seeds: draws are averaged
    over seeds (they share their resamples), then percentiles are taken. It does not contain the
    variation over seeds, which `seed_low` and `seed_high` (lowest and highest seed) show.

    Args:
        tables: the `alignment/*.csv`, of all arms and ROIs.
        draws: their `*_draws.h5`, in the same order.
        settings: what all alignments were made with, and the study's seeds.
        output: the CSV to make.
        subjects: another CSV to make, of every subject with every seed: `SUBJECT_KEYS`, `subject`
            and `score`, sorted. Their means over subjects are the scores of per_subject. By
            default none.

    Raises:
        GuardError: draws were made with other bootstrap settings or over other pairs; names both.
        DataError: draws do not belong to their table, were made with other stimuli, or an arm, an
            ROI or seeds of some rows are missing or listed twice (guard 24).
        StoreError: a file cannot be read, or the disk is full.
    """
    if not tables or len(tables) != len(draws):
        raise DataError(
            f"{len(tables)} alignment tables need as many draws files, not {len(draws)}"
        )
    require_shared_bootstrap([Path(path) for path in draws], settings)
    parts = [
        _over_seeds(Path(table), Path(path), settings.interval)
        for table, path in zip(tables, draws, strict=True)
    ]
    rows = pd.concat(parts).sort_values(ALIGNMENT_KEYS, kind="stable")
    repeated = rows.duplicated(ALIGNMENT_KEYS)
    if repeated.any():
        first = joined(rows.loc[repeated, ALIGNMENT_KEYS])[0]
        raise DataError(f"two alignment tables have rows of {first}; list each table once.")
    _require_seeds(rows, settings.seeds)
    require_whole(rows, ALIGNMENT_KEYS, settings.seeds, "alignment tables")
    write_csv(output, rows.drop(columns="seeds"))
    if subjects is not None:
        every = [_by_subject(Path(t), Path(d)) for t, d in zip(tables, draws, strict=True)]
        write_csv(subjects, pd.concat(every).sort_values([*SUBJECT_KEYS, "subject"], kind="stable"))


def require_shared_bootstrap(draws: Sequence[Path], settings: ScoreSettings) -> None:
    """Refuse draws made with different stimuli, pairs or bootstrap settings (guards 20, 28).

    Args:
        draws: files of draws that are to be averaged or subtracted.
        settings: the settings in force.

    Raises:
        DataError: the stimuli differ; names both files and the first difference.
        GuardError: a setting or the very pairs differ; names the file, the setting and both
            values.
    """
    first_ids: list[str] = []
    first_pairs = ""
    for path in draws:
        with open_h5(path) as file:
            made_with, ids = read_settings(file), read_ids(file, "stimulus")
            pairs = read_attributes(file, ["pairs_hash"])["pairs_hash"]
        first_ids, first_pairs = first_ids or ids, first_pairs or pairs
        require_same_ids(first_ids, ids, str(draws[0]), str(path))
        for key, value in settings.narrowed(ScoreSettings).plain().items():
            if made_with.get(key) != value:
                raise GuardError(
                    f"{path}: was made with {key} = {made_with.get(key)!r}, but"
                    f" {_who(draws, key, value)} has {value!r}; draws of different"
                    " settings must not be mixed. Delete it and rerun the command."
                )
        if pairs != first_pairs:
            raise GuardError(
                f"{draws[0]} and {path}: are over different pairs of stimuli; draws over different"
                " pairs must not be mixed. Delete both and rerun the command."
            )


def _who(draws: Sequence[Path], key: str, value: Any) -> str:
    # name a file that was made with the settings in force, where there is one
    for path in draws:
        with open_h5(path) as file:
            if read_settings(file).get(key) == value:
                return str(path)
    return "the study"


def _over_seeds(table: Path, path: Path, interval: float) -> pd.DataFrame:
    rows = read_csv(table)
    with open_h5(path) as file:
        require_same_ids(row_ids(rows), read_ids(file, "row"), str(table), str(path))
        sampled = file["draws"][()].astype(np.float64)
    if not np.isfinite(sampled).all() or not np.isfinite(rows["score"]).all():
        raise DataError(f"{path} or {table}: has a score that is NaN or infinite.")
    groups = rows.groupby([*ALIGNMENT_KEYS, *_COUNTS], sort=True)
    return pd.DataFrame(
        [
            _mean_row(dict(zip(groups.keys, key, strict=True)), rows.loc[places], sampled, interval)
            for key, places in groups.groups.items()
        ]
    )


def _by_subject(table: Path, path: Path) -> pd.DataFrame:
    # a row per network, layer and subject
    rows = read_csv(table)
    rows = rows[rows["convention"] == PER_SUBJECT]
    with open_h5(path) as file:
        require_same_ids(row_ids(rows), read_ids(file, "subject_row"), str(table), str(path))
        scores, names = file["subject_scores"][()], read_ids(file, "subject")
    every = rows.loc[rows.index.repeat(len(names)), SUBJECT_KEYS]
    return every.assign(subject=names * len(rows), score=scores.reshape(-1))


def _mean_row(
    keys: dict[str, Any], rows: pd.DataFrame, sampled: np.ndarray, interval: float
) -> dict[str, Any]:
    low, high = percentile_interval(sampled[:, rows.index].mean(axis=1), interval)
    counts = {name: keys.pop(name) for name in _COUNTS}
    return {**keys, "n_seeds": len(rows), **counts} | {
        "score": rows["score"].mean(),
        "low": float(low),
        "high": float(high),
        "seed_low": rows["score"].min(),
        "seed_high": rows["score"].max(),
        "seeds": sorted(rows["seed"].tolist()),
    }


def _require_seeds(rows: pd.DataFrame, seeds: Seeds) -> None:
    whose = joined(rows[ALIGNMENT_KEYS]), rows["network"], rows["rule"], rows["seeds"]
    for name, network, rule, found in zip(*whose, strict=True):
        if found != (expected := sorted(seeds[network][rule])):
            raise DataError(
                f"{name} has the seeds {found}, the study has {expected} for rule"
                f" '{rule}'; a mean over seeds needs the same ones everywhere."
            )


Seeds = Mapping[str, Mapping[str, list[int]]]
"""Network -> rule -> its seeds."""


def require_whole(rows: pd.DataFrame, keys: Sequence[str], seeds: Seeds, what: str) -> None:
    """Refuse a table that lacks an arm, or has other rows with one ROI than with another.

    Args:
        rows: of all arms and ROIs.
        keys: columns that tell the rows apart; `roi` is one of them.
        seeds: of every arm of the study.
        what: whose rows they are, for the message.

    Raises:
        DataError: an arm is missing or unknown, or rows of one are there with one ROI only; names
            it.
    """
    there = {Arm(*one) for one in zip(rows["network"], rows["rule"], strict=True)}
    if odd := sorted(there ^ {Arm(network, rule) for network in seeds for rule in seeds[network]}):
        raise DataError(f"either the study or its {what} lack {odd[0]}; run it again.")
    others = [key for key in keys if key != "roi"]
    by_roi = {roi: set(joined(part[others])) for roi, part in rows.groupby("roi")}
    first = next(iter(by_roi))
    for roi, held in by_roi.items():
        if held != by_roi[first]:
            raise DataError(
                f"the {what} have {sorted(held ^ by_roi[first])[0]} with only one of the ROIs"
                f" {first} and {roi}; delete them and rerun the command."
            )
