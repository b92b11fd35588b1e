"""The check that images and brain data belong together, before anything is trained."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rulealign import guards
from rulealign.errors import DataError
from rulealign.provenance import fingerprint
from rulealign.store import open_h5, read_ids, require_same_ids, write_csv


def check_inputs(stimuli: Sequence[Path], brain: Sequence[Path], output: Path) -> None:
    """Check that every stimulus set and every brain RDM has the same stimuli in the same order.

    Args:
        stimuli: files of prepared stimulus images.
        brain: files of brain RDMs.
        output: a table to write, one row per file: what it is, its number of stimuli, a
            fingerprint of their ids in order, and the fingerprint of the settings that made it.

    Raises:
        DataError: two files have other stimuli, or another order; names both files and the first
            difference.
    """
    first = Path(stimuli[0])
    with open_h5(first) as file:
        expected = read_ids(file, "stimulus")
    rows = []
    for kind, paths in (("stimuli", stimuli), ("brain RDM", brain)):
        for path in map(Path, paths):
            with open_h5(path) as file:
                ids = read_ids(file, "stimulus")
                settings_hash = file.attrs["settings_hash"]
            require_same_ids(ids, expected, str(path), str(first))
            rows.append((kind, path.name, len(ids), fingerprint(ids), settings_hash))
    columns = ["kind", "file", "n_stimuli", "ids_fingerprint", "settings_hash"]
    write_csv(output, pd.DataFrame(rows, columns=columns))


def refuse_compared(calibration: Path, stimuli: Sequence[Path]) -> None:
    """Check that no image on which BatchNorm is calibrated is among the stimuli.

    Args:
        calibration: a file of prepared calibration images.
        stimuli: files of prepared stimulus images, of the same size: all that are compared, each
            image of a stimulus that is several.

    Raises:
        DataError: there are no stimuli, or they are of another size.
        GuardError: a calibration image is a compared one; names it.
    """
    px, hashes = _hashes(calibration)
    if not stimuli:
        raise DataError(f"{calibration}: there are no stimuli to check its images against.")
    for path in stimuli:
        other_px, compared = _hashes(path)
        if other_px != px:
            raise DataError(
                f"{calibration} has images of {px} px, {path} of {other_px}: pixels cannot be"
                " compared."
            )
        guards.images_not_compared(hashes, compared, str(calibration), str(path))


def _hashes(path: Path) -> tuple[int, dict[str, str]]:
    """Read size and name of each image -> hash of its pixels."""
    with open_h5(path) as file:
        # where a stimulus is several images, these have names of their own
        ids = read_ids(file, "image" if "ids/image" in file else "stimulus")
        images = file["images"]
        hashes = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
        return images.shape[1], dict(zip(ids, hashes, strict=True))
