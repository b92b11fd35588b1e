"""The noise ceiling of an ROI, with the null of its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from rulealign.errors import DataError, GuardError
from rulealign.provenance import derive_seed, fingerprint
from rulealign.reasons import MissingValue
from rulealign.rsa.bootstrap.spearman import percentile_interval, require_draws
from rulealign.rsa.brain_distance import CORRELATION
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.rsa.compare import (
    ALL_PAIRS,
    CROSS_RUN,
    PER_SUBJECT,
    masked,
)
from rulealign.rsa.pairs import read_pairs
from rulealign.rsa.ranking import ranks, standardise
from rulealign.rsa.unfit import UnfitRdm, naming
from rulealign.store import write_csv

CEILING_KEYS = ("study_seed", "null_draws", "interval", "pairs")
"""The settings that all noise ceilings of a study share."""


class Bounds(NamedTuple):
    """What the true model would score, from how far subjects agree; Spearman's rho.

    Attributes:
        lower: of each subject with the ranks of the others, averaged.
        upper: of each subject with the ranks of all; no model without ties scores higher where the
            subjects' RDMs have none.
        upper_any_model: Pearson's r of each subject's ranks with the mean of all subjects'
            standardised ranks, which is not ranked again; no model scores higher, be it of
            categories and full of ties.
    """

    lower: float
    upper: float
    upper_any_model: float


def nili_bounds(subjects: np.ndarray, mask: np.ndarray | None = None) -> Bounds:
    """Bound the score of any model, from how far subjects agree.

    RDMs are rank-transformed before they are averaged, so that no subject counts more than another
    and the upper bounds are the largest scores there can be. For scores of the convention
    `per_subject` only. With few subjects the upper bounds are high even where they agree by chance:
    see `null_bounds`.

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.
        mask: bool, shape (n_pairs,); the pairs that scores rest on. By default all.

    Returns:
        The bounds.

    Raises:
        DataError: there are fewer than 2 subjects, or an RDM, the mean of all or that of all but
            one is constant or not finite; names it.

    Source: Nili et al. 2014, PLoS Comput Biol 10:e1003553, with ranks averaged as their text has
    it; rsatoolbox gives the same lower and upper bound.
    """
    _require_two(len(subjects))
    ranked = ranks(masked(subjects, mask), kind="brain")
    own = standardise(ranked)
    # the mean over subjects of r with their mean is the length of that mean
    any_model = float(np.linalg.norm(own.mean(axis=0)))
    return Bounds(*_against_means(own, ranked), any_model)


def raw_bounds(
    subjects: np.ndarray, mask: np.ndarray | None = None, *, scaled: bool
) -> tuple[float, float]:
    """Bound scores by means of the dissimilarities themselves, as published for the 92 images.

    A model can beat this upper bound: the mean of dissimilarities is not the best ranking. Shown
    beside `nili_bounds` for comparison with earlier work only.

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.
        mask: as in `nili_bounds`.
        scaled: divide each RDM by its root mean square first. Needed of distances without a common
            scale (Euclidean, crossnobis), where the noisiest subject would rule the mean.

    Returns:
        Lower and upper bound.

    Raises:
        DataError: as in `nili_bounds`.
    """
    _require_two(len(subjects))
    compared = masked(subjects, mask)
    own = standardise(ranks(compared, kind="brain"))
    if scaled:
        compared = compared / np.sqrt((compared**2).mean(axis=1, keepdims=True))
    return _against_means(own, compared)


def _require_two(n_subjects: int) -> None:
    if n_subjects < 2:
        raise DataError(
            f"a noise ceiling needs at least 2 subjects, there is {n_subjects}: it measures how far"
            " they agree."
        )


def _against_means(own: np.ndarray, pooled: np.ndarray) -> tuple[float, float]:
    # own: standardised ranks; pooled: what is averaged over all but each, and over all. Sums in
    # place of means: those of ranks are exact, so that equal ones stay equal
    n = len(pooled)
    sums = np.stack([*(np.delete(pooled, s, axis=0).sum(axis=0) for s in range(n)), pooled.sum(0)])
    names = [f"the mean of all subjects but number {place + 1}" for place in range(n)]
    means = standardise(ranks(sums, [*names, "the mean over subjects"]))
    return float(np.einsum("sp,sp->s", own, means[:-1]).mean()), float((own @ means[-1]).mean())


def null_bounds(
    subjects: np.ndarray, draws: int, seed: int, mask: np.ndarray | None = None
) -> np.ndarray:
    """Draw the bounds under the null that subjects share nothing but their distributions.

    The stimulus labels are shuffled, independently per subject: rows and columns together, so
    that the dependence among a stimulus' pairs stays. The null of the lower bound lies around 0;
    that of the upper bound does not, as every subject is part of the mean (.25 at 15 subjects).
    A mask stays where it is: labels are shuffled over all stimuli, then its places are compared.
    Shuffles do not keep runs together, so that the null over pairs in different runs is too narrow
    where subjects share an order and run noise is strong: of lower bounds simulated without any
    agreement, 12% (two of three subjects share the order) or 23% (all of four do) lay above its
    97.5th percentile with run noise as strong as trial noise, 4% or 7% with a third of that.

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.
        draws: number of permutations.
        seed: of the permutations.
        mask: bool, shape (n_pairs,); the pairs that scores rest on. By default all.

    Returns:
        float64, shape (draws, 2); `lower` and `upper` of each draw.

    Raises:
        DataError: there are fewer than 2 subjects, an RDM is constant or not finite, or a shuffle
            leaves an RDM or a mean constant over the pairs compared, as happens where these are few
            or dissimilarities coarse.
    """
    _require_two(len(subjects))
    generator = np.random.default_rng(seed)
    # ranks of a permuted RDM are the permuted ranks, and only means need ranking anew; but not
    # under a mask, where each shuffle brings other dissimilarities to the places compared
    values = _Shuffled(subjects if mask is not None else ranks(subjects), mask)
    null = np.empty((draws, 2))
    for draw in range(draws):
        drawn = values.draw(generator)
        try:
            own = drawn if mask is None else ranks(drawn, kind="brain")
            null[draw] = _against_means(standardise(own), own)
        except UnfitRdm as unfit:
            raise MissingValue(
                f"there is no null of the noise ceiling: in shuffle {draw} {unfit.reason}. It needs"
                " more stimuli, or finer dissimilarities"
            ) from None
    return null


class _Shuffled:
    """Condensed RDMs whose stimuli can be permuted, each RDM's by its own permutation."""

    def __init__(self, rdms: np.ndarray, mask: np.ndarray | None) -> None:
        from scipy.spatial.distance import squareform  # slow to import

        self._squares = np.stack([squareform(rdm, checks=False) for rdm in rdms])
        self._n = self._squares.shape[1]
        self._first, self._second = masked(np.stack(np.triu_indices(self._n, 1)), mask)

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        order = np.tile(np.arange(self._n), (len(self._squares), 1))
        order = generator.permuted(order, axis=1)
        places = order[:, self._first] * self._n + order[:, self._second]
        flat = self._squares.reshape(len(self._squares), -1)
        return np.take_along_axis(flat, places, axis=1)


