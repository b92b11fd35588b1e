"""Every trained rule less its baseline at the same epoch: `statistics/baselines.csv`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.arm import Arm, Mapped
from rulealign.errors import DataError
from rulealign.plan.settings.score_tables import BaselineSettings
from rulealign.reasons import MissingValue
from rulealign.rsa.alignment import row_ids
from rulealign.rsa.bootstrap.alignment_samples import AlignmentSamples, read_alignment_samples
from rulealign.rsa.bootstrap.pooled_seeds import Alike, Term, effects_alike, seeds_part
from rulealign.rsa.bootstrap.primary import Effect, goal_words, primary_interval
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.compare import PER_SUBJECT
from rulealign.rsa.tables import ALIGNMENT_KEYS, require_shared_bootstrap
from rulealign.store import open_h5, read_csv, read_ids, require_same_ids, write_csv

BASELINE = "baseline"

_KEYS = [name for name in ALIGNMENT_KEYS if name not in ("rule", "epoch")]
_INTERVAL = ["standard_error", "degrees_of_freedom", "low", "high", "p", "generalises_to", "reason"]
_VALUES = ["n_seeds", "score", *_INTERVAL, "percentile_low", "percentile_high"]
_VALUES += ["seed_low", "seed_high"]


@dataclass(frozen=True)
class _Side:
    """Rows of a table of alignment at one layer, with their draws and samples.

    Attributes:
        rows: of the table.
        drawn: float64, shape (draws, rows).
        samples: what their primary interval needs.
    """

    rows: pd.DataFrame
    drawn: np.ndarray
    samples: AlignmentSamples

    def effect(self, places: Sequence[int]) -> Effect | None:
        """Give some rows, one per seed, as an effect; None where they have no samples."""
        return self.samples.effect(row_ids(self.rows.loc[list(places)]))


def baselines_table(
    tables: Sequence[Path], draws: Sequence[Path], settings: BaselineSettings, output: Path
) -> None:
    """Subtract from every trained rule the control that the study names for it.

    Both are of the same epoch and the same seeds; a baseline that does not train has epoch 0 alone,
    which stands for every epoch. Differences are averaged over the seeds that both have, and so
    are those in each resample of the stimuli, which both share. The interval is the primary one
    (`bootstrap.primary`): over seeds, and what the study generalises to; below 3 seeds their
    variance is pooled over the rules of this table that train.

    Args:
        tables: the `alignment/net-<n>_rule-<k>_roi-<r>.csv` of arms and of their baselines.
        draws: their `*_draws.h5`, in the same order.
        settings: what all draws were made with, the layer map, and each rule's baseline.
        output: the CSV to make: `tables.ALIGNMENT_KEYS`, `baseline`, `n_seeds`, the difference
            `score` with its primary interval and two-sided `p`, `generalises_to`, `reason` (why
            there is no interval), percentiles of the resamples, and the differences of the lowest
            and highest seed. Epochs from 1 on.

    Raises:
        GuardError: draws were made with other bootstrap settings or over other pairs; names both.
        DataError: draws do not belong to their table, or a baseline lacks what its rule has.
        StoreError: a file cannot be read, or the disk is full.
    """
    if draws:
        require_shared_bootstrap([Path(path) for path in draws], settings)
    files = dict(_named(tables, draws))
    places = list(map(Mapped._make, settings.layer_map))
    trained = {place: _Trained(files, place, settings) for place in places}
    rows = [
        row
        for place in places
        for rule, baseline in settings.baselines[place.network].items()
        for row in _differences(
            _read(files, rule, place, settings.generalise_to),
            _read(files, baseline, place, settings.generalise_to),
            baseline,
            trained[place],
        )
    ]
    found = pd.DataFrame(rows, columns=[*ALIGNMENT_KEYS, BASELINE, *_VALUES])
    write_csv(output, found.drop_duplicates().sort_values(ALIGNMENT_KEYS, kind="stable"))


Files = Mapping[tuple[str, str, str], tuple[pd.DataFrame, Path, Path]]
"""(network, rule, ROI) -> the rows of its table, the table and its draws."""


def _named(
    tables: Sequence[Path], draws: Sequence[Path]
) -> Iterator[tuple[tuple[str, str, str], tuple[pd.DataFrame, Path, Path]]]:
    for table, path in zip(map(Path, tables), map(Path, draws), strict=True):
        rows = read_csv(table)
        yield tuple(rows.loc[0, ["network", "rule", "roi"]]), (rows, table, path)


def _read(files: Files, rule: str, place: Mapped, goal: str) -> _Side:
    key = place.network, rule, place.roi
    if key not in files:
        raise DataError(f"there is no alignment table of {Arm(*key[:2])} with {place.roi}.")
    rows, table, path = files[key]
    names = row_ids(rows)
    with open_h5(path) as file:
        require_same_ids(names, read_ids(file, "row"), str(table), str(path))
        places = np.flatnonzero(rows["layer"] == place.layer)
        drawn = file["draws"][:, places].astype(np.float64)
        scores = dict(zip(names, rows["score"], strict=True))
        samples = read_alignment_samples(file, scores, goal)
    own = rows.iloc[places].reset_index(drop=True)
    _require_samples(own[own["convention"] == PER_SUBJECT], samples, path)
    return _Side(own, drawn, samples)


def _require_samples(rows: pd.DataFrame, samples: AlignmentSamples, path: Path) -> None:
    for name in row_ids(rows):
        if name not in samples.columns:
            raise DataError(
                f"{path}: has no scores of {name} without each stimulus, which its interval needs;"
                " delete the file and rerun the command."
            )


@dataclass(frozen=True)
class _Trained:
    """Scores of all rules of the table that train, for the pooled variance over seeds."""

    files: Files
    place: Mapped
    settings: BaselineSettings
    _courses: dict[tuple, pd.DataFrame] = field(default_factory=dict)

    def alike(self, known: Mapping[str, Any], baseline: str) -> Alike:
        """Give the difference of a row with every trained rule in the place of its own."""
        wanted = {key: known[key] for key in _KEYS}
        named = self.settings.baselines[self.place.network]
        there = {
            rule: self._course(rule, wanted) for rule in dict.fromkeys([*named, *named.values()])
        }
        trained = [rule for rule, course in there.items() if max(course, default=0) > 0]
        epoch = known["epoch"]
        less = Term(baseline, epoch if baseline in trained else 0, self.place)
        weights = {Term(known["rule"], epoch, self.place): 1.0, less: -1.0}
        return effects_alike(weights, trained, lambda rule, _: there[rule])

    def _course(self, rule: str, wanted: Mapping[str, Any]) -> pd.DataFrame:
        # many rows want the same
        if (key := (rule, *wanted.values())) not in self._courses:
            rows, *_ = self.files[self.place.network, rule, self.place.roi]
            own = rows[(rows[list(wanted)] == pd.Series(wanted)).all(axis=1)]
            course = own.pivot(index="seed", columns="epoch", values="score").dropna()
            self._courses[key] = course
        return self._courses[key]


def _differences(
    own: _Side, other: _Side, baseline: str, trained: _Trained
) -> Iterator[dict[str, Any]]:
    trains = other.rows["epoch"].max() > 0
    at = [*_KEYS, "seed", *(["epoch"] if trains else [])]
    known_places = other.rows[at].itertuples(index=False, name=None)
    places = dict(zip(known_places, other.rows.index, strict=True))
    shared = own.rows[own.rows["seed"].isin(other.rows["seed"]) & (own.rows["epoch"] > 0)]
    for key, rows in shared.groupby(ALIGNMENT_KEYS, sort=True):
        known = dict(zip(ALIGNMENT_KEYS, key, strict=True))
        matched = [_place(places, row, baseline) for row in rows[at].itertuples(False, None)]
        values = rows["score"].to_numpy() - other.rows["score"].to_numpy()[matched]
        sampled = (own.drawn[:, rows.index] - other.drawn[:, matched]).mean(axis=1)
        ends = percentile_interval(sampled, trained.settings.interval)
        alike = partial(trained.alike, known, baseline)
        yield {
            **known,
            BASELINE: baseline,
            "n_seeds": len(rows),
            "score": values.mean(),
            **_interval(
                own.effect(rows.index), other.effect(matched), values, alike, trained.settings
            ),
            **dict(zip(("percentile_low", "percentile_high"), map(float, ends), strict=True)),
            "seed_low": values.min(),
            "seed_high": values.max(),
        }


def _interval(
    own: Effect | None,
    other: Effect | None,
    by_seed: np.ndarray,
    alike: Callable[[], Alike],
    settings: BaselineSettings,
) -> dict[str, Any]:
    # the primary interval, or why there is none
    if own is None or other is None:
        why = "the mean RDM has no scores of single subjects, to which the study generalises"
        return dict.fromkeys(_INTERVAL) | {"reason": why}
    effect = own.less(other)
    of_seed, over = seeds_part(by_seed, alike)
    goal = settings.generalise_to
    try:
        found = primary_interval(effect, goal, settings.interval, of_seed)._asdict()
    except MissingValue as missing:
        return dict.fromkeys(_INTERVAL) | {"reason": missing.reason}
    return {name: found.get(name) for name in _INTERVAL} | {
        "generalises_to": f"{goal_words(goal)}, {over}"
    }


def _place(places: Mapping[tuple, int], row: tuple, baseline: str) -> int:
    if row not in places:
        raise DataError(
            f"{baseline} has no score of {'_'.join(map(str, row))}, which its rule has; delete its"
            " alignment tables and rerun the command."
        )
    return places[row]
