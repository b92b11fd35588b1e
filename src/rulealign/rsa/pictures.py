"""Small pictures of stimuli, to be shown beside their RDMs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from rulealign.store import open_h5, read_ids, require_same_ids

SIDE = 32
"""Pixels per side."""


def small_pictures(stimuli: Path, ids: Sequence[str], kept: np.ndarray) -> np.ndarray:
    """Make small pictures of some stimuli; of one that is several images, of its first.

    Args:
        stimuli: a file of stimuli as networks are shown them.
        ids: of all stimuli.
        kept: places of those that are shown.

    Returns:
        uint8, shape (len(kept), SIDE, SIDE, 3).

    Raises:
        DataError: the file has other stimuli.
        StoreError: it cannot be read.
    """
    with open_h5(stimuli) as file:
        require_same_ids(ids, read_ids(file, "stimulus"), "RDMs", str(stimuli))
        several = "stimulus_of_image" in file
        of_image = file["stimulus_of_image"][()] if several else np.arange(len(ids))
        first = np.searchsorted(of_image, kept)
        images = [file["images"][place] for place in first]
    small = [Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BOX) for one in images]
    return np.stack([np.asarray(one) for one in small])
