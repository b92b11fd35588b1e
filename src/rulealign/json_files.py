"""JSON files, in: what is missing or damaged is named, with the remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rulealign.unreadable import unreadable


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON file that holds a mapping.

    Args:
        path: the file.
        keys: what it must say.

    Returns:
        The mapping.

    Raises:
        StoreError: the file is missing, damaged or holds something else; names it and the remedy.
    """
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it holds no mapping")
        if lacking := [key for key in keys if key not in found]:
            raise ValueError(f"it lacks '{lacking[0]}'")
    # errors of JSON and of UTF-8 are ValueErrors
    except (OSError, ValueError, RecursionError) as error:
        raise unreadable(path, "JSON", error) from error
    return found
