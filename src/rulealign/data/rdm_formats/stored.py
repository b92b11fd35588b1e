"""What every reader of RDMs gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class StoredRdms:
    """What a file holds of RDMs.

    Attributes:
        numbers: real numbers of any type; axes as they are stored.
        texts: name -> texts along one axis that lie beside the numbers: they may name stimuli or
            subjects, or anything else.
        axes: the axes' names, where the format tells them; else ().
    """

    numbers: np.ndarray
    texts: dict[str, list[str]]
    axes: tuple[str, ...] = ()
