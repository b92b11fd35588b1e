"""Whether names mean the same: with a folder, an ending, other zeros or other letters' case."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import PureWindowsPath

Words = tuple[str, ...]
_ENDING = re.compile(r"\.[A-Za-z]{2,5}")
_WORD = re.compile(r"[^\W\d_]+|\d+")


def words_of(name: str) -> Words:
    """Give what a name says: its words in small letters, and its numbers without leading zeros.

    Args:
        name: such as `stim/Image-01.png`.

    Returns:
        Such as ("image", "1"): neither folder nor ending, nor what stands between words.
    """
    plain = unicodedata.normalize("NFKC", _without_ending(name)).casefold()
    return tuple(
        word.lstrip("0") or "0" if word.isdecimal() else word for word in _WORD.findall(plain)
    )


def matched(texts: Sequence[str], ids: Sequence[str]) -> list[str | None]:
    """Find the id that each text stands for.

    Args:
        texts: in any order.
        ids: the stimuli's.

    Returns:
        The id of each text, None where it stands for none; read in the strictest way in which most
        texts stand for ids of their own: as they are, without folder, without ending, or by
        `words_of` where these differ between ids.
    """
    best: list[str | None] = [None] * len(texts)
    for read, of_id in _WAYS:
        named = {of_id(one): one for one in ids}
        found = [named.get(read(text)) for text in texts] if len(named) == len(ids) else []
        if _different(found) > _different(best):
            best = found
    return best


def as_names(texts: Sequence[str], ids: Sequence[str]) -> list[str] | None:
    """Give texts as the ids that they stand for; see `matched`.

    Args:
        texts: in any order.
        ids: the stimuli's.

    Returns:
        The ids in the order of the texts; None where the texts are anything else.
    """
    found = matched(texts, ids)
    whole = len(texts) == len(ids) == _different(found)
    return [name for name in found if name is not None] if whole else None


def by_number(texts: Sequence[str], ids: Sequence[str]) -> list[str] | None:
    """Give texts that only count as the ids of the same numbers: stim2, stim1 as image_02, ...

    Args:
        texts: in any order.
        ids: the stimuli's.

    Returns:
        The ids in the order of the texts; None where texts or ids differ in more than one number,
        or the numbers of the texts are others than those of the ids.
    """
    ours, theirs = _numbers(ids), _numbers(texts)
    if not ours or not theirs or sorted(ours) != sorted(theirs):
        return None
    named = dict(zip(ours, ids, strict=True))
    return [named[number] for number in theirs]


def mostly(found: Sequence[str | None], count: int) -> bool:
    """Tell whether texts name more than half of so many ids.

    Args:
        found: what `matched` gives.
        count: how many ids there are.
    """
    return 2 * _different(found) > count


def _different(found: Sequence[str | None]) -> int:
    return len(set(found) - {None})


def _numbers(names: Sequence[str]) -> list[str]:
    """Give the only number of each name, where all else is the same; [] of any other names."""
    parts = [words_of(name) for name in names]
    numbers = [[word for word in words if word.isdecimal()] for words in parts]
    rest = {tuple("0" if word.isdecimal() else word for word in words) for words in parts}
    single = len(rest) == 1 and all(len(own) == 1 for own in numbers)
    return [own[0] for own in numbers] if single else []


def _without_folder(name: str) -> str:
    return PureWindowsPath(name.strip()).name  # it knows "/" and "\"


def _without_ending(name: str) -> str:
    path = PureWindowsPath(_without_folder(name))
    return path.stem if _ENDING.fullmatch(path.suffix) else path.name


def _as_is(name: str) -> str:
    return name


_WAYS: tuple[tuple[Callable[[str], object], Callable[[str], object]], ...] = (
    (str.strip, _as_is),
    (_without_folder, _as_is),
    (_without_ending, _as_is),
    (words_of, words_of),
)
"""How a text, and how an id, is read; stricter ways come first."""
