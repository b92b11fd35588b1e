"""Tables of `statistics/` that join those of single jobs: noise ceilings, and layers x ROIs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rulealign.arm import Mapped
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.score_tables import LayersTableSettings
from rulealign.plan.settings.scores import CeilingSettings, LayerChoiceSettings
from rulealign.provenance import fingerprint
from rulealign.rsa.compare import kinds_of_ceilings
from rulealign.rsa.layer_table import AMONG
from rulealign.rsa.mean_share import COLUMN
from rulealign.rsa.model_rdms import joined
from rulealign.rsa.tables import ALIGNMENT_KEYS, Seeds, require_whole
from rulealign.settings import Settings
from rulealign.store import read_csv, write_csv

LAYER_KEYS = [*ALIGNMENT_KEYS, AMONG]
"""Columns that tell the rows of `statistics/layers.csv` apart, in sorting order."""

_MEANS = ["score", "held_out", "chosen", "nested", COLUMN]


def ceilings_table(
    tables: Sequence[Path], rois: Sequence[str], settings: CeilingSettings, output: Path
) -> None:
    """Join the noise ceilings of all ROIs: `statistics/ceilings.csv`.

    Args:
        tables: the `brain/roi-<r>_ceiling.csv`.
        rois: the study's.
        settings: what every ceiling was made with.
        output: the CSV to make; ROIs in sorted order.

    Raises:
        GuardError: a ceiling was made with other settings than the study's; names the file.
        DataError: an ROI has no ceiling, several, or one over other pairs than the study's.
        StoreError: a file cannot be read, or the disk is full.
    """
    rows = joined_tables(tables, settings, "noise ceilings")
    kinds = kinds_of_ceilings(settings.pairs)
    expected = sorted((roi, kind) for roi in rois for kind in kinds)
    found = sorted(zip(rows["roi"], rows["pairs"], strict=True))
    if found != expected:
        raise DataError(
            f"the noise ceilings are of the ROIs and pairs {found}, the study has {expected}:"
            " every ROI needs its own, once. Rerun the command."
        )
    write_csv(output, rows.sort_values(["roi", "pairs"], kind="stable"))


def layers_table(tables: Sequence[Path], settings: LayersTableSettings, output: Path) -> None:
    """Average every layer's rows with every ROI over seeds: `statistics/layers.csv`.

    Args:
        tables: the `alignment/net-<n>_rule-<k>_roi-<r>_layers.csv`, of all arms and ROIs.
        settings: what all choices were made with, the study's seeds and its layer map.
        output: the CSV to make: `LAYER_KEYS`, `n_seeds`, `fixed` (whether the map names this layer
            for the ROI), and means over seeds of `score`, `held_out`, `chosen`, `nested` and
            `mean_vector_share`, as in `layer_table`; `folds`; `reason` where one is missing, which
            it is where a seed has none.

    Raises:
        GuardError: a table was made with other settings than the study's; names the file.
        DataError: rows of an arm, ROI or seed are missing or listed twice, or a number is missing
            without a reason.
        StoreError: a file cannot be read, or the disk is full.
    """
    rows = joined_tables(tables, settings.narrowed(LayerChoiceSettings), "layer tables")
    _require_reasons(rows)
    require_whole(rows, LAYER_KEYS, settings.seeds, "layer tables")
    _require_seeds(rows, settings.seeds)
    groups = rows.groupby(LAYER_KEYS, sort=True)
    # of all seeds or of none: a seed without a choice makes no mean of the others
    whole = groups[_MEANS].count().eq(groups.size(), axis=0)
    means = groups[_MEANS].mean().where(whole)
    means.insert(0, "n_seeds", groups.size())
    reasons = groups["reason"].agg(lambda own: next(filter(None, own), ""))
    means = means.assign(folds=groups["folds"].min(), reason=reasons)
    table = means.reset_index()
    fixed = {tuple(one) for one in settings.layer_map}
    places = zip(*(table[name] for name in Mapped._fields), strict=True)
    is_fixed = [place in fixed for place in places]
    table.insert(len(LAYER_KEYS) + 1, "fixed", is_fixed)
    write_csv(output, table)


def joined_tables(tables: Sequence[Path], settings: Settings, what: str) -> pd.DataFrame:
    """Read the tables of single jobs as one, made with the settings in force (guard 20).

    Args:
        tables: CSVs with a column `settings_hash`.
        settings: that each must have been made with.
        what: the tables' name, for messages.

    Returns:
        The rows, without `settings_hash`.

    Raises:
        GuardError: a table was made with other settings; names the file.
        DataError: there is no table, or one has no rows.
        StoreError: a file cannot be read.
    """
    if not tables:
        raise DataError(f"there are no {what} to join.")
    expected, parts = fingerprint(settings.plain()), []
    for path in map(Path, tables):
        rows = read_csv(path)
        if rows.empty or "settings_hash" not in rows:
            raise DataError(f"{path}: has no rows with `settings_hash`; delete it and run again.")
        if set(rows["settings_hash"]) != {expected}:
            keys = ", ".join(settings.plain())
            raise GuardError(
                f"{path}: was made with other settings ({keys}) than the study has now; {what} of"
                " different settings must not be mixed. Delete it and rerun the command."
            )
        if "reason" in rows:  # empty cells are read as numbers that are missing
            rows["reason"] = rows["reason"].astype(object).where(rows["reason"].notna(), "")
        parts.append(rows.drop(columns="settings_hash"))
    return pd.concat(parts, ignore_index=True)


def _require_reasons(rows: pd.DataFrame) -> None:
    told = [name for name in _MEANS if name != COLUMN]  # of given RDMs nobody knows the mean vector
    missing = rows[told].isna().any(axis=1)
    wordless = rows[missing & (rows["reason"] == "")]
    without = rows[rows["score"].isna()]
    for faulty in (wordless, without):
        if len(faulty):
            name = joined(faulty[LAYER_KEYS])[0]
            raise DataError(f"the layer tables lack a number of {name} and do not say why.")


def _require_seeds(rows: pd.DataFrame, seeds: Seeds) -> None:
    for place, found in rows.groupby(LAYER_KEYS)["seed"]:
        network, rule, *_ = place
        if sorted(found) != (expected := sorted(seeds[network][rule])):
            raise DataError(
                f"{'_'.join(map(str, place))} has the seeds {sorted(found)}, the study has"
                f" {expected}; a mean over seeds needs each once."
            )
