"""What the universes of claims are computed from, read set by set with every check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.claims import UniverseSettings
from rulealign.rsa.control_rdms import ControlRdms, read_control_rdms
from rulealign.rsa.layer_table import NO_SPACE
from rulealign.rsa.model_rdms import NETWORK_KEYS, ModelRdms, read_model_rdms, require_arm
from rulealign.rsa.rdm_file import read_attributes, require_files
from rulealign.store import open_h5, read_ids, require_same_ids

_SET = ("stimuli", "size")


@dataclass(frozen=True)
class UniverseSet:
    """Everything that is shown at one size from one stimulus set.

    Attributes:
        models: RDMs of the networks of one arm.
        controls: the controls' RDMs; None where no control is partialled out.
    """

    models: ModelRdms
    controls: ControlRdms | None


def read_sets(
    rdm_files: Sequence[Path],
    control_files: Sequence[Path],
    arm: Arm,
    settings: UniverseSettings,
    ids: Sequence[str],
) -> Iterator[UniverseSet]:
    """Read the RDMs of the networks of one arm, one stimulus set and size after another.

    All files are checked before the first set is read, and no more than one set is held.

    Args:
        rdm_files: the arm's files of `rdms/`.
        control_files: the files of control RDMs; may be empty where no control is partialled out.
        arm: the network and the rule.
        settings: of the universes.
        ids: the brains' stimulus ids.

    Yields:
        The sets, sorted, with the RDMs of these layers, descriptors and centrings.

    Raises:
        DataError: stimulus ids differ (names both files and the first difference), a network that
            others have for another stimulus set or size is missing, a layer, descriptor or
            centring is, or an RDM is constant, not finite or listed twice.
        GuardError: a file is of another arm, or was made with other settings.
        StoreError: a file cannot be read.
    """
    require_files(rdm_files, "model")
    by_set = _files_by_set([Path(path) for path in rdm_files], arm, ids)
    controlled = any(one["control"] != "none" for one in settings.analyses)
    for (stimuli, size), files in by_set.items():
        models = read_model_rdms(files, arm)
        kept = _wanted(models.index, settings, files[0])
        models = ModelRdms(models.index[kept].reset_index(drop=True), models.ids, models.rdms[kept])
        controls = None
        if controlled:
            controls = read_control_rdms(control_files, stimuli, size)
            require_same_ids(models.ids, controls.ids, str(files[0]), controls.path)
        yield UniverseSet(models, controls)


def _files_by_set(
    files: Sequence[Path], arm: Arm, ids: Sequence[str]
) -> dict[tuple[str, int], list[Path]]:
    rows = []
    for path in files:
        with open_h5(path) as file:
            keys = read_attributes(file, (*NETWORK_KEYS, "settings_hash"))
            found = read_ids(file, "stimulus")
        require_arm(keys, arm, path)
        require_same_ids(found, ids, str(path), "the brain RDMs")
        rows.append(keys | {"path": path})
    table = pd.DataFrame(rows)
    other = table[table["settings_hash"] != table["settings_hash"].iloc[0]]
    if len(other):
        raise GuardError(
            f"{files[0]} and {other['path'].iloc[0]} were made with different settings and must not"
            " be mixed; delete the older one and rerun the command."
        )
    _require_complete(table)
    return {place: list(own["path"]) for place, own in table.groupby(list(_SET))}


def _require_complete(table: pd.DataFrame) -> None:
    keys = list(NETWORK_KEYS[2:])
    there = set(table[keys].itertuples(index=False, name=None))
    for wanted in product(*(sorted(set(table[key])) for key in keys)):
        if wanted not in there:
            seed, epoch, stimuli, size = wanted
            arm = Arm(*table.loc[0, ["network", "rule"]])
            raise DataError(
                f"no file of {arm}, seed {seed}, epoch {epoch} is of the stimuli"
                f" '{stimuli}' at {size} px, though others of its seeds, epochs, stimuli and sizes"
                f" are there, such as {table['path'].iloc[0]}; list all of them."
            )


def _wanted(index: pd.DataFrame, settings: UniverseSettings, path: Path) -> np.ndarray:
    for layer in settings.layers:
        own = index[index["layer"] == layer]
        vector = (own["descriptor"] == NO_SPACE).any()
        for key, wanted in (
            ("descriptor", [NO_SPACE] if vector else settings.descriptors),
            ("centring", settings.centring),
        ):
            lacking = [one for one in wanted if one not in set(own[key])]
            if lacking:
                raise DataError(
                    f"{path}: has no RDM of the layer '{layer}' with the {key} '{lacking[0]}';"
                    f" it has the layers {sorted(set(index['layer']))}."
                )
    return (
        index["layer"].isin(settings.layers)
        & index["descriptor"].isin([*settings.descriptors, NO_SPACE])
        & index["centring"].isin(settings.centring)
    ).to_numpy()
