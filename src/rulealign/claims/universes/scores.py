"""Scores of one arm with one ROI in every universe of the claims, with their draws."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from rulealign.arm import Arm
from rulealign.claims.universes.analyses import Analysed, Brains, analyse
from rulealign.claims.universes.inputs import UniverseSet, read_sets
from rulealign.claims.universes.shuffles import shuffled_orders, shuffled_scores
from rulealign.errors import DataError
from rulealign.plan.settings.claims import UniverseSettings
from rulealign.rsa.bootstrap.draw_blocks import WORK_MB
from rulealign.rsa.bootstrap.jackknife import left_out_counts
from rulealign.rsa.bootstrap.primary import STIMULI
from rulealign.rsa.bootstrap.spearman import bootstrap_seed, percentile_interval, resample_counts
from rulealign.rsa.brain_rdms import BrainRdms, read_brain_rdms
from rulealign.rsa.compare import CONVENTIONS, PER_SUBJECT, convention_weights, with_mean
from rulealign.rsa.model_rdms import UNIVERSE_KEYS as KEYS
from rulealign.rsa.model_rdms import joined
from rulealign.rsa.pairs import pairs_hash, read_pairs
from rulealign.store import write_csv, write_h5

COLUMNS = (*KEYS, "n_stimuli", "n_pairs", "n_subjects", "score", "low", "high", "reason")
"""Columns of `alignment/*_universes.csv`."""

_WAYS = ["pairs", "comparison", "control"]


def score_universes(
    rdm_files: Sequence[Path],
    brain_files: Sequence[Path],
    control_files: Sequence[Path],
    arm: Arm,
    roi: str,
    settings: UniverseSettings,
    table: Path,
    draws: Path,
    pairs_file: Path | None = None,
    *,
    work_mb: float = WORK_MB,
    threads: int = 1,
) -> None:
    """Score the RDMs of one arm that claims are about, in all ways that universes ask for.

    All rest on the same resamples of the stimuli, so that any of them may be subtracted from any
    other. Plain scores (Spearman, no control) and their draws are those of `alignment.align`.

    Args:
        rdm_files: the arm's files of `rdms/`: every seed and epoch with every stimulus set and
            size that claims are about.
        brain_files: the ROI's `sub-<s>_roi-<r>_rdm.h5`, one per subject.
        control_files: files of control RDMs of these stimulus sets and sizes; may be empty where no
            control is partialled out.
        arm: the network and the rule.
        roi: its label.
        settings: of the universes.
        table: the CSV to make, with `COLUMNS`, sorted; a row that can have no score says why in
            `reason`. `low` and `high` are percentiles.
        draws: the HDF5 file to make: `draws`, float32 (draws, rows with a score), named in
            `ids/row` by `KEYS`; `left_out`, float64 (stimuli, the same rows): the scores without
            each stimulus; `ids/stimulus`; `pairs_hash_<kind>`. Where the study generalises to
            subjects, too, the same with a last axis of subjects, `ids/subject`: `subject_scores`,
            `subject_draws` and `subject_left_out`. Of a measure that fits also `mutual` and
            `subject_mutual`, float32 (2 probes, ...), by `rsa.bootstrap.mutual`. `shuffles`,
            float32 (shuffles, the same rows): the scores with the brain's stimuli permuted. All are
            held until the end.
        pairs_file: `brain/pairs.h5`; needed for the pairs cross_run only.
        work_mb: megabytes for bootstraps of Spearman to work in, besides RDMs and draws.
        threads: resamples that are worked on at a time; neither changes any number.

    Raises:
        ConfigurationError: there is no such comparison or kind of pairs, or no file of pairs.
        DataError: stimulus ids differ (names both files and the first difference), a network,
            layer or control is not in the files, no analysis is asked for, or an RDM is constant,
            not finite or listed twice.
        GuardError: a file is of another arm, ROI, distance or setting than the others.
        StoreError: a file cannot be read, or the disk is full.
    """
    if not settings.analyses:
        raise DataError(f"{table}: no analysis is asked for; leave the file out.")
    brain = read_brain_rdms(brain_files, roi)
    rows = UniverseRows(arm, settings, brain, pairs_file, {"work_mb": work_mb, "threads": threads})
    for one in read_sets(rdm_files, control_files, arm, settings, brain.ids):
        rows.add(one)
    rows.write(table, draws)


class UniverseRows:
    """Rows and draws of one arm and ROI; holds what does not change between sets of stimuli.

    Args:
        arm: network, rule and seeds.
        settings: universes to score, and how.
        brain: RDMs of all subjects.
        pairs_file: path of the pairs that kinds of pairs take; None where all are taken.
        how: `work_mb` (MB) and `threads` of the bootstrap.
    """

    def __init__(
        self,
        arm: Arm,
        settings: UniverseSettings,
        brain: BrainRdms,
        pairs_file: Path | None,
        how: dict[str, float],
    ) -> None:
        self._arm, self._settings, self._brain, self._how = arm, settings, brain, how
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
        """Score all rows of one stimulus set and size.

        Args:
            one: RDMs of the arm and of the controls of this set.
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
            f"{self._arm} and {self._brain.roi}, {first['stimuli']} at {first['size']} px:"
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
        """Write all rows and their draws.

        Args:
            table: path of the table of scores (CSV).
            draws: path of the draws (HDF5), a row for each row of the table.
        """
        rows, values = self._scores.sorted()
        scored = (rows["reason"] == "").to_numpy()
        sampled, score, left_out, mutual = self._apart(values[:, scored])
        ends = np.full((3, len(rows)), np.nan)
        ends[0, scored] = score
        if scored.any():
            ends[1:, scored] = percentile_interval(sampled, self._settings.interval)
        rows = rows.assign(score=ends[0], low=ends[1], high=ends[2])
        arrays = {"draws": sampled.astype(np.float32), "left_out": left_out} | mutual
        if len(self._orders):
            arrays["shuffles"] = self._shuffled.sorted()[1][:, scored].astype(np.float32)
        ids = {"row": joined(rows.loc[scored, list(KEYS)]), "stimulus": self._brain.ids}
        if self._of_subjects:
            _, rho = self._people.sorted()
            drawn, score, without, mutual = self._apart(rho[:, scored])
            arrays |= {"subject_scores": score, "subject_draws": drawn.astype(np.float32)}
            arrays |= {"subject_left_out": without}
            arrays |= {f"subject_{name}": each for name, each in mutual.items()}
            ids |= {"subject": self._brain.subjects}
        about = self._arm._asdict() | {"roi": self._brain.roi}
        about |= {f"pairs_hash_{kind}": pairs_hash(mask) for kind, mask in self._masks.items()}
        write_h5(draws, arrays, ids=ids, settings=self._settings.plain(), attributes=about)
        write_csv(table, rows[list(COLUMNS)])

    def _apart(
        self, values: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        # what `_counts` has put together, and what a measure that fits has added
        draws = self._settings.bootstrap_draws
        sampled, score, left_out, mutual = np.split(values, [draws, draws + 1, len(self._counts)])
        more = {"mutual": mutual.astype(np.float32)} if len(mutual) else {}
        return sampled, score[0], left_out, more


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
