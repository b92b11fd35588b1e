"""RDMs of controls: made from stimulus images, kept like those of networks, read by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from rulealign.controls import find_control
from rulealign.controls.control import Control, Images
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.scores import ControlRdmSettings
from rulealign.reasons import MissingValue
from rulealign.rsa.ranking import require_rankable
from rulealign.rsa.rdm import CENTRING, correlation_rdm
from rulealign.rsa.rdm_file import dataset_names, read_attributes, require_files, require_size
from rulealign.store import open_h5, read_ids, read_settings, require_same_ids, write_h5

KIND = "control"
"""The attribute `kind` of a file of control RDMs, and the `rule` of its rows in tables."""

DESCRIPTOR = "image"
"""The descriptor of controls: they are computed from whole images."""

_REASON = "missing:"
"""Prefix of the attributes `missing:<control>`, which say why a control has no RDM."""

# Below this fraction of the largest feature, differences between stimuli are rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class ControlRdms:
    """The RDMs of the controls of one stimulus set at one size.

    Attributes:
        path: the file.
        stimuli: label of the stimulus set.
        size: pixels per side.
        ids: stimulus ids, in the order of the pairs.
        settings: those that the file was made with.
        rdms: (control, centring) -> float64, shape (n_pairs,).
        missing: control -> why it has no RDM.
    """

    path: str
    stimuli: str
    size: int
    ids: list[str]
    settings: ControlRdmSettings
    rdms: Mapping[tuple[str, str], np.ndarray]
    missing: Mapping[str, str]

    def rdm(self, name: str, centring: str) -> np.ndarray:
        """Give the RDM of one control.

        Args:
            name: a control of the study.
            centring: uncentred or centred.

        Returns:
            float64, shape (n_pairs,).

        Raises:
            DataError: the control is missing for these stimuli (says why), or not in the file.
        """
        if name in self.missing:
            raise DataError(
                f"{self.path}: the control '{name}' is missing for the stimuli '{self.stimuli}' at"
                f" {self.size} px: {self.missing[name]}. Leave it out for them."
            )
        if (name, centring) not in self.rdms:
            there = sorted("/".join(key) for key in self.rdms)
            raise DataError(f"{self.path}: holds no control '{name}' ({centring}), but {there}.")
        return self.rdms[name, centring]


def write_control_rdms(
    images: Path, output: Path, settings: ControlRdmSettings, *, stimuli: str
) -> None:
    """Compute the controls of one stimulus set at one size, and write their RDMs.

    Centring (each feature's mean over stimuli subtracted) changes correlations only: the RDMs of
    controls that are compared by differences are the same either way, and are written as both.

    Args:
        images: `stimuli/stim-<t>_px-<p>_images.h5`.
        output: the RDM file to make: datasets `<control>/image/<centring>`, float32 (n_pairs,), and
            attributes as in the files of networks, with kind, network and rule `control`, seed and
            epoch 0; a control that cannot be computed has the attribute `missing:<control>` with
            the reason.
        settings: of the control RDMs.
        stimuli: label of the stimulus set.

    Raises:
        ConfigurationError: there is no such control.
        StoreError: the images cannot be read, or the disk is full.
    """
    arrays: dict[str, np.ndarray] = {}
    missing: dict[str, str] = {}
    with open_h5(images) as file:
        shown, size = _images(file), read_attributes(file, ["size"])["size"]
        for name in settings.controls:
            try:
                rdms = control_rdms(find_control(name), shown, settings.centring)
            except MissingValue as absent:
                missing[f"{_REASON}{name}"] = absent.reason
                print(f"no {name} for {images}: {absent}", flush=True)
                continue
            arrays |= {f"{name}/{DESCRIPTOR}/{how}": rdm for how, rdm in rdms.items()}
    known = {"kind": KIND, "network": KIND, "rule": KIND, "seed": 0, "epoch": 0}
    known |= {"stimuli": stimuli, "size": size}
    ids = {"stimulus": list(shown.ids)}
    write_h5(output, arrays, ids=ids, settings=settings.plain(), attributes=known | missing)


def control_rdms(one: Control, images: Images, centring: Sequence[str]) -> dict[str, np.ndarray]:
    """Compute the RDM of one control, under every centring.

    Args:
        one: the control.
        images: the stimuli.
        centring: keys of `CENTRING`.

    Returns:
        centring -> float32, shape (n_pairs,), in the order of `numpy.triu_indices(n_stimuli, 1)`.

    Raises:
        MissingValue: the images have no such feature, or it is the same for all stimuli.
    """
    features = one.features(images)
    # features are of the order of pixel values, 0 to 1: one that is 0 everywhere has only rounding
    if np.ptp(features, axis=0).max() <= _ROUNDING * max(1, np.abs(features).max()):
        raise MissingValue("it is the same for all stimuli: its RDM orders no pairs")
    distance, rdms = _DISTANCES[one.distance], {}
    for how in centring:
        rdms[how] = distance(features, CENTRING[how], images.ids).astype(np.float32)
        require_rankable(rdms[how][np.newaxis], [f"its {how} RDM"])
    return rdms


def _correlation(features: np.ndarray, centred: bool, ids: Sequence[str]) -> np.ndarray:
    return correlation_rdm(features, centred=centred, ids=ids)


def _euclidean(features: np.ndarray, _centred: bool, _ids: Sequence[str]) -> np.ndarray:
    from scipy.spatial.distance import pdist  # slow to import

    return pdist(features, "euclidean")


_DISTANCES: dict[str, Callable[[np.ndarray, bool, Sequence[str]], np.ndarray]] = {
    "correlation": _correlation,
    "euclidean": _euclidean,
    "difference": _euclidean,  # of a single feature it is |a - b|
}


def _images(file: h5py.File) -> Images:
    ids, places = read_ids(file, "stimulus"), file.get("stimulus_of_image")
    stimulus = np.arange(len(ids)) if places is None else places[()]
    reason = str(file.attrs.get("no_silhouettes", ""))
    return Images(ids, file["images"], stimulus, file.get("silhouettes"), reason)


def read_all_controls(files: Sequence[Path]) -> list[ControlRdms]:
    """Read the control RDMs of all stimulus sets and sizes, which must belong together.

    Args:
        files: files made by `write_control_rdms`.

    Returns:
        One per file, in their order.

    Raises:
        DataError: there is no file, two are of one stimulus set and size, stimulus ids differ
            (names both files and the first difference), or an RDM is constant, not finite or of
            another size than its ids.
        GuardError: a file holds no controls, or was made with other settings.
        StoreError: a file is no RDM file of this pipeline.
    """
    require_files(files, KIND)
    read = [_read(Path(path)) for path in files]
    first, seen = read[0], {}
    for one in read:
        require_same_ids(first.ids, one.ids, first.path, one.path)
        if one.settings != first.settings:
            raise GuardError(
                f"{first.path} and {one.path} were made with different settings and must not be"
                " mixed; delete the older one and rerun the command."
            )
        twin = seen.setdefault((one.stimuli, one.size), one.path)
        if twin != one.path:
            raise DataError(
                f"{twin} and {one.path} are both of the stimuli '{one.stimuli}' at {one.size} px."
            )
    return read


def read_control_rdms(files: Sequence[Path], stimuli: str, size: int) -> ControlRdms:
    """Read the control RDMs of one stimulus set at one size, such as for partialling them out.

    Args:
        files: files made by `write_control_rdms`, of any stimulus sets and sizes.
        stimuli: label of the stimulus set.
        size: pixels per side.

    Returns:
        The RDMs; `rdm` gives one by name, or says why it is missing.

    Raises:
        DataError: no file is of these stimuli at this size, or as in `read_all_controls`.
        GuardError: as in `read_all_controls`.
        StoreError: as in `read_all_controls`.
    """
    found = [one for one in read_all_controls(files) if (one.stimuli, one.size) == (stimuli, size)]
    if not found:
        raise DataError(
            f"none of {[str(path) for path in files]} holds controls of the stimuli '{stimuli}' at"
            f" {size} px."
        )
    return found[0]


def _read(path: Path) -> ControlRdms:
    with open_h5(path) as file:
        keys = read_attributes(file, ("stimuli", "size", "settings"))
        if file.attrs.get("kind") != KIND:
            raise GuardError(f"{path}: holds no controls; it is another kind of RDM file.")
        ids, settings = read_ids(file, "stimulus"), ControlRdmSettings(**read_settings(file))
        found = [key for key in file.attrs if key.startswith(_REASON)]
        missing = {key.removeprefix(_REASON): str(file.attrs[key]) for key in found}
        # a file may hold nothing but reasons
        names = dataset_names(file, depth=3) if set(file) - {"ids"} else []
        rdms = {name: file[name][()].astype(np.float64) for name in names}
    for name, rdm in rdms.items():
        require_size(rdm, ids, f"{path}: {name}")
        require_rankable(rdm[np.newaxis], [f"{path}: {name}"])
    by_control = {(name.split("/")[0], name.split("/")[2]): rdm for name, rdm in rdms.items()}
    return ControlRdms(str(path), keys["stimuli"], keys["size"], ids, settings, by_control, missing)
