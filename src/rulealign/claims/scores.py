"""The scores of one arm with one ROI in all universes, read back with their draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.claims.measures import measure_class
from rulealign.errors import DataError, GuardError
from rulealign.plan.settings.claims import EffectSettings
from rulealign.plan.universes import VECTOR, Score, Vectors, way_of
from rulealign.rsa.bootstrap.primary import Effect
from rulealign.rsa.model_rdms import UNIVERSE_KEYS as KEYS
from rulealign.store import open_h5, read_csv, read_ids, read_settings, require_same_ids


@dataclass(frozen=True)
class UniverseScores:
    """Scores of one arm with one ROI.

    Attributes:
        path: of the table.
        scored: network, rule and ROI.
        rows: the table, by `KEYS` (`score` empty where `reason` says why).
        draws: float32, shape (draws, rows with a score).
        columns: shape (rows,); place of each row's draws; -1 where it has none.
        left_out: float64, shape (stimuli, rows with a score); scores without each stimulus.
        mutual: float32, shape (2 probes, rows with a score); of a measure that fits, what stimuli
            do to it in pairs; None of others.
        of_subjects: the same scores, draws and scores without each stimulus of every subject, with
            a last axis of subjects; None where the study does not generalise to them.
        shuffles: float32, shape (shuffles, rows with a score); scores with the brain's stimuli
            permuted, the same permutations in all files. None where no claim is about a level.
        stimuli: ids of the stimuli.
        subjects: ids of the subjects; empty where there are no scores of theirs.
        made_with: settings and pairs that the draws were made with.
    """

    path: str
    scored: tuple[str, str, str]
    rows: pd.DataFrame
    draws: np.ndarray
    columns: np.ndarray
    left_out: np.ndarray
    mutual: np.ndarray | None
    of_subjects: Effect | None
    shuffles: np.ndarray | None
    stimuli: list[str]
    subjects: list[str]
    made_with: dict[str, Any]

    def effect(self, places: Sequence[int]) -> Effect:
        """Give the scores of some rows, with their draws and without each stimulus.

        Args:
            places: in `rows`, one per seed; each has a score.

        Returns:
            The scores, an axis of seeds and one of subjects (a single one where the study does not
            generalise to them: the score by the row's convention).
        """
        columns = self.columns[list(places)]
        if self.of_subjects is None:
            scores = self.rows["score"].to_numpy()[list(places)]
            of_pairs = () if self.mutual is None else (self.mutual[:, columns],)
            parts = scores, self.draws[:, columns], self.left_out[:, columns], *of_pairs
            return Effect(*(part[..., np.newaxis].astype(np.float64) for part in parts))
        every = self.of_subjects
        of_pairs = () if every.mutual is None else (every.mutual[:, columns],)
        parts = every.scores[columns], every.drawn[:, columns], every.left_out[:, columns]
        return Effect(*(part.astype(np.float64) for part in (*parts, *of_pairs)))

    def shuffled(self, places: Sequence[int]) -> np.ndarray:
        """Give the scores of some rows with the brain's stimuli permuted.

        Args:
            places: in `rows`; each has a score.

        Returns:
            float64, shape (shuffles, places).

        Raises:
            GuardError: the file has none.
        """
        if self.shuffles is None:
            raise GuardError(
                f"{self.path}: its draws have no scores with shuffled stimuli, which a claim about"
                " a level needs; delete it and rerun the command."
            )
        return self.shuffles[:, self.columns[list(places)]].astype(np.float64)

    def places(
        self,
        score: Score,
        seeds: Sequence[int],
        choices: Mapping[str, Any],
        vectors: Vectors,
    ) -> list[int]:
        """Find the rows of one term of a claim in one universe, one per seed.

        Args:
            score: the term.
            seeds: that the claim is averaged over.
            choices: axis -> value.
            vectors: network -> its layers without positions.

        Returns:
            Places in `rows`.

        Raises:
            DataError: a row is missing; names it. A claim is never evaluated on less than what it
                was declared over (guard 24).
        """
        plain = score.is_vector(vectors)
        found = []
        for seed in seeds:
            key = (
                *(score.network, score.rule, seed, score.epoch),
                *(choices["stimuli"], choices["size"]),
                *(score.layer, VECTOR if plain else choices["descriptor"]),
                *(choices["centring"], score.roi),
                *(choices[axis] for axis in ("convention", "pairs", "comparison", "control")),
            )
            if key not in self.rows.index:
                raise DataError(
                    f"{self.path}: has no row of {'_'.join(map(str, key))}, which a claim needs;"
                    " delete the file and rerun the command."
                )
            found.append(int(self.rows.index.get_loc(key)))
        return found


def read_universe_scores(table: Path, draws: Path) -> UniverseScores:
    """Read the scores of one arm with one ROI, and their draws.

    Args:
        table: `alignment/net-<n>_rule-<k>_roi-<r>_universes.csv`.
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
        arrays = {name: file[name][()] for name in _ARRAYS if name in file}
        attributes = {name: value for name, value in file.attrs.items() if "pairs_hash" in name}
        made_with, stimuli = read_settings(file) | attributes, read_ids(file, "stimulus")
        subjects = read_ids(file, "subject") if "ids/subject" in file else []
    n_rows, n_draws = int(scored.sum()), made_with["bootstrap_draws"]
    shapes = {"draws": (n_draws, n_rows), "left_out": (len(stimuli), n_rows)}
    measure = measure_class(way_of(made_with).measure)
    if not measure.of_rdms and (more := measure.mutual_rows(made_with["generalise_to"])):
        shapes["mutual"] = (more, n_rows)
    if subjects:
        shapes |= {f"subject_{name}": (*shape, len(subjects)) for name, shape in shapes.items()}
        shapes["subject_scores"] = (n_rows, len(subjects))
    if shuffles := made_with.get("shuffles"):
        shapes["shuffles"] = (shuffles, n_rows)
    _require_whole(draws, arrays, shapes)
    names = ("subject_scores", "subject_draws", "subject_left_out", "subject_mutual")
    return UniverseScores(
        str(table),
        tuple(str(rows.index[0][KEYS.index(name)]) for name in ("network", "rule", "roi")),
        rows,
        arrays["draws"],
        np.where(scored, np.cumsum(scored) - 1, -1),
        arrays["left_out"],
        arrays.get("mutual"),
        Effect(*(arrays.get(name) for name in names)) if subjects else None,
        arrays.get("shuffles"),
        stimuli,
        subjects,
        made_with,
    )


_OF_SAMPLES = ("draws", "left_out", "mutual")
_ARRAYS = ("subject_scores", "shuffles", *_OF_SAMPLES, *(f"subject_{name}" for name in _OF_SAMPLES))


def _require_whole(
    path: Path, arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]]
) -> None:
    for name, shape in shapes.items():
        found = arrays[name].shape if name in arrays else "not there"
        if found != shape:
            raise DataError(
                f"{path}: {name} is {found}, and should be {shape}: cut short, or of other"
                " settings. Delete it and rerun the command."
            )
        if not np.isfinite(arrays[name]).all():
            raise DataError(
                f"{path}: {name} has a number that is NaN or infinite; delete it and rerun the"
                " command."
            )


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


