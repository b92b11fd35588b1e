"""Differences of scores on a page of docs/results, on the same resamples of the stimuli."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rulealign.arm import Arm
from rulealign.errors import DataError
from rulealign.plan.files import FILES
from rulealign.plan.settings.scores import ScoreSettings
from rulealign.report.formatting import with_ends
from rulealign.rsa.alignment import row_ids
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.compare import PER_SUBJECT
from rulealign.rsa.tables import require_shared_bootstrap
from rulealign.store import open_h5, read_csv, read_ids, require_same_ids


def difference(
    results: Path,
    bootstrap: ScoreSettings,
    networks: Sequence[tuple[Arm, int]],
    view: Mapping[str, Any],
) -> tuple[str, bool]:
    """Write how much higher one network scores than another, over the seeds that both have.

    Args:
        results: the folder of the study's results.
        bootstrap: the settings in force.
        networks: arm and epoch of two; the second is subtracted.
        view: layer, roi, and what else tells rows apart: stimuli, size, centring, descriptor.

    Returns:
        The difference with its interval, and whether that excludes zero. The interval does not
        contain the spread over seeds.

    Raises:
        DataError: a score is not there once for every seed, no seed is shared, or draws do not
            belong to their table or are of other stimuli.
        GuardError: draws were made with other bootstrap settings than the study has.
    """
    files = {arm: _alignment(results, arm, view["roi"]) for arm, _ in networks}
    require_shared_bootstrap([files[arm][1] for arm, _ in networks], bootstrap)
    first, second = (_draws(*files[arm], {"epoch": epoch} | view) for arm, epoch in networks)
    seeds = sorted(first.keys() & second.keys())
    if not seeds:
        one, other = networks
        raise DataError(f"{one} and {other} share no seed, so no difference can be taken.")
    score, draws = (
        np.mean([first[seed][part] - second[seed][part] for seed in seeds], axis=0)
        for part in (0, 1)
    )
    low, high = percentile_interval(draws[:, None], bootstrap.interval)
    return with_ends(score, low.item(), high.item()), bool(low > 0 or high < 0)


def _draws(
    table: Path, path: Path, wanted: Mapping[str, Any]
) -> dict[int, tuple[float, np.ndarray]]:
    rows = read_csv(table)
    found = rows["convention"] == PER_SUBJECT
    for column, value in wanted.items():
        found &= rows[column] == value
    chosen = rows[found]
    if chosen.empty or chosen["seed"].duplicated().any():
        raise DataError(f"{table} has not one row a seed of {dict(wanted)}.")
    with open_h5(path) as file:
        require_same_ids(row_ids(rows), read_ids(file, "row"), str(table), str(path))
        draws = file["draws"][()].astype(np.float64)
    return {
        seed: (score, draws[:, place])
        for place, seed, score in zip(chosen.index, chosen["seed"], chosen["score"], strict=True)
    }


def _alignment(results: Path, arm: Arm, roi: str) -> tuple[Path, Path]:
    table, draws = (FILES[what].format(**arm._asdict(), roi=roi) for what in ("alignment", "draws"))
    return results / table, results / draws
