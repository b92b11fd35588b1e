"""RDMs in HDF5 files: rsatoolbox's own, and plain datasets."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import h5py
import numpy as np

from rulealign.data.rdm_formats.stored import StoredRdms
from rulealign.errors import DataError
from rulealign.store import open_h5
from rulealign.wrong_values import meant

_RSATOOLBOX = "dissimilarities"
Texts = dict[str, list[str]]

OF_RDMS = "rdm_descriptors"
"""The group of rsatoolbox's texts that tell of RDMs, not of stimuli."""

_DESCRIPTORS = ("pattern_descriptors", OF_RDMS)


def hdf5_rdms(path: Path, key: str | None) -> StoredRdms:
    """Read rsatoolbox's RDMs, or the dataset that `key` names; see `stored_rdms`.

    Descriptors of patterns and of RDMs become texts: `pattern_descriptors/stim`. Where descriptors
    `subject` and `session` tell of every RDM whose it is, sessions are an axis of their own.
    """
    with open_h5(path) as file:
        if key is None and _RSATOOLBOX in file:
            return _toolbox_rdms(file)
        if not isinstance(file.get(key or ""), h5py.Dataset):
            wanted = f"has no array '{key}'" if key else "name the array in it with `key`"
            near = meant(key, file) or "."
            raise DataError(f"{path}: {wanted}; it has {sorted(file)}{near}")
        texts = {name: _as_texts(file[name]) for name in file}
        return StoredRdms(file[key][()], {name: found for name, found in texts.items() if found})


def _toolbox_rdms(file: h5py.File) -> StoredRdms:
    patterns, rdms = (_descriptors(file, group) for group in _DESCRIPTORS)
    numbers, who = file[_RSATOOLBOX][()], [rdms.get(name, []) for name in ("subject", "session")]
    subjects, sessions = map(list, map(dict.fromkeys, who))
    place = {of: number for number, of in enumerate(zip(*who, strict=False))}
    if len(sessions) < 2 or not len(place) == len(subjects) * len(sessions) == len(numbers):
        return _as_stored(numbers, patterns, rdms, ("subjects", "pairs"))
    order = [place[of] for of in product(subjects, sessions)]
    rdms = {name: [texts[n] for n in order] for name, texts in rdms.items()}
    numbers = numbers[order].reshape(len(subjects), len(sessions), -1)
    return _as_stored(numbers, patterns, rdms, ("subjects", "sessions", "pairs"))


def _as_stored(
    numbers: np.ndarray, patterns: Texts, rdms: Texts, axes: tuple[str, ...]
) -> StoredRdms:
    groups = zip(_DESCRIPTORS, (patterns, rdms), strict=True)
    texts = {f"{group}/{name}": found for group, one in groups for name, found in one.items()}
    return StoredRdms(numbers, texts, axes)


def _descriptors(file: h5py.File, group: str) -> Texts:
    found = {name: _as_texts(node) for name, node in file.get(group, {}).items()}
    return {name: texts for name, texts in found.items() if texts}


def _as_texts(node: h5py.Dataset | h5py.Group) -> list[str]:
    """Give the texts, or whole numbers, of a dataset along one axis; [] of any other."""
    if not isinstance(node, h5py.Dataset) or node.ndim != 1 or node.dtype.kind not in "SOiu":
        return []
    return [text.decode() if isinstance(text, bytes) else str(text) for text in node[()]]
