"""Data that appear twice: found by what they hold, and stopped unless the study says why."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping

import numpy as np

from rulealign.errors import DataError

# Unrelated or overlapping ROIs stay below this correlation; the same RDM in other units, or written
# with four digits, lies above.
_SAME = 1 - 1e-6
# Two measured RDMs order some of so many pairs otherwise, however well they agree; few pairs, or
# values of few levels, may be in one order by chance.
_PAIRS, _LEVELS = 45, 10
_ALIKE = 0.98  # rank correlation below which no two pairs have to be looked at


def same_contents(contents: Iterable[tuple[str, Hashable]]) -> dict[str, str]:
    """Find what was there before under another name.

    Args:
        contents: name and contents (or their hash) of each thing, in order.

    Returns:
        Name of a copy -> name of the first thing with these contents.
    """
    first: dict[Hashable, str] = {}
    found = ((name, first.setdefault(content, name)) for name, content in contents)
    return {name: earlier for name, earlier in found if earlier != name}


def image_hash(pixels: np.ndarray) -> str:
    """Give the SHA-256 of an image's pixels.

    Args:
        pixels: uint8, shape (height, width, 3).
    """
    return hashlib.sha256(pixels.tobytes()).hexdigest()


def same_rdms(rdms: Mapping[str, np.ndarray]) -> dict[str, str]:
    """Find RDMs that equal an earlier one, but for units, rounding and what keeps their order.

    Args:
        rdms: name -> float64, shape (n_pairs,); condensed; pairs that one of them lacks
            (NaN) do not count.

    Returns:
        Name of a copy -> name of the first RDM that it correlates with above 1 - 1e-6 (Pearson), or
        from which no two pairs differ in their order (ties aside): scores go by ranks, to which its
        squares, logarithms or rounded values are the same RDM.
    """
    from scipy.stats import rankdata

    names, values = list(rdms), np.stack(list(rdms.values()))
    values = values[:, ~np.isnan(values).any(axis=0)]
    same = _correlations(values) > _SAME
    if values.shape[1] >= _PAIRS:
        alike = _correlations(rankdata(values, axis=1)) > _ALIKE
        for one, other in np.argwhere(np.triu(alike & ~same, 1)):
            same[one, other] = _same_order(values[one], values[other])
    same = np.triu(same, 1)
    return {
        names[copy]: names[int(np.argmax(same[:, copy]))] for copy in np.flatnonzero(same.any(0))
    }


def _correlations(values: np.ndarray) -> np.ndarray:
    rows = values - values.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1)
    return rows @ rows.T


def _same_order(one: np.ndarray, other: np.ndarray) -> bool:
    if min(len(np.unique(one)), len(np.unique(other))) < _LEVELS:
        return False
    ordered = other[np.lexsort((other, one))]
    return bool((np.diff(ordered) >= 0).all())


def require_reasons(found: Mapping[str, tuple[str, str]], reasons: Mapping[str, str]) -> None:
    """Refuse copies that the study does not explain, and explanations of what is no copy.

    Args:
        found: name of a copy -> what it equals, and what follows from it, in words.
        reasons: `copies` of the study: name of a copy -> why it is meant.

    Raises:
        DataError: a copy has no reason, or a reason has no copy; names it, and the remedy.
    """
    for name, (what, consequence) in found.items():
        if name not in reasons:
            raise DataError(
                f"{name}: {what}. {consequence} Bring the right file; or, if this is meant, say why"
                f' in the study: `copies: {{"{name}": "the reason, in words"}}`.'
            )
    for name in reasons:
        if name not in found:
            raise DataError(
                f"copies: '{name}' is no copy of anything in this study. Remove the line, or"
                f" correct the name; {f'copies are {sorted(found)}' if found else 'none is one'}."
            )