def ceiling_table(
    brain: BrainRdms, settings: dict[str, Any], mask: np.ndarray | None = None
) -> pd.DataFrame:
    """Make the row of `statistics/ceilings.csv` for one ROI and one kind of pairs.

    Args:
        brain: the subjects' RDMs of the ROI.
        settings: `study_seed`, `null_draws` and `interval` (coverage).
        mask: bool, shape (n_pairs,); the pairs in different runs. By default all pairs. Both kinds
            are held against the same shuffles.

    Returns:
        One row: the bounds (`lower_raw` and `upper_raw` are those of `raw_bounds`), the mean and
        the upper end of the central interval of the nulls of `lower` and `upper`, and
        `informative`: whether the lower bound lies above that end. The upper bound's null decides
        nothing: with 3 subjects it is never clear. Where there is no null, as in `null_bounds`,
        what rests on it is missing, `reason` says why (it is empty elsewhere), and the ceiling is
        not informative.

    Raises:
        DataError: there are fewer than 2 subjects or too few permutations for the interval, or an
            RDM, or a mean of them, is constant or not finite over the pairs; names the ROI.
    """
    require_draws(settings["null_draws"], settings["interval"], "null_draws")
    try:
        with naming(brain=brain.names):
            bounds = nili_bounds(brain.rdms, mask)
            scaled = brain.distance != CORRELATION
            lower_raw, upper_raw = raw_bounds(brain.rdms, mask, scaled=scaled)
    except DataError as error:
        raise DataError(f"noise ceiling of {brain.roi}: {error}") from None
    mean, high, reason = _null_ends(brain, settings, mask)
    row = {
        "roi": brain.roi,
        "convention": PER_SUBJECT,
        "pairs": ALL_PAIRS if mask is None else CROSS_RUN,
        "distance": brain.distance,
        "acquisition": brain.acquisition,
        "repetitions": brain.repetitions,
        "n_subjects": len(brain.subjects),
        "n_stimuli": len(brain.ids),
        "n_pairs": brain.rdms.shape[1] if mask is None else int(mask.sum()),
        **bounds._asdict(),
        "lower_raw": lower_raw,
        "upper_raw": upper_raw,
        "null_lower_mean": mean[0],
        "null_lower_high": high[0],
        "null_upper_mean": mean[1],
        "null_upper_high": high[1],
        "informative": bool(bounds.lower > high[0]),
        "reason": reason,
    }
    return pd.DataFrame([row])