def require_shared(scores: Sequence[UniverseScores], settings: EffectSettings) -> None:
    """Refuse scores of other stimuli, pairs or bootstrap settings (guards 20, 28).

    Args:
        scores: those that claims subtract from each other.
        settings: the settings in force.

    Raises:
        DataError: the stimuli differ; names both files and the first difference.
        GuardError: a setting or the pairs differ; names the file, the setting and both values.
    """
    with_subjects = [one for one in scores if one.subjects]
    for one in with_subjects:
        first = next(other for other in with_subjects if other.scored[-1] == one.scored[-1])
        require_same_ids(first.subjects, one.subjects, first.path, one.path)
    for one in scores:
        require_same_ids(scores[0].stimuli, one.stimuli, scores[0].path, one.path)
        for key, value in settings.narrowed(EffectSettings).plain().items():
            if one.made_with.get(key) != value:
                raise GuardError(
                    f"{one.path}: was made with {key} = {one.made_with.get(key)!r}, but the study"
                    f" has {value!r}; draws of different settings must not be mixed. Delete"
                    " it and rerun the command."
                )
        for name, value in one.made_with.items():
            if "pairs_hash" in name and scores[0].made_with.get(name, value) != value:
                raise GuardError(
                    f"{scores[0].path} and {one.path}: are over different pairs of stimuli; delete"
                    " both and rerun the command."
                )


def require_as_aligned(scores: UniverseScores, alignment: Path) -> None:
    """Refuse universes whose plain scores are not those of the alignment (guard 20).

    Args:
        scores: of one arm with one ROI.
        alignment: their `alignment/net-<n>_rule-<k>_roi-<r>.csv`.

    Raises:
        GuardError: a plain score or its interval differs, or the alignment lacks it; names both
            files and the row.
    """
    aligned = read_csv(Path(alignment))
    plain = scores.rows.reset_index()
    wanted = {"comparison": "spearman", "control": "none"}
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
