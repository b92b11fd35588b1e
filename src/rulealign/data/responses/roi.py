"""Which voxels are in an ROI: columns joined, cut and subtracted, a side, and the most reliable."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rulealign.data.responses.hemispheres import on_side, sided_columns
from rulealign.data.things.tables import unknown_column
from rulealign.errors import DataError
from rulealign.store import refuse_duplicates

if TYPE_CHECKING:
    import pandas as pd

    from rulealign.config.brain import BestVoxels, ReliableVoxels, Roi
    from rulealign.data.responses.forms import Form

CEILINGS = ("nc_singletrial", "nc_testset")
"""Columns of noise ceilings: for one trial, and for the mean of all repetitions."""

_EXPECTED = {
    frozenset({"V1"}): (1049, 1104, 839),
    frozenset({"V2"}): (774, 988, 660),
    frozenset({"lLOC", "rLOC"}): (2700, 1175, 423),
    frozenset({"IT"}): (4145, 3720, 3022),
}


@dataclass(frozen=True)
class RoiVoxels:
    """The voxels of one ROI of one subject.

    Attributes:
        rows: increasing rows of the form's voxels, int64, shape (voxels,).
        ids: their voxel_id, as text.
        nc_singletrial: noise ceiling of one trial, float64, percent; NaN where the source has none.
        nc_testset: noise ceiling of the mean of all repetitions, likewise.
    """

    rows: np.ndarray
    ids: list[str]
    nc_singletrial: np.ndarray
    nc_testset: np.ndarray


def choose_voxels(form: Form, subject: str, roi: Roi) -> RoiVoxels:
    """Find the voxels of an ROI.

    Args:
        form: the way in to the data.
        subject: label, such as "01".
        roi: which voxels. Each is in any of `union`, in every one of `intersection` and in none of
            `difference`; the side is cut out of that (see `hemispheres.on_side` for its limits),
            and the reliable voxels out of the rest.

    Returns:
        The voxels in the order of the form. A tie at the cut of `top` takes the first of the tied
        voxels, and a printed line says so.

    Raises:
        DataError: a column is unknown (names the nearest), the ROI is empty (names the step that
            emptied it), a noise ceiling to select by is missing, `top` asks for more voxels than
            there are, or a voxel_id appears twice.
    """
    place = f"sub-{subject}"
    columns = _real_names(form, subject, roi)
    table = _read(form, subject, columns, sides=roi.hemisphere != "both")
    inside = _combined(table, columns, place)
    if roi.hemisphere != "both":
        inside = inside & on_side(table, roi.hemisphere, place)
        _refuse_empty(inside, f"{place}: hemisphere {roi.hemisphere}")
    rows = np.flatnonzero(inside)
    if roi.voxels != "all":
        rows = rows[_reliable(table.iloc[rows], roi.voxels, place)]
    ids = [str(value) for value in table["voxel_id"].to_numpy()[rows]]
    refuse_duplicates(ids, f"{place}: voxel_id")
    single, repeated = (table[name].to_numpy(dtype=np.float64)[rows] for name in CEILINGS)
    return RoiVoxels(rows.astype(np.int64), ids, single, repeated)


def _real_names(form: Form, subject: str, roi: Roi) -> dict[str, list[str]]:
    plain = {_plain(name): name for name in form.columns(subject)}
    found = {}
    for step in ("union", "intersection", "difference"):
        for name in getattr(roi, step):
            if _plain(name) not in plain:
                form.voxels(subject, [name])  # says what that form could do about it
                raise DataError(unknown_column(f"sub-{subject}", name, list(plain)))
        found[step] = [plain[_plain(name)] for name in getattr(roi, step)]
    return found


def _plain(name: str) -> str:
    return re.sub(r"[\r\n]+", "", name)


def _read(
    form: Form, subject: str, columns: Mapping[str, Sequence[str]], sides: bool
) -> pd.DataFrame:
    wanted = [name for names in columns.values() for name in names]
    if sides:
        wanted += ["voxel_x", *sided_columns(form.columns(subject))]
    return form.voxels(subject, list(dict.fromkeys([*wanted, *CEILINGS])))


def _combined(table: pd.DataFrame, columns: Mapping[str, Sequence[str]], place: str) -> np.ndarray:
    inside = np.zeros(len(table), dtype=bool)
    for name in columns["union"]:
        inside |= table[name].to_numpy() == 1
    _refuse_empty(inside, f"{place}: union of {columns['union']}")
    for name in columns["intersection"]:
        inside &= table[name].to_numpy() == 1
        _refuse_empty(inside, f"{place}: intersection with '{name}'")
    for name in columns["difference"]:
        inside &= table[name].to_numpy() == 0
        _refuse_empty(inside, f"{place}: difference from '{name}'")
    return inside


def _refuse_empty(inside: np.ndarray, step: str) -> None:
    if not inside.any():
        raise DataError(f"{step}: leaves no voxel in the ROI; choose other columns or limits.")


def _reliable(
    table: pd.DataFrame, selection: ReliableVoxels | BestVoxels, place: str
) -> np.ndarray:
    # places, within the table's rows, of the voxels to keep
    by = selection.by
    ceilings = table[by].to_numpy(dtype=np.float64)
    missing = np.isnan(ceilings)
    if missing.any():
        first = table["voxel_id"].to_numpy()[np.argmax(missing)]
        raise DataError(
            f"{place}: voxel {first} has no {by} ({missing.sum()} such voxels in the ROI), so it"
            " cannot be selected by it; use voxels: all, or the other noise ceiling."
        )
    if hasattr(selection, "top"):
        return _best(ceilings, selection.top, f"{place}: {by}")
    keep = ceilings >= selection.at_least
    _refuse_empty(keep, f"{place}: {by} at least {selection.at_least:g} percent")
    return np.flatnonzero(keep)


def _best(ceilings: np.ndarray, top: int, what: str) -> np.ndarray:
    if top > len(ceilings):
        raise DataError(f"{what}: top {top} voxels are asked for, the ROI has {len(ceilings)}.")
    chosen = np.sort(np.argsort(-ceilings, kind="stable")[:top])
    cut = ceilings[chosen].min()
    tied, kept = (ceilings == cut).sum(), (ceilings[chosen] == cut).sum()
    if tied > kept:
        print(
            f"{what}: {tied} voxels are tied at the cut of the top {top} ({cut:g} percent); the"
            f" first {kept} in the order of voxels are taken"
        )
    return chosen


def expected_voxels(subject: str, roi: Roi) -> int | None:
    """Say how many voxels an ROI of THINGS-fMRI has in the published tables.

    Args:
        subject: label, such as "01".
        roi: which voxels.

    Returns:
        The number for V1, V2, LOC (lLOC or rLOC) and IT of the three subjects; None for other
        ROIs, for one side, and for a selection.

    Source: the voxel tables of Hebart et al. 2023, eLife 12:e82580.
    """
    cut = roi.intersection or roi.difference or roi.hemisphere != "both"
    if cut or roi.voxels != "all":
        return None
    counts = _EXPECTED.get(frozenset(_plain(name) for name in roi.union))
    number = int(subject) if str(subject).isdigit() else 0
    return counts[number - 1] if counts and 1 <= number <= len(counts) else None


def check_count(subject: str, name: str, roi: Roi, found: int) -> str:
    """Compare an ROI's voxels with those of the published tables.

    Args:
        subject: label, such as "01".
        name: of the ROI.
        roi: which voxels.
        found: how many voxels it has.

    Returns:
        A line for the log; it starts with WARNING where the number is another.
    """
    expected = expected_voxels(subject, roi)
    if expected is None:
        return f"{name} of sub-{subject}: {found} voxels"
    if found == expected:
        return f"{name} of sub-{subject}: {found} voxels, as expected"
    return (
        f"WARNING: {name} of sub-{subject}: expected {expected} voxels, found {found}: another"
        " release of the data?"
    )
