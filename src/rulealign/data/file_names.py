"""What the name of a file tells: whether it is an image, of which concept, or nobody's data."""

from __future__ import annotations

import re

ENDINGS = (".jpg", ".jpeg", ".png")
"""How names of images end, in small letters."""

_ADDED = ("__macosx", "thumbs.db", "desktop.ini")


def is_image(name: str) -> bool:
    """Tell names of images.

    Args:
        name: with its ending.
    """
    return name.lower().endswith(ENDINGS)


def is_hidden(name: str) -> bool:
    """Tell files that operating systems add: .<something>, Thumbs.db, desktop.ini, __MACOSX.

    Args:
        name: with "/" between its parts, any of which may be such a name.
    """
    parts = [part for part in name.split("/") if part != ".."]  # that one is not hidden, but unsafe
    return any(part.startswith(".") or part.lower() in _ADDED for part in parts)


def natural_order(name: str) -> tuple[list[str | int], str]:
    """Give the key that sorts names by the numbers in them: image_2 before image_10.

    Args:
        name: with or without ending.

    Returns:
        Texts and numbers in turn, and the name itself, which parts 1 from 01.
    """
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], name


def concept_of(stimulus: str) -> str:
    """Name the concept of an image of THINGS: what stands before the last underscore.

    Args:
        stimulus: such as ice_cream_05s.jpg.

    Returns:
        Such as ice_cream.
    """
    return stimulus.rpartition("_")[0]


def without_folder_and_ending(name: str) -> str:
    """Leave out the folder and the ending of an image's name.

    Args:
        name: such as objects/face_01.png, or face_01.

    Returns:
        Such as face_01.
    """
    name = name.rpartition("/")[2]
    return name.rpartition(".")[0] if is_image(name) else name
