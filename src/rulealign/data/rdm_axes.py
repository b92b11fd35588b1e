"""Which axis of an array of RDMs is which: told by the study, or the one way in which all fits."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path

import numpy as np

from rulealign.errors import DataError

SUBJECTS, SESSIONS, STIMULI, PAIRS = "subjects", "sessions", "stimuli", "pairs"
TIMES = "times"
"""The axis of RDMs that change over time, which is never guessed: a study names it."""

Axes = tuple[str, ...]

_LEAST = 3  # stimuli


def unfit_axes(axes: Sequence[str]) -> str:
    """Say what is wrong with the names of axes that a study gives; "" where nothing is."""
    counts = [axes.count(name) for name in (STIMULI, PAIRS)]
    if counts in ([2, 0], [0, 1]) and max(map(axes.count, (SUBJECTS, SESSIONS, TIMES))) <= 1:
        return ""
    return "RDMs have the axis `stimuli` twice or `pairs` once, and the others once at most"


def square_rdms(numbers: np.ndarray, counts: tuple[int, int], axes: Axes, path: Path) -> np.ndarray:
    """Bring an array of RDMs into one order of axes.

    Args:
        numbers: RDMs of an ROI, axes as in the file; square or condensed (the upper triangle row by
            row, as scipy and MATLAB's pdist have it).
        counts: how many subjects, and sessions of each, the array must hold. Where one is 1, its
            axis may lack.
        axes: what each axis is; () where nobody has said it.
        path: the file, for messages.

    Returns:
        float64, shape (subjects, sessions, stimuli, stimuli); of condensed RDMs, symmetric with a
        zero diagonal.

    Raises:
        DataError: the array does not fit the axes or the counts, or nobody has said what its axes
            are and it fits in several ways; names shape and remedy.
    """
    readings = [axes] if axes else [one for one in _readings() if len(one) == numbers.ndim]
    fitting = [one for one in readings if _fits(one, numbers.shape, counts)]
    if not fitting:
        raise _unfit(readings, numbers.shape, counts, path)
    squares = [_arranged(numbers.astype(np.float64), one) for one in fitting]
    if any(not np.array_equal(squares[0], other, equal_nan=True) for other in squares[1:]):
        listed = " or ".join(f"[{', '.join(one)}]" for one in fitting)
        raise DataError(
            f"{path}: shape {numbers.shape} can be read in several ways; say what its axes are with"
            f" `axes` of its ROI: {listed}."
        )
    return squares[0]


def _readings() -> Iterator[Axes]:
    for block in ((STIMULI, STIMULI), (PAIRS,)):
        yield block
        for count in (1, 2):
            for others in permutations((SUBJECTS, SESSIONS), count):
                yield (*others, *block)
                yield (*block, *others)


def possible_counts(shape: tuple[int, ...], axes: Axes, stimuli: int) -> set[tuple[int, int]]:
    """List how many subjects and sessions of each an array may hold.

    Args:
        shape: of the array.
        axes: as in `square_rdms`.
        stimuli: of how many the RDMs are.
    """
    held = (_held(one, shape) for one in ([axes] if axes else _readings()))
    return {found[:2] for found in held if found and found[2] == stimuli}


def _fits(axes: Axes, shape: tuple[int, ...], counts: tuple[int, int]) -> bool:
    held = _held(axes, shape)
    return held is not None and held[:2] == counts


def _held(axes: Axes, shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Count subjects, sessions and stimuli of an array; None where it holds no RDMs."""
    if len(axes) != len(shape):
        return None
    sizes: dict[str, set[int]] = {}
    for name, size in zip(axes, shape, strict=True):
        sizes.setdefault(name, set()).add(size)
    stimuli = sizes.get(STIMULI) or set(map(_stimuli_of, sizes[PAIRS]))
    if len(stimuli) > 1 or min(stimuli) < _LEAST:
        return None
    return max(sizes.get(SUBJECTS, {1})), max(sizes.get(SESSIONS, {1})), max(stimuli)


def _stimuli_of(pairs: int) -> int:
    """Count the stimuli of so many pairs; 0 where no number of stimuli has them."""
    stimuli = (1 + math.isqrt(1 + 8 * pairs)) // 2
    return stimuli if stimuli * (stimuli - 1) // 2 == pairs else 0


def _arranged(numbers: np.ndarray, axes: Axes) -> np.ndarray:
    others = [name for name in (SUBJECTS, SESSIONS) if name in axes]
    block = [place for place, name in enumerate(axes) if name in (STIMULI, PAIRS)]
    ordered = numbers.transpose(*(axes.index(name) for name in others), *block)
    for place, name in enumerate((SUBJECTS, SESSIONS)):
        if name not in axes:
            ordered = np.expand_dims(ordered, place)
    return ordered if STIMULI in axes else _squares(ordered)


def _squares(condensed: np.ndarray) -> np.ndarray:
    n = _stimuli_of(condensed.shape[-1])
    upper = np.triu_indices(n, 1)
    squares = np.zeros((*condensed.shape[:-1], n, n))
    squares[(..., *upper)] = squares[(..., *upper[::-1])] = condensed
    return squares


def _in_words(subjects: int, sessions: int) -> str:
    plural = "" if subjects == 1 else "s"
    return f"{subjects} subject{plural} with {sessions} session{'' if sessions == 1 else 's'} each"


def _unfit(
    readings: Sequence[Axes], shape: tuple[int, ...], counts: tuple[int, int], path: Path
) -> DataError:
    asked = _in_words(*counts)
    held = {one: found for one in readings if (found := _held(one, shape))}
    if not held:
        told = " x ".join(readings[0]) if len(readings) == 1 else "square or condensed RDMs"
        return DataError(
            f"{path}: shape {shape} does not hold RDMs of {asked}: it must be {told}, of at least 3"
            f" stimuli; an axis of time is named in `axes` (`{TIMES}`)."
        )
    ways = "; ".join(
        f"as {' x '.join(one)} it holds {_in_words(subjects, sessions)}"
        for one, (subjects, sessions, _) in held.items()
    )
    return DataError(
        f"{path}: shape {shape} does not hold RDMs of {asked}, as the study says; {ways}. Correct"
        " `subjects` or `sessions`, or give a file of square or condensed RDMs of all of them; an"
        f" axis of time is named in `axes` (`{TIMES}`), and its times are given by `{TIMES}`."
    )
