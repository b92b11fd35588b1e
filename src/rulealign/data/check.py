"""The check that images and brain data belong together, before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign import guards
from rulealign.data.copies import image_hash, require_reasons, same_contents, same_rdms
from rulealign.errors import DataError
from rulealign.provenance import fingerprint
from rulealign.store import open_h5, read_ids, require_same_ids, write_csv

_IMAGES = "_images.h5"
_RDM, _RESPONSES = "_rdm.h5", "_responses.h5"
_SAMPLED = 20  # voxels whose trials are compared: no two sets of measured ones are alike
_FOLLOWS = "Agreement between subjects, ceilings and intervals would look better than they are."
_REMEDY = (
    "All stimulus sets and brain data need the same ids in the same order. Images have the ids of"
    " their file names (`stimuli.<label>.source`) or of `stimuli.<label>.ids`, given RDMs those of"
    " `brain.ids`, responses those of their trials; correct the one that is wrong."
)


def check_inputs(
    stimuli: Sequence[Path],
    brain: Sequence[Path],
    responses: Sequence[Path],
    output: Path,
    copies: Mapping[str, str],
) -> None:
    """Check that stimulus sets and brain RDMs belong together, and that nothing appears twice.

    Args:
        stimuli: files of prepared stimulus images, `stim-<label>_px-<size>_images.h5`.
        brain: files of brain RDMs, `sub-<s>_roi-<r>_rdm.h5`.
        responses: files of what these rest on, `sub-<s>_roi-<r>_responses.h5`; none of given RDMs.
        output: a table to write, one row per file: what it is, its number of stimuli, a
            fingerprint of their ids in order, and the fingerprint of the settings that made it;
            and a row per copy: what it is a copy of, and the reason that the study gives.
        copies: of the study: `sub-<s>_roi-<r>`, `stim-<label>` or an image's id -> why it is meant.

    Raises:
        DataError: two files have other stimuli, or another order (names both files and the first
            difference); an RDM, responses, a stimulus set or an image of a set equal an earlier
            one and the study does not say why, or it explains what is no copy.
    """
    first = Path(stimuli[0])
    with open_h5(first) as file:
        expected = read_ids(file, "stimulus")
    rows, rdms = [], {}
    for kind, paths in (("stimuli", stimuli), ("brain RDM", brain)):
        for path in map(Path, paths):
            with open_h5(path) as file:
                ids = read_ids(file, "stimulus")
                settings_hash = file.attrs["settings_hash"]
                if kind == "brain RDM":
                    rdms[path.name.removesuffix(_RDM)] = file["rdm"][()]
            require_same_ids(ids, expected, str(path), str(first), _REMEDY)
            rows.append((kind, path.name, len(ids), fingerprint(ids), settings_hash))
    found = _copied_responses(responses) | _copied_rdms(rdms) | _copied_images(stimuli)
    require_reasons(found, copies)
    columns = ["kind", "file", "n_stimuli", "ids_fingerprint", "settings_hash"]
    explained = [("copy", name, what, copies[name]) for name, (what, _) in found.items()]
    tables = [
        pd.DataFrame(rows, columns=columns),
        pd.DataFrame(explained, columns=["kind", "file", "copy", "reason"]),
    ]
    write_csv(output, pd.concat(tables).astype({"n_stimuli": "Int64"}))


def _copied_responses(paths: Sequence[Path]) -> dict[str, tuple[str, str]]:
    # with trials of another order, the same responses make another RDM
    samples: dict[tuple[int, ...], dict[str, np.ndarray]] = {}
    for path in map(Path, paths):
        with open_h5(path) as file:
            responses = file["responses"]
            step = -(-len(responses) // _SAMPLED)
            sample = responses[::step].astype(np.float64).ravel()
            samples.setdefault(responses.shape, {})[path.name.removesuffix(_RESPONSES)] = sample
    found = [same_rdms(alike) for alike in samples.values()]
    return {
        copy: (f"its responses are those of {earlier}", _FOLLOWS)
        for copies in found
        for copy, earlier in copies.items()
    }


def _copied_rdms(rdms: Mapping[str, np.ndarray]) -> dict[str, tuple[str, str]]:
    return {
        copy: (f"its RDM is that of {earlier}", _FOLLOWS)
        for copy, earlier in same_rdms(rdms).items()
    }


def _copied_images(stimuli: Sequence[Path]) -> dict[str, tuple[str, str]]:
    # each set at its largest size, where different images differ most
    largest: dict[str, tuple[int, dict[str, str]]] = {}
    for path in map(Path, stimuli):
        size, hashes = _hashes(path)
        label = path.name.removesuffix(_IMAGES).rpartition("_px-")[0]
        largest[label] = max(largest.get(label, (0, {})), (size, hashes), key=lambda one: one[0])
    found = {}
    for label, (_, hashes) in largest.items():
        for copy, earlier in same_contents(hashes.items()).items():
            follows = "Networks see one image, where subjects are taken to have seen two."
            found[copy] = (f"in {label}, it is the same image as {earlier}", follows)
    whole = ((label, tuple(hashes.values())) for label, (_, hashes) in largest.items())
    for copy, earlier in same_contents(whole).items():
        follows = "A score that holds for both would count twice."
        found[copy] = (f"it has the images of {earlier}", follows)
    return found


def refuse_compared(calibration: Path, stimuli: Sequence[Path]) -> None:
    """Check that no image on which BatchNorm is calibrated is among the stimuli; print its copies.

    Args:
        calibration: a file of prepared calibration images.
        stimuli: files of prepared stimulus images, of the same size: all that are compared, each
            image of a stimulus that is several.

    Raises:
        DataError: there are no stimuli, or they are of another size.
        GuardError: a calibration image is a compared one; names it.
    """
    size, hashes = _hashes(calibration)
    for copy, earlier in same_contents(hashes.items()).items():
        print(f"QUALITY: {calibration}: {copy} is the same image as {earlier}, and counts twice")
    if not stimuli:
        raise DataError(f"{calibration}: there are no stimuli to check its images against.")
    for path in stimuli:
        other_size, compared = _hashes(path)
        if other_size != size:
            raise DataError(
                f"{calibration} has images of {size} px, {path} of {other_size}: pixels cannot be"
                " compared."
            )
        guards.images_not_compared(hashes, compared, str(calibration), str(path))


def _hashes(path: Path) -> tuple[int, dict[str, str]]:
    """Read size and name of each image -> hash of its pixels."""
    with open_h5(path) as file:
        # where a stimulus is several images, these have names of their own
        ids = read_ids(file, "image" if "ids/image" in file else "stimulus")
        images = file["images"]
        hashes = [image_hash(image) for image in images]
        return images.shape[1], dict(zip(ids, hashes, strict=True))
