"""The rows of all universes of one rule and ROI, collected set by set, and their files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rulealign.errors import DataError
from rulealign.rsa.bootstrap import bootstrap_seed, percentile_interval, resample_counts
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.compare import CONVENTIONS, PER_SUBJECT, convention_weights, with_mean
from rulealign.rsa.corrected import left_out_counts
from rulealign.rsa.layers import fold_masks, layer_choice_seed
from rulealign.rsa.model_rdms import UNIVERSE_KEYS as KEYS
from rulealign.rsa.model_rdms import joined
from rulealign.rsa.pairs import pairs_hash, read_pairs
from rulealign.rsa.universe_analyses import NESTED, PLAIN, Analysed, Brains, analyse
from rulealign.rsa.universe_inputs import UniverseSet
from rulealign.store import write_csv, write_h5

COLUMNS = (*KEYS, "n_stimuli", "n_pairs", "n_subjects", "score", "low", "high", "reason")
"""Columns of `alignment/*_universes.csv`."""

_WAYS = ["pairs", "comparison", "control", "layer"]
_OF_PEOPLE = ("subjects", "both", "both_corrected")
_CORRECTED, _BOTH_CORRECTED = "stimuli_corrected", "both_corrected"


class UniverseRows:
    """Rows and draws of one rule and ROI; holds what does not change between sets of stimuli.

    Attributes:
        layers: the layers that RDMs are needed of.
    """

    def __init__(
        self,
        settings: dict[str, Any],
        brain: BrainRdms,
        pairs_file: Path | None,
        how: dict[str, float],
    ) -> None:
        """Read the pairs that analyses are over, and draw the resamples.

        Args:
            settings: as in `universes.score_universes`.
            brain: the subjects' RDMs.
            pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.
            how: `work_mb` and `threads`, as in `universes.score_universes`.
        """
        self._settings, self._brain, self._how = settings, brain, how
        self._asked = pd.DataFrame(settings["analyses"])
        nested = (self._asked["layer"] == NESTED).any()
        self.layers = list(settings["all_layers"] if nested else settings["layers"])
        self._counts = _counts(len(brain.ids), settings)
        self._masks = {
            kind: read_pairs(pairs_file, brain.ids, kind)
            for kind in sorted(set(self._asked["pairs"]))
        }
        self._folds = {kind: self._split(mask) for kind, mask in self._masks.items() if nested}
        self._scores, self._people = _Parts(), _Parts()
        self._left_out, self._people_left_out = _Parts(), _Parts()

    def _split(self, mask: np.ndarray | None) -> list[tuple[np.ndarray, np.ndarray]] | str:
        n_stimuli, settings = len(self._brain.ids), self._settings
        seed = layer_choice_seed(settings["study_seed"], n_stimuli)
        parts = settings["layer_folds"], settings["layer_splits"]
        try:
            return fold_masks(n_stimuli, *parts, seed, mask)
        except DataError as error:
            return str(error).rstrip(".")

    def add(self, one: UniverseSet) -> None:
        """Make all rows of one stimulus set and size.

        Args:
            one: its RDMs.

        Raises:
            DataError: as in `universes.score_universes`.
        """
        for (kind, *analysis), asked in self._asked.groupby(_WAYS):
            conventions = sorted(set(asked["convention"]))
            brains = self._brains(kind, *_needed(self._brain, conventions))
            found = self._analysed(one, brains, kind, tuple(analysis))
            for column, convention in enumerate(conventions):
                rows = self._rows(found, kind, convention, tuple(analysis))
                self._scores.add(rows, found.values[:, :, column])
        single = self._brain.rdms, np.eye(len(self._brain.rdms)), self._brain.names
        for kind in self._kinds(_OF_PEOPLE):
            brains = self._brains(kind, *single)
            found = self._analysed(one, brains, kind, PLAIN)
            self._people.add(self._rows(found, kind, PER_SUBJECT, PLAIN), found.values)
        left_out = left_out_counts(len(self._brain.ids))
        for kind in self._kinds((_BOTH_CORRECTED,)):
            brains = self._brains(kind, *single)
            found = self._analysed(one, replace(brains, counts=left_out), kind, PLAIN)
            self._people_left_out.add(self._rows(found, kind, PER_SUBJECT, PLAIN), found.values)
        for kind in self._kinds((_CORRECTED,)):
            brains = self._brains(kind, *_needed(self._brain, [PER_SUBJECT]))
            found = self._analysed(one, replace(brains, counts=left_out), kind, PLAIN)
            self._left_out.add(self._rows(found, kind, PER_SUBJECT, PLAIN), found.values[:, :, 0])

    def _kinds(self, resamples: tuple[str, ...]) -> list[str]:
        # kinds of pairs that are asked for with one of these
        return sorted(set(self._asked.loc[self._asked["resample"].isin(resamples), "pairs"]))

    def _brains(
        self, kind: str, rdms: np.ndarray, weights: np.ndarray, names: Sequence[str]
    ) -> Brains:
        folds = self._folds.get(kind, "")
        return Brains(rdms, weights, names, self._counts, self._masks[kind], folds)

    def _analysed(
        self, one: UniverseSet, brains: Brains, kind: str, analysis: tuple[str, str, str]
    ) -> Analysed:
        start, settings = time.monotonic(), self._settings
        layers, descriptors = settings["layers"], settings["descriptors"]
        found = analyse(one, brains, analysis, layers, descriptors, **self._how)
        spent, first = time.monotonic() - start, found.index.iloc[0]
        words = f"{kind} pairs, {', '.join(analysis)}"
        print(
            f"{first['rule']} and {self._brain.roi}, {first['stimuli']} at {first['px']} px:"
            f" {len(found.index)} rows of {words} in {spent:.0f} s",
            flush=True,
        )
        return found

    def _rows(
        self, found: Analysed, kind: str, convention: str, analysis: tuple[str, str, str]
    ) -> pd.DataFrame:
        comparison, control, choice = analysis
        return found.index.assign(
            roi=self._brain.roi,
            convention=convention,
            pairs=kind,
            comparison=comparison,
            control=control,
            choice=choice,
            n_stimuli=len(self._brain.ids),
            n_pairs=self._n_pairs(kind, choice),
            n_subjects=len(self._brain.subjects),
            reason=found.reasons,
        )

    def _n_pairs(self, kind: str, choice: str) -> int:
        if choice == NESTED and not isinstance(self._folds[kind], str):
            return round(float(np.mean([inside.sum() for _, inside in self._folds[kind]])))
        mask = self._masks[kind]
        return self._brain.rdms.shape[1] if mask is None else int(mask.sum())

    def write(self, table: Path, draws: Path) -> None:
        """Write the table and its draws.

        Args:
            table: the CSV to make.
            draws: the HDF5 file to make.

        Raises:
            StoreError: the disk is full.
        """
        rows, values = self._scores.sorted()
        scored = (rows["reason"] == "").to_numpy()
        values = values[:, scored]
        sampled, ends = values[:-1], np.full((3, len(rows)), np.nan)
        ends[0, scored] = values[-1]
        if scored.any():
            ends[1:, scored] = percentile_interval(sampled, self._settings["interval"])
        rows = rows.assign(score=ends[0], low=ends[1], high=ends[2])
        arrays = {"draws": sampled.astype(np.float32)}
        ids = {"row": joined(rows.loc[scored, list(KEYS)]), "stimulus": self._brain.ids}
        if self._people.rows:
            plain, rho = self._people.sorted()
            arrays |= {"subject_scores": rho[-1], "subject_draws": rho[:-1].astype(np.float32)}
            ids |= {"subject_row": joined(plain[list(KEYS)]), "subject": self._brain.subjects}
        for name, parts in (
            ("left_out", self._left_out),
            ("subject_left_out", self._people_left_out),
        ):
            if parts.rows:
                plain, rho = parts.sorted()
                arrays |= {name: rho}
                ids |= {f"{name}_row": joined(plain[list(KEYS)])}
        about = {"rule": self._settings["rule"], "roi": self._brain.roi}
        about |= {f"pairs_hash_{kind}": pairs_hash(mask) for kind, mask in self._masks.items()}
        write_h5(draws, arrays, ids=ids, settings=self._settings, attributes=about)
        write_csv(table, rows[list(COLUMNS)])


def _counts(n_stimuli: int, settings: dict[str, Any]) -> np.ndarray:
    # every stimulus once makes the score itself; it comes last, so that draws keep their numbers
    seed = bootstrap_seed(settings["study_seed"], n_stimuli)
    counts = resample_counts(n_stimuli, settings["bootstrap_draws"], seed)
    return np.vstack([counts, np.ones((1, n_stimuli), dtype=counts.dtype)])


def _needed(brain: BrainRdms, conventions: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    # the brains that the conventions rest on, their weights in these, and their names
    weights = convention_weights(len(brain.subjects))
    weights = weights[:, [CONVENTIONS.index(convention) for convention in conventions]]
    used = weights.any(axis=1)
    return with_mean(brain.rdms)[used], weights[used], list(np.array(brain.names)[used])


@dataclass
class _Parts:
    # parts of a table, and of draws with a column for each of its rows
    rows: list[pd.DataFrame] = field(default_factory=list)
    draws: list[np.ndarray] = field(default_factory=list)

    def add(self, rows: pd.DataFrame, draws: np.ndarray) -> None:
        self.rows.append(rows)
        self.draws.append(draws)

    def sorted(self) -> tuple[pd.DataFrame, np.ndarray]:
        # all rows in the order of their keys
        rows = pd.concat(self.rows, ignore_index=True)
        order = rows.sort_values(list(KEYS), kind="stable").index.to_numpy()
        draws = np.concatenate(self.draws, axis=1)[:, order]
        return rows.iloc[order].reset_index(drop=True), draws
