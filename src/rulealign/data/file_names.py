"""What the name of a file tells: whether it is an image, of which concept, or nobody's data."""

from __future__ import annotations

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


def concept_of(stimulus: str) -> str:
    """Name the concept of an image of THINGS: what stands before the last underscore.

    Args:
        stimulus: such as ice_cream_05s.jpg.

    Returns:
        Such as ice_cream.
    """
    return stimulus.rpartition("_")[0]
