"""The check that images and brain data belong together, before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

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
