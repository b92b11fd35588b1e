"""Result tables in the page itself, so that they go where it goes."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple


class Link(NamedTuple):
    """A link to a table.

    Attributes:
        name: of the table.
        address: of its bytes, as gzip; or of its file beside the page.
        saved: what a browser saves it as; "" for a file beside the page.
    """

    name: str
    address: str
    saved: str


def links(names: Iterable[str], files: Mapping[str, Path]) -> list[Link]:
    """Link tables, those with a file by their bytes.

    Args:
        names: of tables.
        files: name -> the .csv file; tables without one are linked beside the page.

    Returns:
        A link per table, by name: the same bytes from the same files.
    """
    return [
        Link(name, _packed(files[name]), f"{name}.csv.gz")
        if name in files
        else Link(name, f"statistics/{name}.csv", "")
        for name in sorted({*names})
    ]


def _packed(file: Path) -> str:
    packed = gzip.compress(Path(file).read_bytes(), mtime=0)
    return f"data:application/gzip;base64,{base64.b64encode(packed).decode()}"
