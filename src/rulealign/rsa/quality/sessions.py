"""How well the sessions of one subject agree, where given RDMs have several."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rulealign.errors import DataError
from rulealign.provenance import derive_seed
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.ceiling import nili_bounds, null_bounds
from rulealign.rsa.quality.rows import entry, label
from rulealign.rsa.rdm_file import read_attributes
from rulealign.store import open_h5


def session_rows(files: Sequence[Path], settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Hold every session of a subject against the mean of the others.

    That is the lower bound of a noise ceiling of this subject alone: Spearman's rho, with ranks
    averaged; of two sessions, rho between them. It is of single sessions, and lower than what
    their mean, which scores are with, would reach.

    Args:
        files: `sub-<s>_roi-<r>_rdm.h5`; those without sessions have no row.
        settings: `study_seed`; and, where there are sessions, `null_draws` and `interval`
            (coverage).

    Returns:
        A row `reliability` per subject and ROI: `expected` is the upper end of the interval with
        stimuli shuffled in each session (NaN where a shuffle leaves no order); flagged where the
        sessions agree no better than that.

    Raises:
        DataError: a session's RDM is constant.
        StoreError: a file cannot be read.
    """
    rows = []
    for path in files:
        with open_h5(Path(path)) as file:
            about = read_attributes(file, ("subject", "roi"))
            sessions = file["sessions"][()] if "sessions" in file else None
        if sessions is not None:
            rows.append(_row(label(about["subject"]), str(about["roi"]), sessions, settings))
    return rows


def _row(subject: str, roi: str, sessions: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    found = nili_bounds(sessions).lower
    seed = derive_seed(settings["study_seed"], roi, subject, "sessions null")
    try:
        null = null_bounds(sessions, settings["null_draws"], seed)[:, 0]
        by_chance = float(percentile_interval(null, settings["interval"])[1])
    except DataError:
        by_chance = float("nan")
    clear = found > by_chance
    words = f"{subject}, {roi}: {len(sessions)} sessions agree at {found:.3f} (mean ρ of each with"
    words += f" the others; by chance up to {by_chance:.3f})"
    words += "" if clear else ": not clear of chance, so that no score with this RDM says much"
    more = {"subject": subject, "roi": roi, "expected": by_chance, "flagged": not clear}
    return entry("reliability", f"{len(sessions)} sessions", found, finding=words, **more)
