"""RDMs to look at: few stimuli, means over seeds, ranks of 8 bits, and maps of the stimuli."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rulealign.arm import Mapped
from rulealign.plan.settings.report import ShownRdmsSettings
from rulealign.provenance import derive_seed
from rulealign.rsa.brain_rdms import files_by_roi, read_brain_rdms
from rulealign.rsa.embedding import aligned, embedding, full
from rulealign.rsa.pictures import small_pictures
from rulealign.rsa.ranking import ranks
from rulealign.rsa.rdm_file import read_attributes, require_files, require_size
from rulealign.store import open_h5, read_ids, require_same_ids, write_h5

MOST_STIMULI = 100
"""So many stimuli can be told apart in a picture of an RDM."""

HIGHEST, MISSING = 254, 255
"""The code of the most dissimilar pair, and that of a pair that an RDM lacks."""

_NO_POSITIONS = "vector"
"""The descriptor of layers without positions."""

_KEYS = ("network", "rule", "seed", "epoch")


class Shown(NamedTuple):
    """One RDM that is shown.

    Attributes:
        name: `<network>/<layer>/<rule>/<epoch>` of a model, the ROI of a brain.
        rdm: float64, shape (pairs,), of the stimuli that are shown; NaN where a pair is missing.
        count: how many seeds, or subjects, it is the mean over.
    """

    name: str
    rdm: np.ndarray
    count: int


def write_shown_rdms(
    models: Sequence[Path],
    brains: Sequence[Path],
    stimuli: Path | None,
    output: Path,
    settings: ShownRdmsSettings,
) -> None:
    """Write what a reader can look through: RDMs of models and brains, and a map of each.

    Of a model, dissimilarities are averaged over seeds; of an ROI, over subjects. They are then
    ranked, as Spearman's ρ compares them, and ranks take one byte: 0 is the most similar pair, 254
    the most dissimilar, 255 a pair that an RDM lacks.

    Args:
        models: the files of RDMs of every arm, seed and epoch that is shown, in one view.
        brains: `sub-<s>_roi-<r>_rdm.h5` of every ROI that is shown.
        stimuli: the stimuli's images; None where they must not be shown.
        output: the HDF5 file: `codes` uint8 (rdms, pairs), `places` float32 (rdms, stimuli, 2), NaN
            of an RDM that lacks pairs, `counts` int64 (rdms,), and `pictures` uint8 (stimuli, 32,
            32, 3) where they may be shown; ids `stimulus` and `rdm`, as `Shown.name`; attribute
            `n_stimuli`, how many there are in all.
        settings: what is shown.

    Raises:
        DataError: files have different stimuli, or an RDM cannot be ranked; names it.
        StoreError: a file is no RDM file of this pipeline, or the disk is full.
    """
    require_files(models, "model")
    with open_h5(models[0]) as file:
        ids = read_ids(file, "stimulus")
    kept = chosen(len(ids), settings.study_seed)
    of_brains = _brains(brains, ids, kept)
    shown = [*of_brains, *_models(models, ids, kept, settings)]
    places = _places(shown, settings.layer_map, len(kept))
    arrays = {
        "codes": np.stack([codes(one.rdm, one.name) for one in shown]),
        "places": np.stack([places[one.name] for one in shown]).astype(np.float32),
        "counts": np.array([one.count for one in shown]),
    }
    if stimuli is not None:
        arrays["pictures"] = small_pictures(stimuli, ids, kept)
    named = {"stimulus": [ids[place] for place in kept], "rdm": [one.name for one in shown]}
    about = {"settings": settings.plain(), "attributes": {"n_stimuli": len(ids)}}
    write_h5(output, arrays, ids=named, **about)


def chosen(count: int, study_seed: int) -> np.ndarray:
    """Choose the stimuli that are shown: all, or `MOST_STIMULI` that the study's seed draws.

    Args:
        count: how many there are.
        study_seed: of the study.

    Returns:
        Their places, increasing.
    """
    if count <= MOST_STIMULI:
        return np.arange(count)
    rng = np.random.default_rng(derive_seed(study_seed, "shown stimuli"))
    return np.sort(rng.choice(count, MOST_STIMULI, replace=False))


def codes(rdm: np.ndarray, name: str) -> np.ndarray:
    """Put the ranks of dissimilarities into one byte each.

    Args:
        rdm: shape (pairs,); NaN where a pair is missing.
        name: what to call it in an error.

    Returns:
        uint8, shape (pairs,); from 0 to `HIGHEST`, and `MISSING`.

    Raises:
        DataError: it is constant.
    """
    there = ~np.isnan(rdm)
    found = np.full(len(rdm), MISSING, dtype=np.uint8)
    ranked = ranks(rdm[there], [name])[0]
    found[there] = np.rint(HIGHEST * (ranked - 1) / max(1, len(ranked) - 1))
    return found


def _subset(rdm: np.ndarray, kept: np.ndarray, count: int) -> np.ndarray:
    square = full(np.asarray(rdm, dtype=np.float64), count)[np.ix_(kept, kept)]
    return square[np.triu_indices(len(kept), 1)]


def _brains(files: Sequence[Path], ids: Sequence[str], kept: np.ndarray) -> list[Shown]:
    found = []
    for roi, paths in files_by_roi(files).items():
        brain = read_brain_rdms(paths, roi)
        require_same_ids(ids, brain.ids, "RDMs of models", f"those of {roi}")
        mean = _subset(brain.rdms.mean(axis=0), kept, len(ids))
        found.append(Shown(roi, mean, len(brain.subjects)))
    return found


def _models(
    files: Sequence[Path], ids: Sequence[str], kept: np.ndarray, settings: ShownRdmsSettings
) -> list[Shown]:
    sums: dict[str, np.ndarray] = {}
    counts: dict[str, int] = {}
    for path in files:
        with open_h5(path) as file:
            keys = read_attributes(file, _KEYS)
            require_same_ids(ids, read_ids(file, "stimulus"), str(files[0]), str(path))
            for layer in _layers(settings, keys["network"]):
                rdm = file[_dataset(file, layer, settings)][()]
                require_size(rdm, ids, f"{path}: {layer}")
                name = name_of(keys, layer)
                sums[name] = sums.get(name, 0) + _subset(rdm, kept, len(ids))
                counts[name] = counts.get(name, 0) + 1
    return [Shown(name, total / counts[name], counts[name]) for name, total in sums.items()]


def _layers(settings: ShownRdmsSettings, network: str) -> list[str]:
    own = [pair.layer for pair in settings.layer_map if pair.network == network]
    return list(dict.fromkeys(own))


def _dataset(file: Any, layer: str, settings: ShownRdmsSettings) -> str:
    # a layer without positions has one descriptor of its own, whatever the view's
    view = settings.view
    descriptor = view.descriptor if view.descriptor in file[layer] else _NO_POSITIONS
    return f"{layer}/{descriptor}/{view.centring}"


def name_of(keys: Mapping[str, Any], layer: str) -> str:
    """Name the RDM of a model: `<network>/<layer>/<rule>/<epoch>`."""
    return f"{keys['network']}/{layer}/{keys['rule']}/{keys['epoch']}"


def _places(
    shown: Sequence[Shown], layer_map: Sequence[Mapped], count: int
) -> dict[str, np.ndarray]:
    # turned as the map of the layer's ROI lies, so that one can be looked up in the other
    found = {one.name: embedding(one.rdm, count, one.name) for one in shown}
    rois = {f"{pair.network}/{pair.layer}": pair.roi for pair in reversed(layer_map)}
    for name in [name for name in found if "/" in name]:
        roi = rois["/".join(name.split("/")[:2])]
        found[name] = aligned(found[name], found[roi])
    return found
