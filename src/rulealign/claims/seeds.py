"""What seeds say about an effect: their variance, pooled over rules where they are few."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from rulealign.claims.scores import UniverseScores
from rulealign.plan.universes import VECTOR, Universe
from rulealign.rsa.bootstrap.primary import Part, seed_variance
from rulealign.rsa.seeds import LEAST_SEEDS

OWN, POOLED, ONLY = "seeds", "seeds (variance pooled over rules)", "these seeds only"
"""How an interval takes seeds: by their own variance, by that of all rules, or not at all."""


def of_seeds(
    by_seed: np.ndarray,
    universe: Universe,
    scores: Mapping[tuple[str, str], UniverseScores],
    facts: Mapping[str, Any],
) -> tuple[Part | None, str]:
    """Give the variance of an effect over seeds.

    Args:
        by_seed: shape (n_seeds,); the effect with each seed that its terms have in common.
        universe: from `plan.universes.universes`.
        scores: (rule, area) -> scores, of all rules that claims take.
        facts: of the study: `trains` and `vectors`.

    Returns:
        The variance of the effect with one seed, and how it was found: `OWN`; `POOLED`, below 3
        seeds; or None and `ONLY`, where all trained rules together have too few.
    """
    own = seed_variance(by_seed)
    if own is not None:
        return own, OWN
    pooled = pooled_variance(universe, scores, facts)
    return pooled, ONLY if pooled is None else POOLED


def pooled_variance(
    universe: Universe,
    scores: Mapping[tuple[str, str], UniverseScores],
    facts: Mapping[str, Any],
) -> Part | None:
    """Pool the variance over seeds of all trained rules, for an effect with few seeds of its own.

    Of each trained rule it is the variance of its score less that of its own epoch 0, seed by seed
    (of the score itself where epoch 0 is not there), averaged over its later epochs. Half of a
    difference's variance is one term's; an effect has as many as the sum of its squared weights.
    Supposes that terms vary alike with the seed in all rules.

    Args:
        universe: whose way of computing scores, layers and areas are taken.
        scores: as in `of_seeds`.
        facts: as in `of_seeds`.

    Returns:
        The variance of the effect with one seed; None below 2 degrees of freedom.
    """
    places = {(score.layer, score.roi) for score in universe.weights}
    found = []
    for (rule, roi), own in scores.items():
        layers = sorted(layer for layer, area in places if area == roi)
        if facts["trains"].get(rule) and layers:
            tables = [_by_seed(own, universe, layer, facts["vectors"]) for layer in layers]
            found += filter(None, [_of_terms(tables)])
    freedom = sum(part.freedom for part in found)
    if freedom < LEAST_SEEDS - 1:
        return None
    one = sum(part.variance * part.freedom for part in found) / freedom
    return Part(one * sum(weight**2 for weight in universe.weights.values()), freedom)


def _by_seed(
    own: UniverseScores, universe: Universe, layer: str, vectors: Sequence[str]
) -> pd.DataFrame:
    # scores of one layer in a universe: a row per seed, a column per epoch
    choices, rows = universe.choices, own.rows["score"].dropna().reset_index()
    wanted = {
        "layer": layer,
        "px": choices["size"],
        "descriptor": VECTOR if layer in vectors else choices["descriptor"],
        **{axis: choices[axis] for axis in ("stimuli", "centring", "convention", "pairs")},
        **{axis: choices[axis] for axis in ("comparison", "control")},
    }
    rows = rows[np.all([rows[name] == value for name, value in wanted.items()], axis=0)]
    return rows.pivot(index="seed", columns="epoch", values="score").dropna()


def _of_terms(tables: Sequence[pd.DataFrame]) -> Part | None:
    # the variance of a single term of one rule, over its layers and later epochs
    tables = [table for table in tables if len(table) > 1 and set(table.columns) - {0}]
    if not tables:
        return None
    each = []
    for table in tables:
        later = table.drop(columns=0, errors="ignore")
        paired = 0 in table
        scores = later.sub(table[0], axis=0) if paired else later
        each += list(scores.var(ddof=1) / (2 if paired else 1))
    return Part(float(np.mean(each)), min(len(table) for table in tables) - 1)
