"""The scores over time of all rules and ROIs in one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rulealign.arm import Arm
from rulealign.errors import DataError
from rulealign.plan.settings.score_tables import OverTimeTableSettings
from rulealign.plan.settings.scores import OverTimeSettings
from rulealign.rsa.courses import LAYER_KEYS
from rulealign.rsa.joined_tables import joined_tables
from rulealign.rsa.tables import require_whole
from rulealign.store import write_csv

OVER_TIME_KEYS = [*LAYER_KEYS, "roi", "statistic", "time"]
"""Columns that tell the rows of `statistics/over_time.csv` apart, in sorting order."""


def over_time_table(tables: Sequence[Path], settings: OverTimeTableSettings, output: Path) -> None:
    """Join the scores over time of all rules and ROIs: `statistics/over_time.csv`.

    Args:
        tables: the `alignment/*_times.csv`.
        settings: what all of them were made with, and the study's seeds.
        output: the CSV to make; sorted by `OVER_TIME_KEYS`, rows of a whole network last.

    Raises:
        GuardError: a table was made with other settings than the study's; names the file.
        DataError: a rule or ROI is missing or listed twice, or seeds are missing.
        StoreError: a file cannot be read, or the disk is full.
    """
    rows = joined_tables(tables, settings.narrowed(OverTimeSettings), "tables over time")
    require_whole(rows, [*LAYER_KEYS, "roi"], settings.seeds, "tables over time")
    if rows.duplicated(OVER_TIME_KEYS).any():
        raise DataError("two tables over time have the same rows; list each table once.")
    for (network, rule, found), _ in rows.groupby(["network", "rule", "n_seeds"]):
        if found != (expected := len(settings.seeds[network][rule])):
            raise DataError(
                f"the tables over time of {Arm(network, rule)} are over {found} seeds, the study"
                f" has {expected}; delete them and rerun the command."
            )
    write_csv(output, rows.sort_values(OVER_TIME_KEYS, kind="stable"))
