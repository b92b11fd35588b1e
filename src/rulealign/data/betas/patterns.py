"""Files that a pattern with named fields stands for: sub-{subject}_run-{run}_betas.nii.gz."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rulealign.data.file_names import natural_order
from rulealign.errors import DataError

_FIELD = re.compile(r"\{(\w+)\}")
_OWN = {"stimulus": r"[^/]+?"}
_LABEL = "[A-Za-z0-9]+"


@dataclass(frozen=True)
class Found:
    """A file, and what its name says.

    Attributes:
        path: the file.
        labels: field of the pattern -> what stands in its place, as the name has it.
    """

    path: Path
    labels: Mapping[str, str]


def found_files(pattern: str, **known: str) -> list[Found]:
    """Find the files of a pattern.

    Args:
        pattern: a path with fields in braces; a field stands for letters and digits, `stimulus` for
            any text without a slash. A field that appears twice stands for the same text.
        known: field -> its text; fields that the pattern lacks do not matter.

    Returns:
        The files in natural order (2 before 10) of what the other fields stand for.

    Raises:
        DataError: two files have the same labels.
    """
    for field, text in known.items():
        pattern = pattern.replace(f"{{{field}}}", text)
    pattern = os.path.normpath(Path(pattern).expanduser())
    pieces = _FIELD.split(pattern)
    searched = "*".join(map(glob.escape, pieces[::2]))
    named = re.compile(_expression(pieces))
    top = Path(Path(pattern).anchor)
    matches = ((path, named.fullmatch(str(path))) for path in top.glob(searched.lstrip("/")))
    found = [Found(path, match.groupdict()) for path, match in matches if match]
    found.sort(key=lambda one: [natural_order(text) for text in one.labels.values()])
    return found


def _expression(pieces: list[str]) -> str:
    """Write the regular expression of texts and fields in turn."""
    seen: set[str] = set()
    parts = []
    for place, piece in enumerate(pieces):
        if place % 2 == 0:
            parts.append(re.escape(piece))
        else:
            again = piece in seen
            parts.append(f"(?P={piece})" if again else f"(?P<{piece}>{_OWN.get(piece, _LABEL)})")
            seen.add(piece)
    return "".join(parts)


def one_file(pattern: str, key: str, **known: str) -> Path:
    """Find the one file of a pattern whose fields are all known.

    Args:
        pattern: as in `found_files`.
        key: the key of the study that has it, for the message.
        known: field -> its text.

    Raises:
        DataError: there is no such file; names the file and the key.
    """
    for field, text in known.items():
        pattern = pattern.replace(f"{{{field}}}", text)
    path = Path(pattern).expanduser()
    if not path.is_file():
        raise DataError(f"{key}: '{path}': there is no such file. Put it there, or correct {key}.")
    return path


def plain_label(label: str) -> str:
    """Write a label without leading zeros.

    Args:
        label: such as 01.

    Returns:
        Such as 1; a label that is no number stays as it is.
    """
    label = label.strip()
    return label.lstrip("0") or "0" if label.isdecimal() else label
