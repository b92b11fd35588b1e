"""Which image each beta is of: tables of events, or names of files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rulealign.config.betas import BetaFiles, Events
from rulealign.data.betas.patterns import Found, plain_label
from rulealign.data.betas.source import files_by_run
from rulealign.data.file_names import natural_order, without_folder_and_ending
from rulealign.data.things.table_text import read_rows
from rulealign.data.things.volume_order import order_is_told
from rulealign.errors import DataError

_NAME = "the name in this line"
_EMPTY = ("", "n/a", "N/A", "nan", "NaN")


@dataclass(frozen=True)
class Shown:
    """What one beta is of.

    Attributes:
        run: session and run, without leading zeros; "" where nothing names them.
        image: id of the image; None for a beta that is left out.
        place: where it says so, for messages.
        told: whether onsets, a count or the file's name tell that this is its place.
    """

    run: tuple[str, ...]
    image: str | None
    place: str
    told: bool


def shown_by_events(events: Events, subject: str) -> list[Shown]:
    """Read what each beta of a subject is of.

    Args:
        events: the section.
        subject: label.

    Returns:
        An entry per row that has a beta: runs in natural order, rows as the tables have them.

    Raises:
        DataError: a table cannot be read, lacks a column, names no image in a row that counts, or
            its rows are not in the order that their onsets tell; or two names are one id.
    """
    files = files_by_run(events.source, "brain.events.source", subject).values()
    ids: dict[str, str] = {}
    rows = [row for found in files for file in found for row in _rows(events, file, ids)]
    rows.sort(key=lambda one: [natural_order(label) for label in one.run])
    return rows


def _rows(events: Events, file: Found, ids: dict[str, str]) -> Iterator[Shown]:
    header, rows = _table(events, file)
    by_run: dict[tuple[str, ...], list[list[str]]] = {}
    found = []
    for number, row in enumerate(rows):
        place = f"{file.path}: row {number}"
        if len(row) != len(header):
            raise DataError(f"{place}: has {len(row)} of {len(header)} columns; it may be cut off.")
        cells = dict(zip(header, map(str.strip, row), strict=True))
        if not _marked(cells, events.without_beta):
            run = _run(events, file, cells)
            by_run.setdefault(run, []).append(row)
            found.append((run, _image(events, cells, place, ids), place))
    told = {run: order_is_told(file.path, header, of_run) for run, of_run in by_run.items()}
    for run, image, place in found:
        yield Shown(run, image, place, told[run])


def _table(events: Events, file: Found) -> tuple[list[str], list[list[str]]]:
    header, *rows = (
        [[_NAME], *read_rows(file.path)] if events.image is None else (read_rows(file.path) or [[]])
    )
    wanted = [events.image, events.session, events.run, *events.leave_out, *events.without_beta]
    for column in wanted:
        if column is not None and column not in header:
            raise DataError(
                f"{file.path}: has no column '{column}', which brain.events names; its columns are"
                f" {header}. Correct brain.events, or the table."
            )
    return header, rows


def _marked(cells: Mapping[str, str], values: Mapping[str, Sequence[str | int]]) -> bool:
    return any(cells[name] in map(str, those) for name, those in values.items())


def _run(events: Events, file: Found, cells: Mapping[str, str]) -> tuple[str, ...]:
    columns = {"session": events.session, "run": events.run}
    return tuple(
        plain_label(cells[column] if column else file.labels.get(name, ""))
        for name, column in columns.items()
    )


def _image(events: Events, cells: Mapping[str, str], place: str, ids: dict[str, str]) -> str | None:
    if _marked(cells, events.leave_out):
        return None
    name = cells[events.image or _NAME]
    if name in _EMPTY:
        raise DataError(
            f"{place}: '{events.image}' names no image ('{name}'). Name values of its other columns"
            " in brain.events.without_beta where such rows have no beta, or in"
            " brain.events.leave_out where they have one that is no trial."
        )
    return _named_once(name, place, ids)


def _named_once(name: str, place: str, ids: dict[str, str]) -> str:
    found = without_folder_and_ending(name)
    if ids.setdefault(found, name) != name:
        raise DataError(
            f"{place}: '{name}' and '{ids[found]}' are different images with the id '{found}';"
            " give their files different names."
        )
    return found


def shown_by_names(told: BetaFiles, subject: str, part: Mapping[str, str]) -> list[Shown]:
    """Read from names of files what each beta of a subject is of.

    Args:
        told: where files are; `betas` has {stimulus}.
        subject: label.
        part: labels of the ROI or hemisphere, where each has files of its own.

    Returns:
        An entry per file, in the order of the runs.

    Raises:
        DataError: there are no files.
    """
    return [
        Shown(run, file.labels["stimulus"], str(file.path), told=True)
        for run, files in files_by_run(told.betas, "brain.betas", subject, **part).items()
        for file in files
    ]
