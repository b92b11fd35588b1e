"""The trial table of the volume form: which image each volume of each run belongs to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from rulealign.data.file_names import concept_of, is_image
from rulealign.data.things.table_text import read_rows
from rulealign.data.things.tables import TRIAL_COLUMNS
from rulealign.data.things.volume_files import Run
from rulealign.data.things.volume_order import order_is_told
from rulealign.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

_CATCH = re.compile(r"catch\d*([_.-].*)?")  # not a concept such as "catcher" or "dreamcatcher"


class Conditions(NamedTuple):
    """Which image each volume of a run belongs to.

    Attributes:
        path: the file that says so.
        images: one `<concept>/<stimulus>` per volume, such as dog/dog_12s.jpg; None for a catch
            trial.
        told: whether an index or onsets tell that rows are in the order of the volumes.
    """

    path: Path
    images: list[str | None]
    told: bool


def read_conditions(conditions_tsv: Path) -> Conditions:
    """Read which image each volume of a run belongs to.

    Args:
        conditions_tsv: `sub-01_ses-things01_run-01_conditions.tsv`, column image_filename.

    Raises:
        DataError: the file cannot be read, lists nothing or is cut off, an entry is neither an
            image of THINGS nor a catch trial, or rows are not in the order that their index or
            onset tells.
    """
    header, *rows = read_rows(conditions_tsv) or [[]]
    if "image_filename" not in header or not rows:
        one = " Separate columns by commas, semicolons or tabs." if len(header) == 1 else ""
        raise DataError(
            f"{conditions_tsv}: lists no trials in a column image_filename; its columns are"
            f" {header}.{one} Get it again from its source."
        )
    column = header.index("image_filename")
    images = [_image(row[column:][:1], place, conditions_tsv) for place, row in enumerate(rows)]
    _require_whole_rows(conditions_tsv, header, rows)
    return Conditions(conditions_tsv, images, order_is_told(conditions_tsv, header, rows))


def _require_whole_rows(path: Path, header: list[str], rows: list[list[str]]) -> None:
    for place, row in enumerate(rows):
        if len(row) != len(header):
            raise DataError(
                f"{path}: row {place} has {len(row)} of {len(header)} columns; the file may be cut"
                " off. Get it again from its source."
            )


def _image(cell: list[str], row: int, path: Path) -> str | None:
    name = "".join(cell)  # a row that is cut short has no such cell
    parts = PurePosixPath(name).parts[-2:]
    if parts and _CATCH.fullmatch(parts[-1]) and (parts[:-1] == ("catch",) or is_image(name)):
        return None  # without the folder or the ending it may be "catcher/catcher_01b.jpg", cut
    if len(parts) != 2 or concept_of(parts[1]) != parts[0] or not is_image(parts[1]):
        raise DataError(
            f"{path}: image_filename of row {row} is '{name}', which is neither an image of THINGS"
            " (such as dog/dog_12s.jpg) nor a catch trial (catch...); get the file again from its"
            " source."
        )
    return "/".join(parts)


def trial_table(runs: Sequence[Run], shown: Sequence[Conditions], subject: str) -> pd.DataFrame:
    """Build the trial table of a subject from the conditions of all runs.

    The volumes do not say which trials are test trials. An image of the test set is shown in every
    session and one of the training set once in all, so an image of several runs is "test".

    Args:
        runs: the runs in order.
        shown: the conditions of each.
        subject: label, such as "01".

    Returns:
        The columns of `things_tables.TRIAL_COLUMNS` and subject_id, one row per trial that is no
        catch trial, in order of session, run and volume; trial_id counts from 0.

    Raises:
        DataError: a run lists an image twice.
    """
    import pandas as pd

    rows = [
        (*reversed(name.split("/")), run.session, run.run)
        for run, conditions in zip(runs, shown, strict=True)
        for name in _shown_once(conditions)
    ]
    table = pd.DataFrame(rows, columns=["stimulus", "concept", "session", "run"])
    repeated = table.groupby("stimulus")["stimulus"].transform("size") > 1
    table["trial_type"] = repeated.map({True: "test", False: "train"})
    table["trial_id"] = range(len(table))
    table["subject_id"] = int(subject) if subject.isdecimal() else subject
    return table[[*TRIAL_COLUMNS, "subject_id"]]


def _shown_once(conditions: Conditions) -> list[str]:
    names = [name for name in conditions.images if name is not None]
    for place, name in enumerate(names):
        if name in names[:place]:
            raise DataError(
                f"{conditions.path}: a trial is listed twice: {name}; an image is shown at most"
                " once a run. Get the file again from its source."
            )
    return names
