"""How much of each RDM the mean feature vector explains, read back from RDM files (guard 33)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rulealign.rsa.model_rdms import NETWORK_KEYS
from rulealign.rsa.rdm import SHARE
from rulealign.rsa.rdm_file import dataset_names, read_attributes
from rulealign.store import open_h5

COLUMN = SHARE
"""The column of the share: of the variance of the uncentred RDM, from 0 to 1."""


def mean_shares(rdm_files: Sequence[Path]) -> pd.DataFrame:
    """Read the share of each uncentred RDM's variance that the mean feature vector explains.

    Near 1, an uncentred RDM tells little but how typical each stimulus is of all: a score then
    rests on that. How it is computed is told in `rdm.mean_vector_share`. It is a property of the
    features, so there is one for both centrings; the mean itself is gone from centred RDMs.

    Args:
        rdm_files: files of `rdms/`.

    Returns:
        A row per network, layer and descriptor: `NETWORK_KEYS`, `layer`, `descriptor` and the
        share.

    Raises:
        StoreError: a file cannot be read or has no share for one of its layers.
    """
    rows = []
    for path in map(Path, rdm_files):
        with open_h5(path) as file:
            known = read_attributes(file, NETWORK_KEYS)
            names = {name.rpartition("/")[0] for name in dataset_names(file, depth=3)}
            shares = read_attributes(file, [f"{SHARE}:{name}" for name in sorted(names)])
        for name in sorted(names):
            layer, descriptor = name.split("/")
            own = {"layer": layer, "descriptor": descriptor, COLUMN: shares[f"{SHARE}:{name}"]}
            rows.append(known | own)
    return pd.DataFrame(rows)
