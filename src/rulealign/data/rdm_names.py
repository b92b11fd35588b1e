"""Names of stimuli that lie beside given RDMs: they must not contradict the order of the ids."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PureWindowsPath

from numpy.lib.npyio import NpzFile

from rulealign.data.npz import array_header
from rulealign.data.things.pickled_labels import pickled_labels
from rulealign.errors import DataError

_LONGEST_NAME = 4096  # bytes; a longer one is no name of a stimulus
_ENDING = re.compile(r"\.[A-Za-z]{2,5}")


def refuse_other_order(
    listed: Iterable[tuple[str, Sequence[str]]], path: Path, ids: Sequence[str]
) -> None:
    """Refuse RDMs beside which the stimuli are named in another order than the study's.

    Args:
        listed: name of a variable of the file, and the texts that it holds. They count where they
            are the ids, also with a folder before or the ending of a file behind.
        path: the file, for the message.
        ids: of the study, in the order that it gives the rows of the RDMs.

    Raises:
        DataError: names the variable and the first row that differs.
    """
    for key, texts in listed:
        names = _as_ids(texts, ids)
        if names and names != list(ids):
            place = next(n for n, name in enumerate(names) if name != ids[n])
            raise DataError(
                f"{path}: '{key}' says that row {place} of the RDMs is {names[place]}, and"
                f" brain.ids that it is {ids[place]}. Bring the rows and columns of the RDMs into"
                f" the order of brain.ids; or, if '{key}' is wrong, take it out of the file."
            )


def _as_ids(texts: Sequence[str], ids: Sequence[str]) -> list[str] | None:
    """Give the texts as names of the stimuli, each once; None where they are anything else."""
    as_given = [text.strip() for text in texts]
    without_folder = [PureWindowsPath(text).name for text in as_given]  # it knows "/" and "\"
    paths = map(PureWindowsPath, without_folder)
    stems = [path.stem if _ENDING.fullmatch(path.suffix) else path.name for path in paths]
    for names in (as_given, without_folder, stems):
        if sorted(names) == sorted(ids):
            return names
    return None


def names_in_npz(content: NpzFile, count: int) -> Iterator[tuple[str, list[str]]]:
    """List the texts that a .npz holds beside its RDMs; no pickle is run.

    Args:
        content: the open file.
        count: how many texts name the stimuli.

    Yields:
        Name of an array and its texts, of arrays of so many texts along one axis.
    """
    for key in content.files:
        if f"{key}.npy" not in content.zip.namelist():
            continue
        with content.zip.open(f"{key}.npy") as member:
            shape, dtype = array_header(member)
            if math.prod(shape) != count or max(shape) != count:
                continue
            if dtype.hasobject:
                labels = pickled_labels(member.read(count * _LONGEST_NAME)) or []
                yield key, list(map(str, labels))
        if dtype.kind in "US" and dtype.itemsize <= _LONGEST_NAME:
            yield key, content[key].astype(str).ravel().tolist()
