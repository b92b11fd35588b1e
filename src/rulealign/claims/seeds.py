"""What seeds say about the effect of a claim: their variance, pooled over rules where few."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from rulealign.arm import Mapped
from rulealign.claims.scores import UniverseScores
from rulealign.plan.settings.claims import FactsSettings
from rulealign.plan.universes import VECTOR, Universe
from rulealign.rsa.bootstrap.pooled_seeds import Term, effects_alike, seeds_part
from rulealign.rsa.bootstrap.primary import Part


def of_seeds(
    by_seed: np.ndarray,
    universe: Universe,
    scores: Mapping[tuple[str, str, str], UniverseScores],
    facts: FactsSettings,
) -> tuple[Part | None, str]:
    """Give the variance of an effect over seeds.

    Args:
        by_seed: shape (n_seeds,); the effect with each seed that its terms have in common.
        universe: from `plan.universes.universes`.
        scores: (network, rule, ROI) -> scores, of all arms that claims take.
        facts: of the study.

    Returns:
        As in `pooled_seeds.seeds_part`; pooled over the trained rules that claims take.
    """
    weights = {
        Term(score.rule, score.epoch, Mapped(score.network, score.layer, score.roi)): weight
        for score, weight in universe.weights.items()
    }
    rules = dict.fromkeys(rule for _, rule, _ in scores)
    trained = [rule for rule in rules if facts.trains.get(rule)]

    @functools.cache
    def courses(rule: str, place: Mapped) -> pd.DataFrame | None:
        found = scores.get((place.network, rule, place.roi))
        vectors = facts.vectors[place.network]
        return None if found is None else _by_seed(found, universe, place.layer, vectors)

    return seeds_part(by_seed, lambda: effects_alike(weights, trained, courses))


def _by_seed(
    own: UniverseScores, universe: Universe, layer: str, vectors: Sequence[str]
) -> pd.DataFrame:
    # scores of one layer in a universe: a row per seed, a column per epoch
    choices, rows = universe.choices, own.rows["score"].dropna().reset_index()
    wanted = {
        "layer": layer,
        "size": choices["size"],
        "descriptor": VECTOR if layer in vectors else choices["descriptor"],
        **{axis: choices[axis] for axis in ("stimuli", "centring", "convention", "pairs")},
        **{axis: choices[axis] for axis in ("comparison", "control")},
    }
    rows = rows[np.all([rows[name] == value for name, value in wanted.items()], axis=0)]
    return rows.pivot(index="seed", columns="epoch", values="score").dropna()