def _null_ends(
    brain: BrainRdms, settings: dict[str, Any], mask: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, str]:
    # mean and upper end of the nulls of both bounds; or why there are none
    seed = derive_seed(settings["study_seed"], brain.roi, "noise ceiling null")
    try:
        null = null_bounds(brain.rdms, settings["null_draws"], seed, mask)
    except MissingValue as missing:
        return np.full(2, np.nan), np.full(2, np.nan), missing.reason
    _, high = percentile_interval(null, settings["interval"])
    return null.mean(axis=0), high, ""


def roi_ceiling(
    brain_files: Sequence[Path],
    settings: dict[str, Any],
    output: Path,
    pairs_file: Path | None = None,
) -> None:
    """Make the noise ceiling of one ROI: `brain/roi-<r>_ceiling.csv`.

    Where scores rest on pairs in different runs, an ROI has two rows: over all pairs too, which
    shows how much of the agreement between subjects lies within runs.

    Args:
        brain_files: the subjects' `sub-<s>_roi-<r>_rdm.h5` of the ROI.
        settings: `CEILING_KEYS`, and `roi`.
        output: the CSV to make: rows of `ceiling_table`, and `settings_hash`, of `CEILING_KEYS`.
        pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.

    Raises:
        ConfigurationError: there is no such kind of pairs, or no file of pairs in different runs.
        GuardError: the files are of another ROI, or differ in distance, acquisition or repetitions.
        DataError: there are fewer than 2 subjects, or an RDM cannot be ranked, or the file of
            pairs is of other stimuli.
        StoreError: a file cannot be read, or the disk is full.
    """
    brain, rows = read_brain_rdms(brain_files), []
    if brain.roi != settings["roi"]:
        raise GuardError(f"{brain_files[0]}: is of the ROI '{brain.roi}', not '{settings['roi']}'.")
    for kind in sorted({ALL_PAIRS, settings["pairs"]}):
        mask = read_pairs(pairs_file, brain.ids, kind)
        draws = settings["null_draws"]
        print(f"noise ceiling of {brain.roi}, {kind}: {draws} permutations", flush=True)
        rows.append(ceiling_table(brain, settings, mask))
    used = fingerprint({key: settings[key] for key in CEILING_KEYS})
    write_csv(output, pd.concat(rows).assign(settings_hash=used))
