"""The encoding of all rules and ROIs in one table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rulealign.arm import Arm
from rulealign.encoding.encode import ENCODING_KEYS
from rulealign.errors import DataError
from rulealign.plan.settings.encoding import EncodingSettings, EncodingTableSettings
from rulealign.rsa.joined_tables import joined_tables
from rulealign.rsa.tables import require_whole
from rulealign.store import write_csv


def encoding_table(tables: Sequence[Path], settings: EncodingTableSettings, output: Path) -> None:
    """Join the encoding tables of all rules and ROIs: `statistics/encoding.csv`.

    Args:
        tables: the `encoding/*.csv`.
        settings: what all of them were made with, and the study's seeds.
        output: the CSV to make; sorted by `ENCODING_KEYS`.

    Raises:
        GuardError: a table was made with other settings than the study's; names the file.
        DataError: a rule or ROI is missing or listed twice, or seeds are missing.
        StoreError: a file cannot be read, or the disk is full.
    """
    rows = joined_tables(tables, settings.narrowed(EncodingSettings), "encoding tables")
    require_whole(rows, ENCODING_KEYS, settings.seeds, "encoding tables")
    if rows.duplicated(ENCODING_KEYS).any():
        raise DataError("two encoding tables have the same rows; list each table once.")
    for (network, rule, found), _ in rows.groupby(["network", "rule", "n_seeds"]):
        if found != len(settings.seeds[network][rule]):
            raise DataError(
                f"the encoding tables of {Arm(network, rule)} are over {found} seeds, the study has"
                f" {len(settings.seeds[network][rule])}; delete them and rerun the command."
            )
    write_csv(output, rows.sort_values(ENCODING_KEYS, kind="stable"))
