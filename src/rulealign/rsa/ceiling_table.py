"""The noise ceiling of an ROI as a table: whether its brain data tell anything, and by what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.errors import DataError
from rulealign.plan.settings.scores import CeilingSettings
from rulealign.provenance import derive_seed, fingerprint
from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.spearman import percentile_interval, require_draws
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.rsa.ceiling import Bounds, nili_bounds, null_bounds, raw_bounds
from rulealign.rsa.compare import ALL_PAIRS, CROSS_RUN, PER_SUBJECT, kinds_of_ceilings
from rulealign.rsa.pairs import read_pairs
from rulealign.rsa.rdm import CORRELATION
from rulealign.rsa.reliability import Repeats, read_repeats, reliability
from rulealign.rsa.unfit import naming
from rulealign.store import write_csv

LOWER = "lower bound of the noise ceiling"
"""What an ROI is informative by, where there are several subjects."""

_ONE = "there is 1 subject, and a noise ceiling is of several"
_NEITHER = f"{_ONE}; nor has its RDM sessions or repeats that would tell how reliable it is"


def ceiling_table(
    brain: BrainRdms,
    settings: CeilingSettings,
    mask: np.ndarray | None = None,
    repeats: Repeats | None = None,
    kind: str = CROSS_RUN,
) -> pd.DataFrame:
    """Make the row of `statistics/ceilings.csv` for one ROI and one kind of pairs.

    Args:
        brain: the subjects' RDMs of the ROI.
        settings: draws, seed and coverage of the null.
        mask: bool, shape (n_pairs,); the pairs compared. By default all pairs. Both kinds
            are held against the same shuffles.
        repeats: of the only subject. By default none.
        kind: of pairs that the mask is of.

    Returns:
        One row: the bounds (`lower_raw` and `upper_raw` are those of `raw_bounds`), the mean and
        the upper end of the central interval of the nulls of `lower` and `upper`, and
        `informative`: whether the lower bound lies above that end. The upper bound's null decides
        nothing: with 3 subjects it is never clear. Of one subject there are no bounds: it is
        informative where the `reliability` of its repeats lies above `null_reliability_high`.
        `informative_by` says which was held against its null; it is empty where there is none, as
        in `null_bounds`, so that it is unknown whether the ROI is informative. `reason` says why
        numbers are missing (it is empty elsewhere).

    Raises:
        DataError: there are too few permutations for the interval, or an RDM, or a mean of them, is
            constant or not finite over the pairs; names the ROI.
    """
    require_draws(settings.null_draws, settings.interval, "null_draws")
    row = {
        "roi": brain.roi,
        "convention": PER_SUBJECT,
        "pairs": ALL_PAIRS if mask is None else kind,
        "distance": brain.distance,
        "acquisition": brain.acquisition,
        "repetitions": brain.repetitions,
        "n_subjects": len(brain.subjects),
        "n_stimuli": len(brain.ids),
        "n_pairs": brain.rdms.shape[1] if mask is None else int(mask.sum()),
        **dict.fromkeys(_NUMBERS, np.nan),
    }
    try:
        if len(brain.subjects) > 1:
            row |= _of_several(brain, settings, mask)
        else:
            row |= _of_one(brain, settings, mask, repeats)
    except DataError as error:
        raise DataError(f"noise ceiling of {brain.roi}: {error}") from None
    return pd.DataFrame([row])


_NULLS = ("null_lower_mean", "null_lower_high", "null_upper_mean", "null_upper_high")
_NUMBERS = (*Bounds._fields, "lower_raw", "upper_raw", *_NULLS)
_NUMBERS += ("reliability", "null_reliability_high")


def _of_several(
    brain: BrainRdms, settings: CeilingSettings, mask: np.ndarray | None
) -> dict[str, Any]:
    with naming(brain=brain.names):
        bounds = nili_bounds(brain.rdms, mask)
        scaled = brain.distance != CORRELATION
        raw = raw_bounds(brain.rdms, mask, scaled=scaled)
    mean, high, reason = _null_ends(brain, settings, mask)
    nulls = dict(zip(_NULLS, (mean[0], high[0], mean[1], high[1]), strict=True))
    return {
        **bounds._asdict(),
        **dict(zip(("lower_raw", "upper_raw"), raw, strict=True)),
        **nulls,
        "informative": bool(bounds.lower > high[0]),
        "informative_by": "" if reason else LOWER,
        "reason": reason,
    }


def _of_one(
    brain: BrainRdms, settings: CeilingSettings, mask: np.ndarray | None, repeats: Repeats | None
) -> dict[str, Any]:
    unknown = {"informative": False, "informative_by": ""}
    if repeats is None:
        return unknown | {"reason": _NEITHER}
    found = reliability(repeats, settings, mask)
    numbers = {"reliability": found.value, "null_reliability_high": found.by_chance}
    if found.reason:
        return unknown | numbers | {"reason": f"{_ONE}; {found.reason}"}
    by = {"informative": found.clear, "informative_by": f"reliability over {repeats.of}"}
    return numbers | by | {"reason": _ONE}


def _null_ends(
    brain: BrainRdms, settings: CeilingSettings, mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, str]:
    # mean and upper end of the nulls of both bounds; or why there are none
    seed = derive_seed(settings.study_seed, brain.roi, "noise ceiling null")
    try:
        null = null_bounds(brain.rdms, settings.null_draws, seed, mask)
    except MissingValue as missing:
        return np.full(2, np.nan), np.full(2, np.nan), missing.reason
    _, high = percentile_interval(null, settings.interval)
    return null.mean(axis=0), high, ""


def roi_ceiling(
    brain_files: Sequence[Path],
    roi: str,
    settings: CeilingSettings,
    output: Path,
    pairs_file: Path | None = None,
) -> None:
    """Make the noise ceiling of one ROI: `brain/roi-<r>_ceiling.csv`.

    Where scores rest on pairs in different runs, an ROI has two rows: over all pairs too, which
    shows how much of the agreement between subjects lies within runs.

    Args:
        brain_files: the subjects' `sub-<s>_roi-<r>_rdm.h5` of the ROI.
        roi: its label in the study.
        settings: of the noise ceilings.
        output: the CSV to make: rows of `ceiling_table`, and `settings_hash`.
        pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.

    Raises:
        ConfigurationError: there is no such kind of pairs, or no file of pairs in different runs.
        GuardError: the files are of another ROI, or differ in distance, acquisition or repetitions.
        DataError: an RDM cannot be ranked, or the file of pairs is of other stimuli.
        StoreError: a file cannot be read, or the disk is full.
    """
    brain, rows = read_brain_rdms(brain_files, roi), []
    repeats = read_repeats(brain_files[0]) if len(brain_files) == 1 else None
    for kind in kinds_of_ceilings(settings.pairs):
        mask = read_pairs(pairs_file, brain.ids, kind)
        draws = settings.null_draws
        print(f"noise ceiling of {brain.roi}, {kind}: {draws} permutations", flush=True)
        rows.append(ceiling_table(brain, settings, mask, repeats, kind))
    write_csv(output, pd.concat(rows).assign(settings_hash=fingerprint(settings.plain())))
