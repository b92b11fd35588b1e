"""The ids of given RDMs: where they are from, and that no other names contradict their order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.ids import pattern_ids
from rulealign.errors import DataError
from rulealign.store import refuse_duplicates

if TYPE_CHECKING:
    from rulealign.data.given_rdms import GivenRdms
_ENDING = re.compile(r"\.[A-Za-z]{2,5}")


def ids_of_file(
    brain: GivenRdms,
    count: int,
    texts: Mapping[str, Sequence[str]],
    path: Path,
    images: Sequence[str],
) -> list[str]:
    """Name the stimuli of a file's RDMs, by what the study says.

    Args:
        brain: the section of the study.
        count: how many stimuli the RDMs are of.
        texts: name -> texts beside the RDMs.
        path: the file, for messages.
        images: ids of the images, in order.

    Returns:
        The ids, in the order of the RDMs.

    Raises:
        DataError: the file has no such texts (lists those there are), an id appears twice, or there
            are more or fewer ids than stimuli.
    """
    ids, told_by = brain.ids, brain.ids_told_by
    if told_by == "pattern":
        return pattern_ids(ids, count)
    if told_by == "descriptor":
        found, source = _described(texts, ids.descriptor, path), f"'{ids.descriptor}' in it"
    elif told_by == "list":
        found, source = listed_ids(Path(ids).expanduser()), str(ids)
    else:
        found, source = list(images), "the folder of images"
    refuse_duplicates(found, f"{path}: {source}")
    if len(found) != count:
        raise DataError(
            f"{path}: its RDMs are of {count} stimuli, and {source} names {len(found)}. Bring the"
            " file of these stimuli, or correct brain.ids."
        )
    return as_names(found, images) or found


def listed_ids(path: Path) -> list[str]:
    """Read a text file of ids, one a line; empty lines count for nothing.

    Args:
        path: the file, in UTF-8.

    Raises:
        DataError: it cannot be read as text, or lists nothing.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as a list of ids ({error}).") from error
    if not (ids := list(filter(None, map(str.strip, lines)))):
        raise DataError(f"{path}: lists no ids; write one a line.")
    return ids


def order_of_images(ids: Sequence[str], images: Sequence[str], path: Path) -> list[int]:
    """Find the place of each image's stimulus among the rows of RDMs.

    Args:
        ids: of the rows.
        images: ids of the images, in order; [] to leave rows as they are.
        path: the file of RDMs, for messages.

    Raises:
        DataError: an image has no row, or a row no image.
    """
    if not images or list(images) == list(ids):
        return list(range(len(ids)))
    without = {"no image": set(ids) - set(images), "no row of the RDMs": set(images) - set(ids)}
    for lacking, names in without.items():
        if names:
            raise DataError(
                f"{path}: {len(names)} of its stimuli and the images differ: '{min(names)}' has"
                f" {lacking}. Names of images without ending and brain.ids must be the same."
            )
    print(f"{path}: rows are brought into the order of the images, by their ids")
    place = {name: number for number, name in enumerate(ids)}
    return [place[name] for name in images]


def _described(texts: Mapping[str, Sequence[str]], name: str, path: Path) -> list[str]:
    found = [key for key in texts if name in (key, key.rpartition("/")[2])]
    if len(found) != 1:
        some = "several" if found else "no"
        raise DataError(
            f"{path}: has {some} texts '{name}'; it has {found or list(texts)}. Correct"
            " `descriptor` of brain.ids."
        )
    return [text.strip() for text in texts[found[0]]]


def refuse_other_order(listed: Mapping[str, Sequence[str]], path: Path, ids: Sequence[str]) -> None:
    """Refuse RDMs beside which the stimuli are named in another order than the study's.

    Args:
        listed: name of a variable of the file -> the texts that it holds. They count where they
            are the ids, also with a folder before or the ending of a file behind, or where more
            than half of them stand where the ids do.
        path: the file, for the message.
        ids: of the study, in the order that it gives the rows of the RDMs.

    Raises:
        DataError: names the variable and the first row that differs.
    """
    for key, texts in listed.items():
        names = as_names(texts, ids) or _mostly(texts, ids)
        if names and names != list(ids):
            place = next(n for n, name in enumerate(names) if name != ids[n])
            raise DataError(
                f"{path}: '{key}' says that row {place} of the RDMs is {names[place]}, and"
                f" brain.ids that it is {ids[place]}. Bring the rows and columns of the RDMs into"
                f" the order of brain.ids; or, if '{key}' is wrong, take it out of the file."
            )


def refuse_other_subjects(
    listed: Mapping[str, Sequence[str]], path: Path, subjects: Sequence[str], sessions: int
) -> None:
    """Refuse RDMs beside which another subject is named than the study's.

    Args:
        listed: name of a variable of the file -> the texts that it holds. They count where there is
            one for each subject, or for each session of each subject in turn, and some of them have
            names of subjects among their words, such as `hIT | BE | Session: 1`.
        path: the file, for the message.
        subjects: their names, in the order of the RDMs.
        sessions: how many each has.

    Raises:
        DataError: names the variable, the place and the two subjects.
    """
    whose = {len(subjects) * n: np.repeat(subjects, n).tolist() for n in {1, sessions}}
    for key, texts in listed.items():
        for place, name in enumerate(whose.get(len(texts), ())):
            named = set(re.findall(r"[A-Za-z0-9]+", texts[place])).intersection(subjects)
            if named and name not in named:
                raise DataError(
                    f"{path}: '{key}' says that RDM {place} is of {min(named)}, and brain.subjects"
                    f" that it is of {name}. List subjects in the order of the file."
                )


def as_names(texts: Sequence[str], ids: Sequence[str]) -> list[str] | None:
    """Give texts as the ids that they stand for, with a folder before or an ending behind.

    Args:
        texts: in any order.
        ids: the stimuli's.

    Returns:
        The ids in the order of the texts; None where the texts are anything else.
    """
    return next((names for names in _readings(texts) if sorted(names) == sorted(ids)), None)


def _readings(texts: Sequence[str]) -> tuple[list[str], ...]:
    as_given = [text.strip() for text in texts]
    without_folder = [PureWindowsPath(text).name for text in as_given]  # it knows "/" and "\"
    paths = map(PureWindowsPath, without_folder)
    stems = [path.stem if _ENDING.fullmatch(path.suffix) else path.name for path in paths]
    return as_given, without_folder, stems


def _mostly(texts: Sequence[str], ids: Sequence[str]) -> list[str] | None:
    # names of which one was mistyped, or stands for two
    for names in _readings(texts) if len(texts) == len(ids) else ():
        if 2 * sum(map(str.__eq__, names, ids)) > len(ids):
            return names
    return None
