"""The features of one rule's networks, found in their files and read a layer at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.errors import GuardError
from rulealign.rsa.model_rdms import NETWORK_KEYS
from rulealign.rsa.rdm_file import dataset_names, read_attributes, require_files
from rulealign.store import open_h5, read_ids, require_same_ids

ACTIVATIONS = "activations"
"""What features are, where they are what a layer gives."""

FEATURE_KEYS = (*NETWORK_KEYS, "layer", "descriptor", "features")
"""What tells features apart: columns of the tables, in sorting order."""

_VARYING = ("seed", "epoch", "stimuli", "size")


@dataclass(frozen=True)
class Features:
    """Where the features of one rule's networks are.

    Attributes:
        index: a row for each, with the columns `FEATURE_KEYS`, `path` and `name` (of the dataset);
            sorted by `FEATURE_KEYS`.
        ids: stimulus ids, in the order of the rows of all of them.
    """

    index: pd.DataFrame
    ids: list[str]


def find_features(activations: Sequence[Path], signals: Sequence[Path] = ()) -> Features:
    """List the features in files of activations, gradients and teaching signals.

    Args:
        activations: the files of `activations/` of one rule, for all seeds, epochs, stimulus sets
            and sizes; none where they are not asked for.
        signals: the same of `signals/`.

    Returns:
        What there is, without reading it.

    Raises:
        DataError: there is no file, one is listed twice, or stimulus ids differ.
        GuardError: two files are of different rules, or were made with different settings.
        StoreError: a file is no such file of this pipeline.
    """
    require_files([*activations, *signals], "feature")
    held = [
        _held(path, depth) for files, depth in ((activations, 2), (signals, 3)) for path in files
    ]
    first = held[0]
    for one in held[1:]:
        require_same_ids(first.ids, one.ids, first.path, one.path)
        _require_same_rule(first, one)
    index = pd.DataFrame([row for one in held for row in one.rows])
    index.columns = [*FEATURE_KEYS, "path", "name"]
    return Features(index.sort_values(list(FEATURE_KEYS), ignore_index=True), first.ids)


@dataclass(frozen=True)
class _Held:
    path: str
    ids: list[str]
    shared: dict[str, object]
    depth: int
    rows: list[tuple]


def _held(path: Path, depth: int) -> _Held:
    with open_h5(path) as file:
        keys = read_attributes(file, (*NETWORK_KEYS, "settings_hash"))
        ids, names = read_ids(file, "stimulus"), dataset_names(file, depth)
    own = [keys[key] for key in NETWORK_KEYS]
    # layer, descriptor, features; files of activations leave the last one out
    rows = [(*own, *[*name.split("/"), ACTIVATIONS][:3], str(path), name) for name in names]
    shared = {key: value for key, value in keys.items() if key not in _VARYING}
    return _Held(str(path), ids, shared, depth, rows)


def _require_same_rule(one: _Held, other: _Held) -> None:
    # activations are made with other settings than signals
    apart = {"settings_hash"} if one.depth != other.depth else set()
    if any(other.shared[key] != value for key, value in one.shared.items() if key not in apart):
        raise GuardError(
            f"{one.path} and {other.path} are of different rules or were made with different"
            " settings, and must not be mixed; delete the older one and rerun the command."
        )


def read_features(path: Path, name: str) -> np.ndarray:
    """Read features of one layer.

    Args:
        path: a file of activations.
        name: of the dataset.

    Returns:
        float64, shape (n_stimuli, n_features).

    Raises:
        StoreError: the file cannot be read.
    """
    with open_h5(path) as file:
        return file[name][()].astype(np.float64)
