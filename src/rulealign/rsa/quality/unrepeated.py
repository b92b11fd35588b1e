"""The shift test where no stimulus was repeated: agreement with the other subjects (guard 22)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from rulealign.provenance import derive_seed
from rulealign.rsa.quality.roi import read_trial_columns, subject_of
from rulealign.rsa.quality.rows import entry
from rulealign.rsa.quality.shift import shift_words, shifted_places
from rulealign.rsa.quality.time import Trials, sums_by, trials_in_time, unit_patterns
from rulealign.rsa.ranking import ranks, standardise
from rulealign.store import open_h5

_DRAWS, _CLEAR = 200, 4
_MOST = 720  # stimuli; more would only cost time


def shifted_rdm(units: np.ndarray, trials: Trials, stimuli: np.ndarray, shift: int) -> np.ndarray:
    """Make the RDM of stimuli with shifted labels, where nothing was repeated.

    Args:
        units: as made by `quality_time.unit_patterns`.
        trials: of the same trials.
        stimuli: which stimuli, shape (n,), increasing.
        shift: in trials, as in `told_apart`.

    Returns:
        float64, shape (n, n); 1 - Pearson of mean unit patterns, NaN for stimuli without a trial.
    """
    labelled = np.flatnonzero(np.isin(trials.stimulus, stimuli))
    moved = shifted_places(trials, labelled, shift)
    labelled, moved = labelled[moved >= 0], moved[moved >= 0]
    rdm = np.full((len(stimuli), len(stimuli)), np.nan)
    if len(labelled):
        means = sums_by(units[moved], trials.stimulus[labelled])
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        there = np.flatnonzero(np.isin(stimuli, trials.stimulus[labelled]))
        rdm[np.ix_(there, there)] = 1 - means @ means.T
    return rdm


def agreement(one: np.ndarray, other: np.ndarray, draws: int, seed: int) -> tuple[float, float]:
    """Correlate two RDMs, with the spread of a permutation null.

    Args:
        one: square, NaN rows and columns for stimuli that it lacks.
        other: the same of another subject.
        draws: permutations of the stimuli; 0 for none.
        seed: of the permutations.

    Returns:
        Spearman's rho over the stimuli that both have (NaN with fewer than 3), and the standard
        deviation that it has where one RDM's stimuli are permuted (NaN without draws).
    """
    both = np.flatnonzero(np.isfinite(np.diag(one)) & np.isfinite(np.diag(other)))
    if len(both) < 3:
        return float("nan"), float("nan")
    a, b = (_square_ranks(rdm[np.ix_(both, both)]) for rdm in (one, other))
    rng = np.random.default_rng(seed)
    orders = (rng.permutation(len(both)) for _ in range(draws))
    null = [(a[np.ix_(order, order)] * b).sum() / 2 for order in orders]
    return float((a * b).sum() / 2), float(np.std(null)) if null else float("nan")


def _square_ranks(rdm: np.ndarray) -> np.ndarray:
    upper = np.triu_indices(len(rdm), 1)
    square = np.zeros(rdm.shape)
    square[upper] = standardise(ranks(rdm[upper]))[0]
    return square + square.T


def unrepeated_rows(files: Sequence[Path], shifts: int, study_seed: int) -> list[dict[str, Any]]:
    """Run the shift test of one ROI by agreement with the other subjects.

    Each subject's RDM with shifted labels is held against every other's as it is. A peak counts
    where it is 4 standard deviations of its permutation null above 0, and as much above shift 0. A
    subject is flagged whose peaks with most others are at the same shift. Two subjects who saw the
    same order are both flagged where one is shifted: which, cannot be said.

    Args:
        files: `sub-<s>_roi-<r>_responses.h5` of all subjects.
        shifts: the longest shift of the labels, in trials.
        study_seed: of the study.

    Returns:
        Rows `shift` of every two subjects, and a verdict `shift_test` per subject.
    """
    rdms, roi = _shifted_rdms(files, shifts)
    rows, peaks = [], {subject: [] for subject in rdms}
    for one, other in permutations(rdms, 2):
        fixed = rdms[other][0]
        by_shift = {shift: agreement(rdm, fixed, 0, 0)[0] for shift, rdm in rdms[one].items()}
        about = {"guard": 22, "subject": one, "other": other, "roi": roi}
        rows += [entry("shift", shift, rho, **about) for shift, rho in by_shift.items()]
        peak = max(by_shift, key=lambda shift: np.nan_to_num(by_shift[shift], nan=-2.0))
        seed = derive_seed(study_seed, "shift test", roi, one, other)
        rho, spread = agreement(rdms[one][peak], fixed, _DRAWS, seed)
        if rho > _CLEAR * spread:
            beyond = rho - np.nan_to_num(by_shift[0]) > _CLEAR * spread
            peaks[one].append((peak if beyond else 0, rho, by_shift[0]))
    return rows + [_verdict(subject, roi, found) for subject, found in peaks.items()]


def _shifted_rdms(
    files: Sequence[Path], shifts: int
) -> tuple[dict[str, dict[int, np.ndarray]], str]:
    names = []
    for path in files:
        with open_h5(path) as file:
            names.append(np.unique(read_trial_columns(file)["stimulus"].to_numpy(dtype=str)))
    # sorted, so that all RDMs have the same stimuli in the same order
    common = sorted(set.intersection(*map(set, names)))[:_MOST]
    rdms = {}
    for path, own in zip(files, names, strict=True):
        with open_h5(path) as file:
            subject, roi = subject_of(file), str(file.attrs["roi"])
            trials = trials_in_time(read_trial_columns(file))
            units = unit_patterns(file["responses"][()])
        stimuli = np.searchsorted(own, common)
        every = range(-shifts, shifts + 1)
        rdms[subject] = {shift: shifted_rdm(units, trials, stimuli, shift) for shift in every}
    return rdms, roi


def _verdict(subject: str, roi: str, peaks: list[tuple[int, float, float]]) -> dict[str, Any]:
    about = {"guard": 22, "subject": subject, "roi": roi, "expected": 0}
    start = f"{subject}, {roi}: "
    if not peaks:
        words = f"{start}no signal: agrees with no other subject at any shift of the labels"
        return entry("shift_test", "peak", np.nan, finding=words, **about)
    (peak, count), *_ = Counter(peak for peak, _, _ in peaks).most_common()
    if peak == 0 or 2 * count <= len(peaks):
        return entry("shift_test", "peak", 0, **about)
    _, best, own = next(one for one in peaks if one[0] == peak)
    finding = start + shift_words(peak, best, own, "agreement with another subject is {}")
    return entry("shift_test", "peak", peak, finding=finding, flagged=True, **about)
