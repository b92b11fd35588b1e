"""The ids of given RDMs: where they are from, and that no other names contradict their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rulealign.data.ids import pattern_ids
from rulealign.data.rdm_formats.text_table import LABELS
from rulealign.data.same_names import as_names, by_number, matched, mostly
from rulealign.errors import DataError
from rulealign.store import refuse_duplicates

if TYPE_CHECKING:
    from rulealign.data.given_rdms import GivenRdms


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
    """Refuse RDMs beside which the stimuli have other names, or another order, than in the study.

    Args:
        listed: name of a variable of the file -> the texts that it holds. They count where they
            name more than half of the ids (`same_names.matched`), or have the numbers of all ids
            behind another word; bare numbers count where they are the ids, or the labels of a
            table, and a running count from 0, which toolboxes add, never does.
        path: the file, for the message.
        ids: of the study, in the order that it gives the rows of the RDMs.

    Raises:
        DataError: names the variable and the first row that differs.
    """
    for key, texts in listed.items():
        names = _named_rows(key, texts, ids)
        for row, (name, text, own) in enumerate(zip(names, texts, ids, strict=False)):
            if name != own:
                raise DataError(
                    f"{path}: '{key}' says that row {row} of the RDMs is {name or text}, and"
                    f" brain.ids that it is {own}. Correct '{key}'; or take it out of the file, if"
                    " it is wrong; or, if it names the images, set brain.ids to {descriptor:"
                    f" {key.rpartition('/')[2]}}}, which brings rows into their order."
                )


def _named_rows(key: str, texts: Sequence[str], ids: Sequence[str]) -> Sequence[str | None]:
    if len(texts) != len(ids) or is_count(texts):
        return []
    found, bare = matched(texts, ids), all(map(str.isdecimal, map(str.strip, texts)))
    if mostly(found, len(ids)) and not (bare and None in found):
        return found
    return (by_number(texts, ids) or []) if not bare or key == LABELS else []


def is_count(texts: Sequence[str]) -> bool:
    """Tell the running count from 0 that toolboxes add; it names nothing.

    Args:
        texts: along one axis.
    """
    return list(texts) == [str(number) for number in range(len(texts))]
