"""What models made of the stimuli elsewhere, taken over into files like those made here."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from rulealign import guards
from rulealign.arm import Arm
from rulealign.data.rdm_axes import square_rdms
from rulealign.data.rdm_check import whole_rdm
from rulealign.data.rdm_formats import stored_rdms
from rulealign.data.rdm_formats.stored import StoredRdms
from rulealign.data.rdm_names import listed_ids
from rulealign.data.same_names import as_names
from rulealign.errors import DataError
from rulealign.learning.given import ONE_ARRAY, filled
from rulealign.plan.settings.activations import GivenActivationSettings, GivenModelRdmSettings
from rulealign.provenance import state_hash
from rulealign.rsa.model_rdms import NETWORK_KEYS
from rulealign.rsa.rdm import SHARE
from rulealign.rsa.rdm_file import read_attributes
from rulealign.store import open_h5, read_ids, refuse_duplicates, write_h5

VECTOR = "vector"
"""The descriptor of layers without positions."""


def take_activations(
    file: str,
    stimuli: Path,
    output: Path,
    settings: GivenActivationSettings,
    *,
    arm: Arm,
    seed: int,
    epoch: int,
    size: int,
) -> None:
    """Take activations over that were computed elsewhere, in the order of the stimuli.

    Args:
        file: as the table names it, with {stimuli}, {size} and {layer} in it.
        stimuli: `stim-<label>_px-<size>_images.h5`, for its ids.
        output: the file to make: float32 datasets `<layer>/vector`, shape (stimuli, features).
        settings: layers, and where ids are.
        arm: the network and the rule.
        seed: of the model.
        epoch: of the model.
        size: pixels per side of the stimuli.

    Raises:
        DataError: a file lacks a layer, holds anything but stimuli x features, or its ids are not
            those of the stimuli.
        StoreError: a file cannot be read or written.
    """
    ids, values = _shown(stimuli, size)
    arrays = {}
    for layer in settings.layers:
        path, stored = _stored(file, {**values, "layer": layer})
        rows = rows_of_stimuli(stored, ids, settings.ids, path)
        arrays[f"{layer}/{VECTOR}"] = _features(stored.numbers, path, layer, len(rows))[rows]
    about = {**arm._asdict(), "seed": seed, "epoch": epoch, **values}
    _write(output, arrays, ids, settings, about)


def take_rdms(
    file: str,
    stimuli: Path,
    output: Path,
    settings: GivenModelRdmSettings,
    *,
    arm: Arm,
    seed: int,
    epoch: int,
    size: int,
) -> None:
    """Take RDMs over that were computed elsewhere, in the order of the stimuli.

    Args:
        file: as the table names it, with {stimuli}, {size}, {layer} and {centring} in it.
        stimuli: as in `take_activations`.
        output: the file to make, as `rdm.write_model_rdms` does: float32 datasets
            `<layer>/vector/<centring>`, shape (pairs,); shares of mean vectors are NaN.
        settings: layers, centrings, and where ids are.
        arm: the network and the rule.
        seed: of the model.
        epoch: of the model.
        size: pixels per side of the stimuli.

    Raises:
        DataError: a file lacks a layer, holds no RDM (`data.rdm_check`), or its ids are not those
            of the stimuli.
        StoreError: a file cannot be read or written.
    """
    ids, values = _shown(stimuli, size)
    arrays, shares = {}, {}
    for layer, centring in product(settings.layers, settings.centring):
        path, stored = _stored(file, {**values, "layer": layer, "centring": centring})
        square = square_rdms(stored.numbers, (1, 1), stored.axes, path)[0, 0]
        rows = rows_of_stimuli(stored, ids, settings.ids, path)
        if len(rows) != len(square):
            raise DataError(f"{path}: an RDM of {len(square)} stimuli, with {len(rows)} ids.")
        names = [ids[place] for place in np.argsort(rows)]
        ordered = whole_rdm(square, names, f"{path}: {layer}")[np.ix_(rows, rows)]
        condensed = ordered[np.triu_indices(len(ids), 1)]
        arrays[f"{layer}/{VECTOR}/{centring}"] = condensed.astype(np.float32)
        shares[f"{SHARE}:{layer}/{VECTOR}"] = np.nan
    about = {**arm._asdict(), "seed": seed, "epoch": epoch, **values, **shares}
    _write(output, arrays, ids, settings, about)


def _shown(stimuli: Path, size: int) -> tuple[list[str], dict[str, Any]]:
    with open_h5(stimuli) as held:
        ids = read_ids(held, "stimulus")
    label = re.fullmatch(r"stim-(\w+)_px-\d+_images", Path(stimuli).stem)[1]
    return ids, {"stimuli": label, "size": size}


def _stored(file: str, values: Mapping[str, Any]) -> tuple[Path, StoredRdms]:
    path = Path(filled(file, values))
    return path, stored_rdms(path, None if path.suffix in ONE_ARRAY else values["layer"])


def _write(
    output: Path,
    arrays: Mapping[str, np.ndarray],
    ids: Sequence[str],
    settings: GivenActivationSettings,
    about: Mapping[str, Any],
) -> None:
    about = {**about, "state_hash": state_hash(arrays)}
    plain = settings.plain()
    write_h5(output, arrays, ids={"stimulus": ids}, settings=plain, attributes=about)
    print(f"{output}: {len(arrays)} arrays of {len(ids)} stimuli")


def _features(numbers: np.ndarray, path: Path, layer: str, stimuli: int) -> np.ndarray:
    if numbers.ndim != 2 or len(numbers) != stimuli:
        raise DataError(
            f"{path}: '{layer}' has the shape {numbers.shape}, and must have"
            f" ({stimuli}, features): a row for each stimulus."
        )
    return numbers.astype(np.float32)


def rows_of_stimuli(
    stored: StoredRdms, ids: Sequence[str], listed: str | None, path: Path
) -> list[int]:
    """Find the row of each stimulus.

    Args:
        stored: what a file holds; its texts `ids` name the rows.
        ids: of the stimuli, in order.
        listed: a text file that names the rows instead; None: the file does.
        path: the file, for messages.

    Returns:
        Places of rows, in the order of the stimuli.

    Raises:
        DataError: nothing names the rows, they are others than the stimuli, or one appears twice.
    """
    found = (
        listed_ids(Path(listed).expanduser())
        if listed
        else stored.texts.get("ids", stored.texts.get("labels", []))
    )
    where = listed or f"{path}: 'ids'"
    if not found:
        raise DataError(
            f"{path}: has no texts 'ids', which name the stimuli row by row; add them, or list them"
            " in a file that `ids` of the rule names."
        )
    refuse_duplicates(found, where)
    if not (names := as_names(found, ids)):
        lacking = [name for name in ids if name not in found]
        others = [name for name in found if name not in ids]
        pairs = {"lack": lacking, "have": others}
        told = [
            f"{verb} '{names[0]}' ({len(names)} such)" for verb, names in pairs.items() if names
        ]
        raise DataError(f"{where}: must be the ids of the stimuli, but {' and '.join(told)}.")
    place = {name: number for number, name in enumerate(names)}
    return [place[name] for name in ids]


def require_distinct(files: Sequence[Path]) -> None:
    """Guard 17: refuse two models, at the same stimuli and size, whose RDMs are the same.

    Args:
        files: files of RDMs of given models. Models of epoch 0 may be the same.

    Raises:
        GuardError: names the first two.
    """
    hashes: dict[tuple[str, int], dict[str, str]] = {}
    for path in map(Path, files):
        with open_h5(path) as file:
            about = read_attributes(file, (*NETWORK_KEYS, "state_hash"))
        name = "network '{network}', rule '{rule}', seed {seed}, epoch {epoch}".format_map(about)
        if about["epoch"] > 0:
            hashes.setdefault((about["stimuli"], about["size"]), {})[name] = about["state_hash"]
    for alike in hashes.values():
        guards.states_pairwise_distinct(alike)
