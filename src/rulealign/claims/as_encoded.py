"""Scores of measures in universes, held against those of the encoding arm (guard 20)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rulealign.claims.gram_measure import GramMeasure
from rulealign.claims.measures import measure_class
from rulealign.claims.scores import UniverseScores
from rulealign.errors import DataError, GuardError
from rulealign.plan.universes import way_of
from rulealign.rsa.compare import PER_SUBJECT
from rulealign.store import open_h5, read_ids

_KEYS = ("network", "rule", "seed", "epoch", "stimuli", "size", "layer", "descriptor")
_ARRAYS = ("errors", "baseline", "cka")


@dataclass(frozen=True)
class _Encoded:
    """What the encoding arm keeps of one arm and ROI: row -> its place, and arrays by row."""

    path: str
    places: dict[str, int]
    arrays: dict[str, np.ndarray]


def require_as_encoded(scores: Sequence[UniverseScores], encodings: Sequence[Path]) -> None:
    """Refuse universes whose scores of single subjects are not those of the encoding arm.

    Args:
        scores: of all arms, ROIs and measures; those of RDMs are left aside.
        encodings: `encoding/net-<n>_rule-<k>_roi-<r>_errors.h5` of the others.

    Raises:
        DataError: a file, or a network in it, is missing.
        GuardError: a score differs; names both files and the row.
        StoreError: a file cannot be read.
    """
    found = _read([Path(path) for path in encodings])
    for one in scores:
        measure = measure_class(way_of(one.made_with).measure)
        if measure.of_rdms:
            continue
        if one.scored not in found:
            raise DataError(
                f"{one.path}: there are no errors of encoding to hold its scores against."
            )
        _require_same(one, found[one.scored], measure)


def _read(encodings: Sequence[Path]) -> Mapping[tuple[str, str, str], _Encoded]:
    found = {}
    for path in encodings:
        with open_h5(path) as file:
            rows, roi = read_ids(file, "row"), str(file.attrs["roi"])
            arrays = {name: file[name][()] for name in _ARRAYS}
        network, rule = rows[0].split("/")[:2]
        places = {row: place for place, row in enumerate(rows)}
        found[network, rule, roi] = _Encoded(str(path), places, arrays)
    return found


def _require_same(one: UniverseScores, encoded: _Encoded, measure: type[GramMeasure]) -> None:
    expected = measure.of_subjects(**encoded.arrays).mean(axis=1)
    rows = one.rows.reset_index()
    rows = rows[(rows["convention"] == PER_SUBJECT) & rows["score"].notna()]
    for _, row in rows.iterrows():
        name = "/".join(map(str, (*row[list(_KEYS)], one.made_with["dataset"])))
        if name not in encoded.places:
            raise DataError(f"{encoded.path}: has no {name}; delete it and rerun the command.")
        value = expected[encoded.places[name]]
        if not np.isclose(row["score"], value, rtol=1e-6, atol=1e-9):
            raise GuardError(
                f"{one.path} and {encoded.path} have different scores of {name}: {row['score']} and"
                f" {value}; delete both and rerun the command."
            )
