"""The rows of all universes of one rule and ROI, collected set by set, and their files."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.claims.universes.analyses import Analysed, Brains, analyse
from rulealign.claims.universes.inputs import UniverseSet
from rulealign.claims.universes.shuffles import shuffled_orders, shuffled_scores
from rulealign.plan.settings.claims import UniverseSettings
from rulealign.rsa.bootstrap.corrected import left_out_counts
from rulealign.rsa.bootstrap.primary import STIMULI
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, percentile_interval, resample_counts
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.compare import CONVENTIONS, PER_SUBJECT, convention_weights, with_mean
from rulealign.rsa.model_rdms import UNIVERSE_KEYS as KEYS
from rulealign.rsa.model_rdms import joined
from rulealign.rsa.pairs import pairs_hash, read_pairs
from rulealign.store import write_csv, write_h5

COLUMNS = (*KEYS, "n_stimuli", "n_pairs", "n_subjects", "score", "low", "high", "reason")
"""Columns of `alignment/*_universes.csv`."""

_WAYS = ["pairs", "comparison", "control"]


class UniverseRows:
    """Rows and draws of one rule and ROI; holds what does not change between sets of stimuli."""

    def __init__(
        self,
        settings: UniverseSettings,
        brain: BrainRdms,
        pairs_file: Path | None,
        how: dict[str, float],
    ) -> None:
        """Read the pairs that analyses are over, and draw the resamples.

        Args:
            settings: of the universes.
            brain: the subjects' RDMs.
            pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.
            how: `work_mb` and `threads`, as in `universes.score_universes`.
        """
        self._settings, self._brain, self._how = settings, brain, how
        self._asked = pd.DataFrame(settings.analyses)
        self._counts = _counts(len(brain.ids), settings)
        self._masks = {
            kind: read_pairs(pairs_file, brain.ids, kind)
            for kind in sorted(set(self._asked["pairs"]))
        }
        self._of_subjects = settings.generalise_to != STIMULI
        self._orders = shuffled_orders(settings.study_seed, len(brain.ids), settings.shuffles)
        self._scores, self._people, self._shuffled = _Parts(), _Parts(), _Parts()

    def add(self, one: UniverseSet) -> None:
        """Make all rows of one stimulus set and size.

        Args:
            one: its RDMs.

        Raises:
            DataError: as in `universes.score_universes`.
        """
        for (kind, *analysis), asked in self._asked.groupby(_WAYS):
            conventions = sorted(set(asked["convention"]))
            brains = Brains(*_needed(self._brain, conventions), self._counts, self._masks[kind])
            if len(self._orders):
                shuffled = self._shuffles(one, brains, tuple(analysis))
            if self._of_subjects:  # all are per_subject
                brains = replace(brains, weights=np.eye(len(brains.rdms)))
            found = self._analysed(one, brains, kind, tuple(analysis))
            values = found.values
            if self._of_subjects:
                self._people.add(self._rows(found, kind, PER_SUBJECT, tuple(analysis)), values)
                values = values.mean(axis=-1, keepdims=True)
            for column, convention in enumerate(conventions):
                rows = self._rows(found, kind, convention, tuple(analysis))
                self._scores.add(rows, values[:, :, column])
                if len(self._orders):
                    self._shuffled.add(rows, shuffled[:, :, column])

    def _shuffles(self, one: UniverseSet, brains: Brains, analysis: tuple[str, str]) -> np.ndarray:
        # shape (shuffles, rows, conventions)
        layers = self._settings.layers
        how = partial(analyse, one, analysis=analysis, layers=layers, **self._how)
        return shuffled_scores(brains, self._orders, lambda many: how(brains=many))

    def _analysed(
        self, one: UniverseSet, brains: Brains, kind: str, analysis: tuple[str, str]
    ) -> Analysed:
        start = time.monotonic()
        found = analyse(one, brains, analysis, self._settings.layers, **self._how)
        spent, first = time.monotonic() - start, found.index.iloc[0]
        words = f"{kind} pairs, {', '.join(analysis)}"
        print(
            f"{first['rule']} and {self._brain.roi}, {first['stimuli']} at {first['px']} px:"
            f" {len(found.index)} rows of {words} in {spent:.0f} s",
            flush=True,
        )
        return found

    def _rows(
        self, found: Analysed, kind: str, convention: str, analysis: tuple[str, str]
    ) -> pd.DataFrame:
        comparison, control = analysis
        mask = self._masks[kind]
        return found.index.assign(
            roi=self._brain.roi,
            convention=convention,
            pairs=kind,
            comparison=comparison,
            control=control,
            n_stimuli=len(self._brain.ids),
            n_pairs=self._brain.rdms.shape[1] if mask is None else int(mask.sum()),
            n_subjects=len(self._brain.subjects),
            reason=found.reasons,
        )

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
        sampled, score, left_out = self._apart(values[:, scored])
        ends = np.full((3, len(rows)), np.nan)
        ends[0, scored] = score
        if scored.any():
            ends[1:, scored] = percentile_interval(sampled, self._settings.interval)
        rows = rows.assign(score=ends[0], low=ends[1], high=ends[2])
        arrays = {"draws": sampled.astype(np.float32), "left_out": left_out}
        if len(self._orders):
            arrays["shuffles"] = self._shuffled.sorted()[1][:, scored].astype(np.float32)
        ids = {"row": joined(rows.loc[scored, list(KEYS)]), "stimulus": self._brain.ids}
        if self._of_subjects:
            _, rho = self._people.sorted()
            drawn, score, without = self._apart(rho[:, scored])
            arrays |= {"subject_scores": score, "subject_draws": drawn.astype(np.float32)}
            arrays |= {"subject_left_out": without}
            ids |= {"subject": self._brain.subjects}
        about = {"rule": rows["rule"].iloc[0], "roi": self._brain.roi}
        about |= {f"pairs_hash_{kind}": pairs_hash(mask) for kind, mask in self._masks.items()}
        write_h5(draws, arrays, ids=ids, settings=self._settings.plain(), attributes=about)
        write_csv(table, rows[list(COLUMNS)])

    def _apart(self, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        # what `_counts` has put together
        draws = self._settings.bootstrap_draws
        return values[:draws], values[draws], values[draws + 1 :]


def _counts(n_stimuli: int, settings: UniverseSettings) -> np.ndarray:
    # resamples, then every stimulus once, which makes the score itself, then all but each
    seed = bootstrap_seed(settings.study_seed, n_stimuli)
    counts = resample_counts(n_stimuli, settings.bootstrap_draws, seed)
    return np.vstack([counts, np.ones_like(counts[:1]), left_out_counts(n_stimuli)])


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
