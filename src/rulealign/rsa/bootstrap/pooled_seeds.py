"""How an interval takes seeds: by their own variance, or where they are few by all rules'."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rulealign.rsa.bootstrap.primary import Part, seed_variance
from rulealign.rsa.seeds import LEAST_SEEDS

if TYPE_CHECKING:
    import pandas as pd

    from rulealign.arm import Mapped

OWN, POOLED, ONLY = "seeds", "seeds (variance pooled over rules)", "these seeds only"
"""How an interval takes seeds: by their own variance, by that of all rules, or not at all."""


class Term(NamedTuple):
    """One score of an effect.

    Attributes:
        rule: whose network it is.
        epoch: of its training.
        place: network, layer and ROI.
    """

    rule: str
    epoch: int
    place: Mapped


class Alike(NamedTuple):
    """One effect with different rules in it.

    Attributes:
        effects: each of shape (n_seeds,).
        independent: how many of them vary by themselves, others being made of the same rules.
    """

    effects: Sequence[np.ndarray]
    independent: int


def seeds_part(by_seed: np.ndarray, alike: Callable[[], Alike]) -> tuple[Part | None, str]:
    """Give the variance of an effect over seeds.

    Below 3 seeds it is the mean of the variances of the same effect with other trained rules in the
    place of its own, weighted by their degrees of freedom. That supposes that it varies alike in
    all of them. Whatever scores of one seed share (initial weights, the start of training, a
    control), they share there, too.

    Args:
        by_seed: shape (n_seeds,); the effect with each seed that its terms have in common.
        alike: asked only where there are fewer than 3 seeds; from `effects_alike`.

    Returns:
        The variance of the effect with one seed, and how it was found: `OWN`; `POOLED`, below 3
        seeds; or None and `ONLY`, where all trained rules together have too few.
    """
    own = seed_variance(by_seed)
    if own is not None:
        return own, OWN
    pooled = _pooled(alike())
    return pooled, ONLY if pooled is None else POOLED


def _pooled(alike: Alike) -> Part | None:
    several = [values for values in alike.effects if len(values) > 1]
    if not several:
        return None
    total = sum(len(values) - 1 for values in several)
    freedom = total * alike.independent / len(alike.effects)
    if freedom < LEAST_SEEDS - 1:
        return None
    squares = sum(float(np.square(values - values.mean()).sum()) for values in several)
    return Part(squares / total, freedom)


def effects_alike(
    weights: Mapping[Term, float],
    trained: Sequence[str],
    courses: Callable[[str, Mapped], pd.DataFrame | None],
) -> Alike:
    """Put every trained rule in the place of those of an effect.

    Args:
        weights: the effect's terms, each with its weight. Rules that do not train stay.
        trained: labels of the trained rules.
        courses: rule and place -> scores, a row per seed, a column per epoch; None where there are
            none.

    Returns:
        The effect with each choice of rules for which all scores are there, its own included. Of k
        rules, with r at a time, k - r + 1 effects vary by themselves: with r = 1 all, and of the
        differences of two (k - 1) (n - 1) degrees of freedom, those of rule x seed, are known.
    """
    known = set(trained)
    own = list(dict.fromkeys(term.rule for term in weights if term.rule in known))
    found, used = [], set()
    for others in permutations(trained, len(own)):
        named = dict(zip(own, others, strict=True))
        terms = {one._replace(rule=named.get(one.rule, one.rule)): weights[one] for one in weights}
        values = _by_seed(terms, courses)
        if values is not None:
            found.append(values)
            used.update(others)
    return Alike(found, len(used) - len(own) + 1 if own else 1)


def _by_seed(
    weights: Mapping[Term, float],
    courses: Callable[[str, Mapped], pd.DataFrame | None],
) -> np.ndarray | None:
    total: pd.Series | None = None
    for term, weight in weights.items():
        course = courses(term.rule, term.place)
        if course is None or term.epoch not in course:
            return None
        scores = weight * course[term.epoch]
        total = scores if total is None else (total + scores).dropna()  # seeds that all have
    return None if total is None else total.to_numpy()
