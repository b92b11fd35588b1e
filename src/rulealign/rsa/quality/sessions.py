"""How well the repeats of one subject's RDM agree, where it has several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rulealign.plan.settings.scores import NullSettings
from rulealign.rsa.quality.rows import entry
from rulealign.rsa.reliability import Repeats, read_repeats, reliability


def session_rows(files: Sequence[Path], settings: NullSettings) -> list[dict[str, Any]]:
    """Hold every repeat of a subject's RDM against the mean of the others.

    Args:
        files: `sub-<s>_roi-<r>_rdm.h5`; those without repeats have no row.
        settings: draws, seed and coverage of the null.

    Returns:
        A row `reliability` per subject and ROI, of `reliability.reliability`: `expected` is the
        upper end by chance; flagged where repeats agree no better than that.

    Raises:
        DataError: a repeat's RDM is constant.
        StoreError: a file cannot be read.
    """
    found = filter(None, map(read_repeats, files))
    return [_row(repeats, settings) for repeats in found]


def _row(repeats: Repeats, settings: NullSettings) -> dict[str, Any]:
    missing = np.isnan(repeats.rdms).any(axis=0)
    found = reliability(repeats, settings, ~missing if missing.any() else None)
    words = (
        f"{repeats.subject}, {repeats.roi}: {repeats.of} agree at {found.value:.3f} (mean ρ of each"
        f" with the others; by chance up to {found.by_chance:.3f})"
    )
    if found.reason:
        words += f" ({found.reason})"
    elif not found.clear:
        words += ": not clear of chance, so that no score with this RDM says much"
    more = {"subject": repeats.subject, "roi": repeats.roi, "expected": found.by_chance}
    more |= {"flagged": not found.clear, "finding": words}
    return entry("reliability", repeats.of, found.value, **more)
