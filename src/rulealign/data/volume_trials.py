"""The trial table of the volume form: which image each volume of each run belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from rulealign.data.things_tables import TRIAL_COLUMNS
from rulealign.data.volume_files import Run
from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_CATCH = re.compile(r"catch\d*([_.-].*)?")  # not a concept such as "catcher" or "dreamcatcher"


def read_conditions(conditions_tsv: Path) -> list[str | None]:
    """Read which image each volume of a run belongs to.

    Args:
        conditions_tsv: `sub-01_ses-things01_run-01_conditions.tsv`, column image_filename.

    Returns:
        One `<concept>/<stimulus>` per volume, such as dog/dog_12s.jpg; None for a catch trial.

    Raises:
        DataError: the file cannot be read or lists nothing, or an entry is neither an image of
            THINGS nor a catch trial.
    """
    try:
        lines = Path(conditions_tsv).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(
            f"{conditions_tsv}: cannot be read ({error}); get it again from its source."
        ) from error
    header, *rows = [line.split("\t") for line in lines] or [[]]
    if "image_filename" not in header or not rows:
        raise DataError(
            f"{conditions_tsv}: lists no trials in a column image_filename; its columns are"
            f" {header}. Get it again from its source."
        )
    column = header.index("image_filename")
    return [_image(row[column:][:1], place, conditions_tsv) for place, row in enumerate(rows)]


def _image(cell: list[str], row: int, path: Path) -> str | None:
    name = "".join(cell)  # a row that is cut short has no such cell
    parts = PurePosixPath(name).parts[-2:]
    if parts and _CATCH.fullmatch(parts[-1]):
        return None
    if len(parts) != 2 or not parts[1].startswith(f"{parts[0]}_"):
        raise DataError(
            f"{path}: image_filename of row {row} is '{name}', which is neither an image of THINGS"
            " (such as dog/dog_12s.jpg) nor a catch trial (catch...); get the file again from its"
            " source."
        )
    return "/".join(parts)


def trial_table(runs: Sequence[Run], subject: str) -> pd.DataFrame:
    """Build the trial table of a person from the conditions of all runs.

    The volumes do not say which trials are test trials. An image of the test set is shown in every
    session and one of the training set once in all, so an image of several runs is "test".

    Args:
        runs: the runs in order.
        subject: the person's label, such as "01".

    Returns:
        The columns of `things_tables.TRIAL_COLUMNS` and subject_id, one row per trial that is no
        catch trial, in order of session, run and volume; trial_id counts from 0.

    Raises:
        DataError: as in `read_conditions`, or a run lists an image twice.
    """
    import pandas as pd

    rows = [
        (*reversed(name.split("/")), run.session, run.run)
        for run in runs
        for name in _shown_once(run)
    ]
    table = pd.DataFrame(rows, columns=["stimulus", "concept", "session", "run"])
    repeated = table.groupby("stimulus")["stimulus"].transform("size") > 1
    table["trial_type"] = repeated.map({True: "test", False: "train"})
    table["trial_id"] = range(len(table))
    table["subject_id"] = int(subject) if subject.isdecimal() else subject
    return table[[*TRIAL_COLUMNS, "subject_id"]]


def _shown_once(run: Run) -> list[str]:
    names = [name for name in read_conditions(run.conditions) if name is not None]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise DataError(
                f"{run.conditions}: a trial is listed twice: {name}; an image is shown at most once"
                " a run. Get the file again from its source."
            )
    return names
