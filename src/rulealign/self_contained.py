"""HDF5 files that hold their data themselves: nothing is read from where a file points to."""

from __future__ import annotations

import math

import h5py
from h5py import h5d, h5l, h5o

from rulealign.errors import StoreError

MOST_PACKED = 1032
"""How many times smaller deflate, the packing of .npz and HDF5, can make anything."""


def require_self_contained(file: h5py.File, name: str, size: int) -> None:
    """Refuse an HDF5 file that takes data from other files, or claims more than it can hold.

    Soft links stay inside of a file that has no external links, and are left alone.

    Args:
        file: the open file. Only what describes its data is read, and nothing outside of it.
        name: what to call it in a message.
        size: its bytes.

    Raises:
        StoreError: names the place in the file.
    """
    places: list[tuple[bytes, int]] = []
    file.id.links.visit(lambda place, info: places.append((place, info.type)), info=True)
    for place, kind in places:
        if kind not in (h5l.TYPE_HARD, h5l.TYPE_SOFT):
            raise _foreign(name, place)
        node = h5o.open(file.id, place) if kind == h5l.TYPE_HARD else None
        if isinstance(node, h5d.DatasetID):
            _require_own_data(node, name, place, size)


def _require_own_data(dataset: h5d.DatasetID, name: str, place: bytes, size: int) -> None:
    layout = dataset.get_create_plist()
    if layout.get_layout() == h5d.VIRTUAL or layout.get_external_count():
        raise _foreign(name, place)
    claimed = math.prod(dataset.shape or ()) * dataset.get_type().get_size()
    if claimed > MOST_PACKED * size:
        raise StoreError(
            f"{name}: '{place.decode()}' claims {claimed:,} bytes, in a file of {size:,}. The file"
            " is damaged or unfinished; get it again from its source."
        )


def _foreign(name: str, place: bytes) -> StoreError:
    return StoreError(
        f"{name}: the data of '{place.decode()}' lie in another file, which is not read. Save them"
        " in a file of their own, as plain datasets."
    )
