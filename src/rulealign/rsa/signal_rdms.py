"""RDMs of gradients and teaching signals: files of the same form as those of activations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.scores import SignalRdmSettings
from rulealign.rsa.model_rdms import NETWORK_KEYS
from rulealign.rsa.rdm import CENTRING, correlation_rdm
from rulealign.rsa.rdm_file import dataset_names, read_attributes
from rulealign.store import open_h5, read_ids, write_h5

_FEATURES = "features"


def write_signal_rdms(signals: Path, output: Path, settings: SignalRdmSettings) -> None:
    """Write the RDMs of one kind of signals at every layer, descriptor and centring of a network.

    Args:
        signals: a file of `signals/`; datasets `<layer>/<descriptor>/<features>`.
        output: the file to make; as `rdm.write_model_rdms` makes it, with the attribute `features`.
        settings: of the RDMs, and which signals.

    Raises:
        DataError: there are no such signals, or a stimulus has no RDM row (`correlation_rdm`).
        StoreError: the signals cannot be read, or the disk is full.
    """
    with open_h5(signals) as file:
        ids = read_ids(file, "stimulus")
        attributes = read_attributes(file, (*NETWORK_KEYS, "settings_hash"))
        attributes["activations_settings_hash"] = attributes.pop("settings_hash")
        arrays = {}
        for name in dataset_names(file, depth=3):
            place, _, kind = name.rpartition("/")
            if kind == settings.dataset:
                own = _rdms(file[name][()], ids, settings.centring, f"{signals}: {name}")
                arrays |= {f"{place}/{centring}": rdm for centring, rdm in own.items()}
    if not arrays:
        raise DataError(
            f"{signals}: has no signals '{settings.dataset}'; delete it and rerun the command."
        )
    about = {"settings": settings.plain(), "attributes": attributes | {_FEATURES: settings.dataset}}
    write_h5(output, arrays, ids={"stimulus": ids}, **about)


def _rdms(
    values: np.ndarray, ids: Sequence[str], centring: Sequence[str], what: str
) -> dict[str, np.ndarray]:
    try:
        return {
            one: correlation_rdm(values, centred=CENTRING[one], ids=ids).astype(np.float32)
            for one in centring
        }
    except DataError as error:
        raise DataError(f"{what}: {error}") from error


def require_features(files: Sequence[Path], features: str) -> None:
    """Refuse files of RDMs that are of other features.

    Args:
        files: made by `write_signal_rdms`.
        features: that they must be of.

    Raises:
        GuardError: one is of others; names it.
        StoreError: a file cannot be read, or says nothing of features.
    """
    for path in files:
        with open_h5(path) as file:
            found = read_attributes(file, (_FEATURES,))[_FEATURES]
        if found != features:
            raise GuardError(f"{path}: is of '{found}', not of '{features}'.")
