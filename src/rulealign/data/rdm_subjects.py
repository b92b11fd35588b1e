"""Whose given RDMs are, by the names beside them: never another subject's than the study says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from rulealign.data.same_names import Words, words_of
from rulealign.errors import DataError

_OF_SUBJECTS = ("subject", "subjects", "subj", "sub", "participant", "participants")
_OF_OTHERS = ("index", "session")
_TOOLBOX = re.compile(r"[^|]+\|(?P<subject>[^|]+)\|\s*[Ss]ession[^|]*")


def refuse_other_subjects(
    listed: Mapping[str, Sequence[str]],
    path: Path,
    subjects: Sequence[str],
    sessions: int,
    *,
    named: bool,
) -> None:
    """Refuse RDMs beside which another subject is named than the study's.

    Args:
        listed: name of a variable of the file -> the texts that it holds. They count where there is
            one for each subject, or for each session of each subject in turn, and they are called
            `subject` or have the MATLAB toolbox's form, `hIT | BE | Session: 1`: then each has to
            name its subject, but for case, leading zeros and `sub-`. Of other texts, some of which
            have names of subjects among their words, those have to name their subject.
        path: the file, for the message.
        subjects: their names, in the order of the RDMs.
        sessions: how many each has.
        named: whether the study names its subjects; where it only counts them, the file's own names
            contradict nothing.

    Raises:
        DataError: names the variable, the place and the two subjects.
    """
    whose = {len(subjects) * n: np.repeat(subjects, n).tolist() for n in {1, sessions}}
    for key, texts in listed.items():
        expected = whose.get(len(texts), [])
        told = told_subjects(key, texts) if named else []
        for place, (name, text) in enumerate(zip(expected, texts, strict=False)):
            found = told[place] if told else _among_words(text, name, subjects, key)
            if found and not (told and _is(found, name)):
                raise DataError(
                    f"{path}: '{key}' says that RDM {place} is of {found}, and brain.subjects"
                    f" that it is of {name}. List subjects in the order of the file, by its names"
                    f"{_all_of(told, len(expected) // len(subjects))}; or take '{key}' out of the"
                    " file, if it is wrong."
                )


def told_subjects(key: str, texts: Sequence[str]) -> list[str]:
    """Give the subjects that texts name.

    Args:
        key: what the texts are called.
        texts: one for each RDM.

    Returns:
        A name for each text, as the file has it; [] where the texts need not name subjects.
    """
    if key.rpartition("/")[2].casefold() in _OF_SUBJECTS:
        return [] if list(texts) == list(map(str, range(len(texts)))) else [*map(str.strip, texts)]
    parts = [_TOOLBOX.fullmatch(text) for text in texts]
    return [part["subject"].strip() for part in parts if part] if all(parts) else []


def _all_of(told: Sequence[str], each: int) -> str:
    return f": [{', '.join(map(_as_label, told[::each]))}]" if told else ""


def _as_label(name: str) -> str:
    """Write a name as studies can: letters and digits, and no single digit."""
    label = "".join(re.findall(r"[A-Za-z0-9]+", name.removeprefix("sub-")))
    return label.zfill(2) if label.isdecimal() else label


def _is(found: str, name: str) -> bool:
    one, other = (_without_sub(words_of(text)) for text in (found, name))
    if "".join(one) == "".join(other):  # names in a study have no signs
        return True
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) == 1 and shorter[0].isdecimal() and longer[1:] == shorter  # 1 is s01


def _without_sub(words: Words) -> Words:
    return words[1:] if len(words) > 1 and words[0] in _OF_SUBJECTS else words


def _among_words(text: str, name: str, subjects: Sequence[str], key: str) -> str:
    """Name another subject that a text has among its words; "" where it has the right one."""
    if key.rpartition("/")[2] in _OF_OTHERS:
        return ""
    found = set(re.findall(r"[A-Za-z0-9]+", text)).intersection(subjects)
    return min(found) if found and name not in found else ""
