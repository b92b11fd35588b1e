"""The tables of claims: every claim in every universe, and one line for each claim."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from rulealign.claims import effects
from rulealign.claims.as_encoded import require_as_encoded
from rulealign.claims.ceilings import Ceilings, read_ceilings
from rulealign.claims.cells import curves_table
from rulealign.claims.scores import read_universe_scores, require_as_aligned, require_shared
from rulealign.claims.specification_curve import InErrors, Noise, shared_noise
from rulealign.claims.summary import summary_table
from rulealign.config.universes import listed_axes
from rulealign.errors import DataError
from rulealign.plan.settings.claims import ClaimSettings, ClaimsSettings
from rulealign.plan.universes import PLAIN_WAY, Universe, Way, universes, way_of
from rulealign.store import write_csv


def columns(axes: Sequence[str]) -> list[str]:
    """List the columns of `statistics/claims.csv`, given the axes of the grid."""
    return ["claim", *axes, "primary", *effects.COLUMNS]


def evaluate(
    tables: Sequence[Path],
    draws: Sequence[Path],
    alignments: Sequence[Path],
    encodings: Sequence[Path],
    ceilings: Sequence[Path],
    settings: ClaimsSettings,
    output: Path,
    summary: Path,
    curves: Path,
) -> None:
    """Evaluate every declared claim in every universe of the grid.

    Args:
        tables: `alignment/*_universes.csv`, of every arm and ROI that a claim takes, and of every
            measure and kind of features.
        draws: their `*_draws.h5`, in the same order.
        alignments: `alignment/net-<n>_rule-<k>_roi-<r>.csv` of those that are RSA of activations,
            in the same order.
        encodings: `encoding/net-<n>_rule-<k>_roi-<r>_errors.h5` of all that are of measures of
            Gram matrices, each once.
        ceilings: `brain/roi-<r>_ceiling.csv`, of every ROI that a claim takes.
        settings: of all claims.
        output: `statistics/claims.csv` to make: `columns`, one row per claim and universe.
        summary: `statistics/claims_summary.csv` to make: one row per claim.
        curves: `statistics/specification_curves.csv` to make: one row per claim and cell.

    Raises:
        DataError: a table, or a row that a claim needs, is not there: nothing is evaluated on less
            than was declared (guard 24). Or an effect that exists has no interval.
        GuardError: draws are of other settings, stimuli or pairs than the others, or plain scores
            are not those of the alignment or of encoding (guards 20, 28).
        StoreError: a file cannot be read, or the disk is full.
    """
    if len(tables) != len(draws):
        raise DataError(f"{len(tables)} tables of universes need as many draws, not {len(draws)}.")
    read = [read_universe_scores(Path(t), Path(d)) for t, d in zip(tables, draws, strict=True)]
    require_shared(read, settings)
    plain = [one for one in read if way_of(one.made_with) == PLAIN_WAY]
    if len(plain) != len(alignments):
        raise DataError(
            f"{len(plain)} tables of RSA of activations need as many alignments, not"
            f" {len(alignments)}."
        )
    for one, alignment in zip(plain, alignments, strict=True):
        require_as_aligned(one, Path(alignment))
    require_as_encoded(read, encodings)
    scores: dict[Way, effects.Scores] = {}
    for one in read:
        scores.setdefault(way_of(one.made_with), {})[one.scored] = one
    told = read_ceilings(ceilings), settings
    every = sorted({seed for seeds in settings.facts.seeds.values() for seed in seeds})
    n_subjects = max(1, *(len(one.subjects) for one in read))
    noise = shared_noise(settings.study_seed, settings.bootstrap_draws, every, n_subjects)
    evaluated = [
        _evaluated(claim, universe, scores.get(way_of(universe.choices), {}), *told, noise)
        for claim in settings.claims
        for universe in universes(claim, settings.grid, settings.facts)
    ]
    rows, in_errors = zip(*evaluated, strict=True)
    found = pd.DataFrame(rows, columns=columns(listed_axes(settings.grid.values)))
    found = found.astype({"n_seeds": "Int64", "seeds_same_sign": "Int64"})
    write_csv(output, found)
    tested = curves_table(found, in_errors, settings.claims, settings.interval)
    write_csv(summary, summary_table(found, tested, settings.claims))
    write_csv(curves, tested)


def _evaluated(
    claim: ClaimSettings,
    universe: Universe,
    scores: effects.Scores,
    ceilings: Ceilings,
    settings: ClaimsSettings,
    noise: Noise,
) -> tuple[dict[str, Any], InErrors | None]:
    where = {"claim": claim.label, **universe.choices, "primary": universe.primary}
    row, in_errors = effects.evaluate_universe(claim, universe, scores, ceilings, settings, noise)
    return where | row, in_errors
