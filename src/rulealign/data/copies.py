"""Data that appear twice: found by what they hold, and stopped unless the study says why."""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Iterable, Mapping

import numpy as np

from rulealign.errors import DataError

# Unrelated or overlapping ROIs stay below this correlation; the same RDM in other units, or written
# with four digits, lies above.
_SAME = 1 - 1e-6


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
    """Find RDMs that equal an earlier one, but for units and rounding.

    Args:
        rdms: name -> float64, shape (n_pairs,); condensed, finite.

    Returns:
        Name of a copy -> name of the first RDM that it correlates with above 1 - 1e-6 (Pearson).
    """
    names = list(rdms)
    rows = np.stack([rdm - rdm.mean() for rdm in rdms.values()])
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.where(lengths > 0, lengths, 1)
    same = np.triu(rows @ rows.T > _SAME, 1)
    return {
        names[copy]: names[int(np.argmax(same[:, copy]))] for copy in np.flatnonzero(same.any(0))
    }


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
