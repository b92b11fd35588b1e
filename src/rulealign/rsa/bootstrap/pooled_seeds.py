"""How an interval takes seeds: by their own variance, or where they are few by all rules'."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from rulealign.rsa.bootstrap.primary import Part, seed_variance
from rulealign.rsa.seeds import LEAST_SEEDS

if TYPE_CHECKING:
    import pandas as pd

OWN, POOLED, ONLY = "seeds", "seeds (variance pooled over rules)", "these seeds only"
"""How an interval takes seeds: by their own variance, by that of all rules, or not at all."""

TablesOfRules = Iterable[Sequence["pd.DataFrame"]]
"""Of each trained rule some tables of scores: a row per seed, a column per epoch."""


def seeds_part(
    by_seed: np.ndarray, tables_of_rules: Callable[[], TablesOfRules], terms: float
) -> tuple[Part | None, str]:
    """Give the variance of an effect over seeds.

    Args:
        by_seed: shape (n_seeds,); the effect with each seed that its terms have in common.
        tables_of_rules: asked only where there are fewer than 3 seeds.
        terms: the sum of the squared weights of the effect's terms.

    Returns:
        The variance of the effect with one seed, and how it was found: `OWN`; `POOLED`, below 3
        seeds; or None and `ONLY`, where all trained rules together have too few.
    """
    own = seed_variance(by_seed)
    if own is not None:
        return own, OWN
    pooled = _pooled(tables_of_rules(), terms)
    return pooled, ONLY if pooled is None else POOLED


def _pooled(tables_of_rules: TablesOfRules, terms: float) -> Part | None:
    """Pool the variance over seeds of all trained rules, for an effect with few seeds of its own.

    Of each trained rule it is the variance of its score less that of its own epoch 0, seed by seed
    (of the score itself where epoch 0 is not there), averaged over its later epochs. Half of a
    difference's variance is one term's. Supposes that terms vary alike with the seed in all rules.

    Args:
        tables_of_rules: as in `seeds_part`.
        terms: as in `seeds_part`.

    Returns:
        The variance of the effect with one seed; None below 2 degrees of freedom.
    """
    found = list(filter(None, map(_of_terms, tables_of_rules)))
    freedom = sum(part.freedom for part in found)
    if freedom < LEAST_SEEDS - 1:
        return None
    one = sum(part.variance * part.freedom for part in found) / freedom
    return Part(one * terms, freedom)


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
