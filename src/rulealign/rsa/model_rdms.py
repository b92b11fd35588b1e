"""The RDMs of the networks of one arm, read back with every check that they belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.errors import DataError, GuardError
from rulealign.rsa.ranking import require_rankable
from rulealign.rsa.rdm_file import (
    dataset_names,
    read_attributes,
    require_files,
    require_size,
)
from rulealign.store import open_h5, read_ids, require_same_ids

NETWORK_KEYS = ("network", "rule", "seed", "epoch", "stimuli", "size")
"""What tells files of RDMs apart: the first two the arm, the others its files."""

MODEL_KEYS = (*NETWORK_KEYS, "layer", "descriptor", "centring")
"""What tells model RDMs apart: columns of the tables, in sorting order."""

UNIVERSE_KEYS = (*MODEL_KEYS, "roi", "convention", "pairs", "comparison", "control")
"""Columns that tell the rows of `alignment/*_universes.csv` apart, in sorting order."""


@dataclass(frozen=True)
class ModelRdms:
    """The RDMs of the networks of one arm.

    Attributes:
        index: one row per RDM, with the columns `MODEL_KEYS`; sorted by them.
        ids: stimulus ids, in the order of the pairs.
        rdms: float32, shape (n_rdms, n_pairs); in the order of `index`.
    """

    index: pd.DataFrame
    ids: list[str]
    rdms: np.ndarray

    @property
    def names(self) -> list[str]:
        """What to call each RDM: its keys, joined."""
        return joined(self.index)


def joined(keys: pd.DataFrame) -> list[str]:
    """Join the values of each row by underscores, into its name.

    Args:
        keys: a table whose columns tell its rows apart.

    Returns:
        One name per row, such as `cnn3_bp_42_0_grey_32_conv1_grid-8_centred`.
    """
    return ["_".join(map(str, row)) for row in keys.itertuples(index=False)]


def read_model_rdms(files: Sequence[Path], arm: Arm) -> ModelRdms:
    """Read all RDMs of the networks of one arm.

    Args:
        files: the files of `rdms/` of this arm, for all seeds, epochs, stimulus sets and sizes.
        arm: the network and the rule.

    Returns:
        The RDMs, sorted by `MODEL_KEYS`.

    Raises:
        DataError: there is no file, two files hold the same networks, stimulus ids or the sets of
            layers differ, or an RDM is not finite or of another size than its ids.
        GuardError: a file is of another arm, or was made with other settings.
        StoreError: a file is no RDM file of this pipeline.
    """
    require_files(files, "model")
    heads = [_read_head(Path(path), arm) for path in files]
    first = heads[0]
    for one in heads[1:]:
        require_same_ids(first.ids, one.ids, first.path, one.path)
        _require_same_content(first, one)
    rows = [row for one in heads for row in one.rows]
    index = pd.DataFrame(rows, columns=list(MODEL_KEYS))
    order = index.sort_values(list(MODEL_KEYS), kind="stable").index.to_numpy()
    index = index.iloc[order].reset_index(drop=True)
    repeated = index.duplicated()
    if repeated.any():
        raise DataError(f"two files hold the RDM {joined(index[repeated])[0]}; list it once.")
    # each is read into its own place: thousands of RDMs of 258,840 pairs leave no room for copies
    rdms = np.empty((len(index), len(first.ids) * (len(first.ids) - 1) // 2), dtype=np.float32)
    places = iter(np.argsort(order))
    for one in heads:
        _read_rdms(one, rdms, [next(places) for _ in one.names])
    return ModelRdms(index, first.ids, rdms)


@dataclass(frozen=True)
class _ModelFile:
    path: str
    settings_hash: str
    ids: list[str]
    names: list[str]
    rows: list[tuple]


def _read_head(path: Path, arm: Arm) -> _ModelFile:
    with open_h5(path) as file:
        keys = read_attributes(file, (*NETWORK_KEYS, "settings_hash"))
        require_arm(keys, arm, path)
        ids = read_ids(file, "stimulus")
        names = dataset_names(file, depth=3)
    rows = [(*(keys[key] for key in NETWORK_KEYS), *name.split("/")) for name in names]
    return _ModelFile(str(path), keys["settings_hash"], ids, names, rows)


def require_arm(keys: Mapping[str, Any], arm: Arm, path: Path) -> None:
    """Refuse a file of RDMs of another network or rule.

    Args:
        keys: `NETWORK_KEYS` of the file.
        arm: that it must be of.
        path: of the file.

    Raises:
        GuardError: names the file, what it is of and what is expected.
    """
    if (found := Arm(keys["network"], keys["rule"])) != arm:
        raise GuardError(f"{path}: is of {found}, not of {arm}.")


def _read_rdms(head: _ModelFile, rdms: np.ndarray, places: list[int]) -> None:
    # fills in the file's RDMs at their places
    with open_h5(Path(head.path)) as file:
        for name, place in zip(head.names, places, strict=True):
            what, rdm = f"{head.path}: {name}", file[name][()].astype(np.float32)
            require_size(rdm, head.ids, what)
            require_rankable(rdm[np.newaxis], [what])
            rdms[place] = rdm


def _require_same_content(one: _ModelFile, other: _ModelFile) -> None:
    if one.settings_hash != other.settings_hash:
        raise GuardError(
            f"{one.path} and {other.path} were made with different settings and must not be"
            " mixed; delete the older one and rerun the command."
        )
    held, others = ({row[len(NETWORK_KEYS) :] for row in file.rows} for file in (one, other))
    if held != others:
        raise DataError(
            f"{one.path} and {other.path} hold different RDMs: only one of them has"
            f" {'/'.join(sorted(held ^ others)[0])}."
        )
