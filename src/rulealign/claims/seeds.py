"""What seeds say about the effect of a claim: their variance, pooled over rules where few."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from rulealign.claims.scores import UniverseScores
from rulealign.plan.settings.claims import FactsSettings
from rulealign.plan.universes import VECTOR, Universe
from rulealign.rsa.bootstrap.pooled_seeds import seeds_part
from rulealign.rsa.bootstrap.primary import Part


def of_seeds(
    by_seed: np.ndarray,
    universe: Universe,
    scores: Mapping[tuple[str, str], UniverseScores],
    facts: FactsSettings,
) -> tuple[Part | None, str]:
    """Give the variance of an effect over seeds.

    Args:
        by_seed: shape (n_seeds,); the effect with each seed that its terms have in common.
        universe: from `plan.universes.universes`.
        scores: (rule, area) -> scores, of all rules that claims take.
        facts: of the study.

    Returns:
        As in `pooled_seeds.seeds_part`; pooled over the trained rules that claims take.
    """
    terms = sum(weight**2 for weight in universe.weights.values())
    return seeds_part(by_seed, lambda: _of_rules(universe, scores, facts), terms)


def _of_rules(
    universe: Universe,
    scores: Mapping[tuple[str, str], UniverseScores],
    facts: FactsSettings,
) -> Iterator[list[pd.DataFrame]]:
    # of every trained rule, its scores at the layers and areas of an effect
    places = {(score.layer, score.roi) for score in universe.weights}
    for (rule, roi), own in scores.items():
        layers = sorted(layer for layer, area in places if area == roi)
        if facts.trains.get(rule) and layers:
            yield [_by_seed(own, universe, layer, facts.vectors) for layer in layers]


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
