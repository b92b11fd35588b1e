"""The file of bootstrap draws, written draw by draw, whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5p

from rulealign.atomic import whole
from rulealign.h5_checksums import with_checksums
from rulealign.settings import Settings
from rulealign.store import write_h5


@contextmanager
def new_draws(
    path: Path,
    n_draws: int,
    ids: Mapping[str, Sequence[str]],
    settings: Settings,
    attributes: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray] | None = None,
) -> Iterator[h5py.Dataset]:
    """Make a file of draws that is filled while it is open, and appears when all is written.

    Args:
        path: the HDF5 file to make.
        n_draws: number of draws.
        ids: as in `store.write_h5`; `row` names the columns of the draws.
        settings: that the draws were made with.
        attributes: as in `store.write_h5`.
        arrays: written beside the draws, as in `store.write_h5`; by default none.

    Yields:
        The dataset `draws`, float32, shape (n_draws, number of rows), to be filled by slices. Its
        bytes do not depend on the order or size of the slices.

    Raises:
        StoreError: the disk is full. Neither then nor after another error does anything stay.
        DataError: an id appears twice.
    """
    with whole(path) as temporary:
        made_with = {"settings": settings.plain(), "attributes": attributes}
        write_h5(temporary, arrays or {}, ids=ids, **made_with)
        with h5py.File(temporary, "r+", libver="v110") as file:
            shape, early = (n_draws, len(ids["row"])), h5p.create(h5p.DATASET_CREATE)
            early.set_alloc_time(h5d.ALLOC_TIME_EARLY)  # places do not depend on what comes first
            checksums = with_checksums(shape, np.dtype(np.float32))
            yield file.create_dataset("draws", shape, np.float32, dcpl=early, **checksums)
