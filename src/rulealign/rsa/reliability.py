"""How reliable the RDM of one subject is: agreement of its sessions, or of halves of its trials."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

from rulealign.plan.settings.scores import NullSettings
from rulealign.provenance import derive_seed
from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.ceiling import nili_bounds, null_bounds
from rulealign.rsa.quality.rows import label
from rulealign.rsa.rdm_file import read_attributes
from rulealign.store import open_h5


class Repeats(NamedTuple):
    """One subject's RDM of an ROI, measured several times.

    Attributes:
        subject: such as sub-01.
        roi: which ROI.
        of: what they are, such as "2 sessions".
        rdms: float64, shape (n_repeats, n_pairs).
    """

    subject: str
    roi: str
    of: str
    rdms: np.ndarray


class Reliability(NamedTuple):
    """How well repeats agree.

    Attributes:
        value: Spearman's rho of each with the mean of the others, averaged.
        by_chance: upper end of its interval with stimuli shuffled in each; NaN where there is none.
        reason: why there is none; "" where there is one.
    """

    value: float
    by_chance: float
    reason: str

    @property
    def clear(self) -> bool:
        """Whether they agree better than by chance."""
        return bool(self.value > self.by_chance)


def read_repeats(path: Path) -> Repeats | None:
    """Read the repeats that a subject's RDM is the mean of.

    Args:
        path: `sub-<s>_roi-<r>_rdm.h5`.

    Returns:
        The repeats; None where the file has none.

    Raises:
        StoreError: the file cannot be read.
    """
    with open_h5(Path(path)) as file:
        if "repeats" not in file:
            return None
        about = read_attributes(file, ("subject", "roi", "repeats_are"))
        subject, roi, of = (str(about[name]) for name in ("subject", "roi", "repeats_are"))
        return Repeats(label(subject), roi, of, file["repeats"][()])


def reliability(
    repeats: Repeats, settings: NullSettings, mask: np.ndarray | None = None
) -> Reliability:
    """Hold every repeat against the mean of the others, and against shuffled stimuli.

    That is the lower bound of a noise ceiling of this subject alone, with ranks averaged; of two
    repeats, rho between them. It is of single repeats, and lower than what their mean, which scores
    are with, would reach.

    Args:
        repeats: two or more.
        settings: draws, seed and coverage of the null.
        mask: bool, shape (n_pairs,); the pairs that scores rest on. By default all.

    Returns:
        The reliability with the upper end of its null.

    Raises:
        DataError: a repeat is constant or not finite over these pairs.
    """
    found = nili_bounds(repeats.rdms, mask).lower
    seed = derive_seed(settings.study_seed, repeats.roi, repeats.subject, "sessions null")
    try:
        null = null_bounds(repeats.rdms, settings.null_draws, seed, mask)[:, 0]
    except MissingValue as missing:
        return Reliability(found, float("nan"), missing.reason)
    return Reliability(found, float(percentile_interval(null, settings.interval)[1]), "")
