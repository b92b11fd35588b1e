"""One RDM as it was given: whole, symmetric and with a zero diagonal, or an error."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from rulealign.errors import DataError

TOLERANCE = 1e-6
"""How far an RDM may be from symmetric, and its diagonal from zero, relative to its largest
dissimilarity: enough for single precision, too little for a mistake."""

_NEVER_NEGATIVE = re.compile(
    r"(1 *[-\u2212\u2013] *(pearson|spearman|kendall|correlation|cosine|rho|r)"
    r"|(squared )?euclidean)\b"
)
_MAY_BE_NEGATIVE = re.compile("cross|unbiased|correct|disattenuated|scored")
_NEGATIVE = (
    "if these are similarities r, with another diagonal, write 1 - r to the file; if distances are"
    " cross-validated, say so in brain.distance"
)


def whole_rdm(
    rdm: np.ndarray, names: Sequence[str], where: str, *, pairs: str = "all", distance: str = ""
) -> np.ndarray:
    """Check that a matrix is an RDM, and complete what convention leaves out.

    Args:
        rdm: float64, shape (stimuli, stimuli). Its diagonal may be missing (NaN), and one of its
            triangles may be missing or zero. Negative dissimilarities are kept, which
            cross-validated distances have, unless the distance has none.
        names: the stimuli's, for messages.
        where: file and subject, for messages.
        pairs: `all`, or `present`: dissimilarities may be missing (NaN).
        distance: what the study calls it; "" where nobody says it.

    Returns:
        The same shape: both triangles, and a zero diagonal.

    Raises:
        DataError: it holds similarities, or numbers below 0 where the distance has none, a
            dissimilarity is not finite or is missing in one triangle only, the diagonal is not
            zero, it is not symmetric, or all dissimilarities are equal; names the place and the
            remedy.
    """
    rdm = np.where(np.eye(len(rdm), dtype=bool) & np.isnan(rdm), 0.0, rdm)
    rdm = _both_triangles(rdm)
    missing = np.isnan(rdm)
    if pairs == "all":
        _refuse_missing(missing, names, where)
    _refuse(np.isinf(rdm), rdm, names, where, "is not a finite number")
    _refuse(missing & ~missing.T, rdm, names, where, "has a number on the other side")
    scale = np.nanmax(np.abs(rdm))
    _refuse_similarities(rdm, scale, where)
    _refuse(np.diag(np.diag(np.abs(rdm)) > TOLERANCE * scale), rdm, names, where, "should be 0")
    _refuse(np.abs(rdm - rdm.T) > TOLERANCE * scale, rdm, names, where, "is not symmetric")
    if _NEVER_NEGATIVE.match(distance.lower()) and not _MAY_BE_NEGATIVE.search(distance.lower()):
        why = f"is below 0, as no '{distance}' (brain.distance) is; {_NEGATIVE}"
        _refuse(rdm < -TOLERANCE * scale, rdm, names, where, why)
    there = rdm[np.triu(~missing, 1)]
    if not len(there) or np.ptp(there) == 0:
        held = f"{there[0]:g}" if len(there) else "missing"
        raise DataError(f"{where}: all dissimilarities are {held}; they order nothing.")
    return rdm


def _refuse_missing(missing: np.ndarray, names: Sequence[str], where: str) -> None:
    if not missing.any():
        return
    row, column = np.argwhere(missing)[0]
    pairs = int(np.triu(missing | missing.T, 1).sum())
    most = names[int((missing | missing.T).sum(axis=0).argmax())]
    raise DataError(
        f"{where}, {names[row]} with {names[column]}: the dissimilarity is missing ({pairs} pairs"
        f" of this RDM are, most of them of {most}). Set brain.pairs to 'present', which compares"
        " the pairs that every RDM has; or leave such stimuli out of RDMs and images."
    )


def _both_triangles(rdm: np.ndarray) -> np.ndarray:
    """Mirror the only triangle that has numbers; give others as they are."""
    below = np.tril_indices(len(rdm), -1)
    for one in (rdm, rdm.T):
        if _empty(one[below]) and not _empty(one.T[below]):
            kept = np.where(np.tri(len(one), k=-1, dtype=bool), 0.0, one)
            return kept + np.triu(kept, 1).T
    return rdm


def _empty(triangle: np.ndarray) -> bool:
    return bool(np.isnan(triangle).all() or (triangle == 0).all())


def _refuse_similarities(rdm: np.ndarray, scale: float, where: str) -> None:
    diagonal = np.diag(rdm)
    same = np.ptp(diagonal) <= TOLERANCE * scale and diagonal[0] > TOLERANCE * scale
    if same and diagonal[0] >= (1 - TOLERANCE) * scale:
        raise DataError(
            f"{where}: holds similarities, not dissimilarities: every stimulus has {diagonal[0]:g}"
            f" with itself, and no pair has more. Write {diagonal[0]:g} - similarity to the file;"
            " that is 1 - r where these are correlations."
        )


def _refuse(
    wrong: np.ndarray, rdm: np.ndarray, names: Sequence[str], where: str, complaint: str
) -> None:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        raise DataError(
            f"{where}, {names[row]} with {names[column]}: the dissimilarity {rdm[row, column]:g}"
            f" {complaint} ({int(wrong.sum())} such places in this RDM)."
        )
