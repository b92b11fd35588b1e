"""The scores of one rule with one area in all universes, read back with their draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd

from rulealign.claim_grid import NESTED, VECTOR, Score
from rulealign.errors import DataError, GuardError
from rulealign.rsa.model_rdms import UNIVERSE_KEYS as KEYS
from rulealign.store import open_h5, read_csv, read_ids, read_settings, require_same_ids

SHARED = ("study_seed", "bootstrap_draws", "interval")
"""Settings that all draws of a study share."""

SPLITS = ("layer_folds", "layer_splits", "all_layers")
"""Settings of nested choices, which all files share."""


@dataclass(frozen=True)
class UniverseScores:
    """Scores of one rule with one area.

    Attributes:
        path: of the table.
        rule: label of the rule.
        roi: the area.
        rows: the table, by `KEYS` (`score` empty where `reason` says why).
        draws: float32, shape (draws, rows with a score).
        columns: shape (rows,); place of each row's draws; -1 where it has none.
        subject_scores: float64, shape (rows with people, subjects); None where nobody asked.
        subject_draws: float32, shape (draws, rows with people, subjects); None likewise.
        people: row's place in the table -> place in `subject_scores`.
        left_out: float64, shape (stimuli, rows of `without`); scores without each stimulus; None
            where nobody asked.
        without: row's place in the table -> place in `left_out`.
        subject_left_out: float64, shape (stimuli, rows of `people_without`, subjects); each
            subject's scores without each stimulus; None where nobody asked.
        people_without: row's place in the table -> place in `subject_left_out`.
        stimuli: ids of the stimuli.
        subjects: ids of the people; empty where nobody asked for their scores.
        made_with: settings and pairs that the draws were made with.
    """

    path: str
    rule: str
    roi: str
    rows: pd.DataFrame
    draws: np.ndarray
    columns: np.ndarray
    subject_scores: np.ndarray | None
    subject_draws: np.ndarray | None
    people: dict[int, int]
    left_out: np.ndarray | None
    without: dict[int, int]
    subject_left_out: np.ndarray | None
    people_without: dict[int, int]
    stimuli: list[str]
    subjects: list[str]
    made_with: dict[str, Any]

    def places(
        self, score: Score, seeds: Sequence[int], choices: Mapping[str, Any], vectors: Sequence[str]
    ) -> list[int]:
        """Find the rows of one term of a claim in one universe, one per seed.

        Args:
            score: the term.
            seeds: that the claim is averaged over.
            choices: axis -> value.
            vectors: layers without positions.

        Returns:
            Places in `rows`.

        Raises:
            DataError: a row is missing; names it. A claim is never evaluated on less than what it
                was declared over (guard 24).
        """
        nested = choices["layer"] == NESTED
        plain = score.layer in vectors and not nested
        found = []
        for seed in seeds:
            key = (
                *(score.rule, seed, score.epoch, choices["stimuli"], choices["size"]),
                NESTED if nested else score.layer,
                VECTOR if plain else choices["descriptor"],
                *(choices["centring"], score.roi),
                *(choices[axis] for axis in ("convention", "pairs", "comparison", "control")),
                choices["layer"],
            )
            if key not in self.rows.index:
                raise DataError(
                    f"{self.path}: has no row of {'_'.join(map(str, key))}, which a claim needs;"
                    " delete the file and rerun the command."
                )
            found.append(int(self.rows.index.get_loc(key)))
        return found


def read_universe_scores(table: Path, draws: Path) -> UniverseScores:
    """Read the scores of one rule with one area, and their draws.

    Args:
        table: `alignment/rule-<k>_roi-<r>_universes.csv`.
        draws: its `..._universes_draws.h5`.

    Returns:
        The scores.

    Raises:
        DataError: a row appears twice, has neither a score nor a reason, or the draws are of other
            rows or fewer than their settings say; names the file and the row or array.
        StoreError: a file cannot be read.
    """
    rows = _read_rows(Path(table))
    names = np.array(["_".join(map(str, key)) for key in rows.index])
    scored = rows["score"].notna().to_numpy()
    with open_h5(Path(draws)) as file:
        require_same_ids(list(names[scored]), read_ids(file, "row"), str(table), str(draws))
        sampled = file["draws"][()]
        people = _row_ids(file, "subject_row", "scores of people", names, table)
        without = _row_ids(file, "left_out_row", "scores without a stimulus", names, table)
        what = "scores of people without a stimulus"
        people_without = _row_ids(file, "subject_left_out_row", what, names, table)
        of_people = [_array(file, name) for name in ("subject_scores", "subject_draws")]
        left_out, of_each = (_array(file, name) for name in ("left_out", "subject_left_out"))
        attributes = {name: value for name, value in file.attrs.items() if "pairs_hash" in name}
        made_with, stimuli = read_settings(file) | attributes, read_ids(file, "stimulus")
        subjects = read_ids(file, "subject") if people else []
    n_draws, of_both = made_with["bootstrap_draws"], (len(people), len(subjects))
    for name, array, shape in (
        ("draws", sampled, (n_draws, int(scored.sum()))),
        ("subject_scores", of_people[0], of_both),
        ("subject_draws", of_people[1], (n_draws, *of_both)),
        ("left_out", left_out, (len(stimuli), len(without))),
        ("subject_left_out", of_each, (len(stimuli), len(people_without), len(subjects))),
    ):
        if array is not None and array.shape != shape:
            raise DataError(
                f"{draws}: {name} is {array.shape}, not {shape}: cut short, or of other settings."
                " Delete it and rerun the command."
            )
        if array is not None and not np.isfinite(array).all():
            raise DataError(
                f"{draws}: {name} has a number that is NaN or infinite; delete it and rerun the"
                " command."
            )
    return UniverseScores(
        str(table),
        str(rows.index[0][0]),
        str(rows.index[0][KEYS.index("roi")]),
        rows,
        sampled,
        np.where(scored, np.cumsum(scored) - 1, -1),
        *of_people,
        people,
        left_out,
        without,
        of_each,
        people_without,
        stimuli,
        subjects,
        made_with,
    )


def _array(file: h5py.File, name: str) -> np.ndarray | None:
    return file[name][()] if name in file else None


def _row_ids(
    file: h5py.File, kind: str, what: str, names: np.ndarray, table: Path
) -> dict[int, int]:
    # place in the table -> place among the ids of this kind; none where nobody asked
    places = {name: place for place, name in enumerate(names)}
    found = read_ids(file, kind) if f"ids/{kind}" in file else []
    unknown = [name for name in found if name not in places]
    if unknown:
        raise DataError(f"{file.filename}: has {what} of {unknown[0]}, which {table} lacks.")
    return {places[name]: place for place, name in enumerate(found)}


def _read_rows(table: Path) -> pd.DataFrame:
    rows = read_csv(table)
    lacking = [name for name in (*KEYS, "score", "reason") if name not in rows]
    if lacking or rows.empty:
        what = f"has no column '{lacking[0]}'" if lacking else "has no rows"
        raise DataError(f"{table}: {what}; delete it and rerun the command.")
    rows = rows.set_index(list(KEYS))
    for wrong, what in (
        (rows.index.duplicated(), "appears twice"),
        ((rows["score"].isna() & rows["reason"].isna()).to_numpy(), "has neither score nor reason"),
    ):
        if wrong.any():
            first = "_".join(map(str, rows.index[int(np.argmax(wrong))]))
            raise DataError(f"{table}: the row {first} {what}.")
    return rows


def require_shared(scores: Sequence[UniverseScores], settings: Mapping[str, Any]) -> None:
    """Refuse scores of other stimuli, pairs or bootstrap settings (guards 20, 28).

    Args:
        scores: those that claims subtract from each other.
        settings: the settings in force, with the keys `SHARED`.

    Raises:
        DataError: the stimuli differ; names both files and the first difference.
        GuardError: a setting or the pairs differ; names the file, the setting and both values.
    """
    with_people = [one for one in scores if one.subjects]
    for one in with_people[1:]:
        first = with_people[0]
        require_same_ids(first.subjects, one.subjects, first.path, one.path)
    for one in scores:
        require_same_ids(scores[0].stimuli, one.stimuli, scores[0].path, one.path)
        for key in SHARED:
            if one.made_with.get(key) != settings[key]:
                raise GuardError(
                    f"{one.path}: was made with {key} = {one.made_with.get(key)!r}, but the study"
                    f" has {settings[key]!r}; draws of different settings must not be mixed. Delete"
                    " it and rerun the command."
                )
        for name, value in one.made_with.items():
            if name in SPLITS and scores[0].made_with.get(name, value) != value:
                raise GuardError(
                    f"{scores[0].path} and {one.path}: chose layers with different {name}; delete"
                    " both and rerun the command."
                )
            if "pairs_hash" in name and scores[0].made_with.get(name, value) != value:
                raise GuardError(
                    f"{scores[0].path} and {one.path}: are over different pairs of stimuli; delete"
                    " both and rerun the command."
                )


def require_as_aligned(scores: UniverseScores, alignment: Path) -> None:
    """Refuse universes whose plain scores are not those of the alignment (guard 20).

    Args:
        scores: of one rule with one area.
        alignment: their `alignment/rule-<k>_roi-<r>.csv`.

    Raises:
        GuardError: a plain score or its interval differs, or the alignment lacks it; names both
            files and the row.
    """
    aligned = read_csv(Path(alignment))
    plain = scores.rows.reset_index()
    wanted = {"comparison": "spearman", "control": "none", "choice": "fixed"}
    plain = plain[(plain[list(wanted)] == pd.Series(wanted)).all(axis=1)]
    plain = plain[plain["pairs"].isin(aligned["pairs"].unique())]
    keys, values = list(KEYS[: KEYS.index("comparison")]), ["score", "low", "high"]
    both = plain[[*keys, *values]].merge(
        aligned[[*keys, *values]], on=keys, how="left", suffixes=("", "_aligned")
    )
    # to the digits of tables: how many models share a product decides the last bit of a score
    same = np.isclose(
        both[values], both[[f"{name}_aligned" for name in values]], rtol=1e-8, atol=1e-12
    )
    if not same.all():
        first = both.iloc[int(np.argmin(same.all(axis=1)))]
        raise GuardError(
            f"{scores.path} and {alignment} have different scores of"
            f" {'_'.join(str(first[key]) for key in keys)}: {first['score']} and"
            f" {first['score_aligned']}; delete both and rerun the command."
        )
