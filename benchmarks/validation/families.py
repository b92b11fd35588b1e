"""p-values of comparisons that are true nulls, and what families of them reject."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rulealign.claims.effects import ALTERNATIVES
from rulealign.claims.verdicts import UNRESOLVED, judge
from rulealign.rsa.bootstrap.primary import STIMULI, Effect, primary_interval, seed_variance
from rulealign.rsa.bootstrap.spearman import percentile_interval
from rulealign.rsa.families import adjust_family
from rulealign.rsa.seeds import sign_flip_test

LEVEL = 0.05
"""The share of families with a rejection that a family may have where every null is true."""


@dataclass(frozen=True)
class Comparison:
    """A declared comparison of two rules that are equally good.

    Attributes:
        name: in words.
        rule: its place; rule 0 is subtracted from it.
        direction: positive or negative: of the claimed effect.
    """

    name: str
    rule: int
    direction: str


def comparisons(rules: int) -> list[Comparison]:
    """Declare a comparison of every rule with the first; they all share that first rule.

    Args:
        rules: how many.

    Returns:
        The comparisons; the claims are in turn that the rule is better and that it is worse.
    """
    sides = {1: "positive", 0: "negative"}
    return [
        Comparison(f"rule {rule} less rule 0", rule, sides[rule % 2]) for rule in range(1, rules)
    ]


def null_claims(
    scores: np.ndarray,
    drawn: np.ndarray,
    left_out: np.ndarray,
    coverage: float,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Evaluate claims about true nulls with the functions of the claims table.

    Args:
        scores: float64, shape (rules, networks).
        drawn: shape (draws, rules, networks); the same in resamples of the stimuli.
        left_out: shape (stimuli, rules, networks); the same without each stimulus.
        coverage: of the intervals.
        rng: for `randomised`.

    Returns:
        `p <kind>` and `verdict <kind>` (1 where there is one) of the first comparison, and
        `family <kind> <adjustment>` (1 where it rejects any) of all.
    """
    p_values: dict[str, dict[str, float]] = {}
    first: dict[str, float] = {}
    for one in comparisons(len(scores)):
        tested, verdicts = _tested(one, (scores, drawn, left_out), coverage)
        for kind, p in tested.items():
            p_values.setdefault(kind, {})[one.name] = p
        first = first or {f"verdict {kind}": verdict for kind, verdict in verdicts.items()}
    row = first | {f"p {kind}": next(iter(found.values())) for kind, found in p_values.items()}
    # differences of scores have no ties: only the observed pattern of signs is as extreme
    row["p sign-flip"] = randomised(row["p sign-flip"], 0.5 ** scores.shape[1], rng)
    for kind, found in p_values.items():
        row |= {f"family {kind} {how}": hit for how, hit in family_rejections(kind, found).items()}
    return row


def _tested(
    one: Comparison,
    values: tuple[np.ndarray, np.ndarray, np.ndarray],
    coverage: float,
) -> tuple[dict[str, float], dict[str, float]]:
    differences = (each[..., one.rule, :] - each[..., 0, :] for each in values)
    effect = Effect(*(each[..., np.newaxis] for each in differences))
    by_network = effect.scores[:, 0]
    primary = primary_interval(effect, STIMULI, coverage, seed_variance(by_network))
    low, high = percentile_interval(effect.drawn.mean(axis=(1, 2)), coverage)
    p = {
        "sign-flip": sign_flip_test(by_network, ALTERNATIVES[one.direction]).p,
        "primary": primary.p,
    }
    verdicts = {"percentile": decided(low, high), "primary": decided(primary.low, primary.high)}
    return p, verdicts


def decided(low: float, high: float) -> float:
    """Say whether a claim about a true null gets a verdict, which is a wrong one.

    Args:
        low: lower end of the effect's interval.
        high: upper end.

    Returns:
        1 for `holds` and `reversed`, 0 for `unresolved`.
    """
    return float(judge(low, high, "positive") != UNRESOLVED)


def randomised(p: float, ties: float, rng: np.random.Generator) -> float:
    """Spread a p-value of few possible values evenly, so that it is uniform under its null.

    A test with so many permutations only has p-values that far apart, and no test of uniformity
    would forgive it. Only for looking at p-values as here: a randomised p decides nothing.

    Args:
        p: as tested: the share that is at least as extreme.
        ties: the share that is exactly as extreme.
        rng: draws where between `p - ties` and `p`.

    Returns:
        The randomised p.
    """
    return float(p - ties * rng.random())


def family_rejections(family: str, p_values: Mapping[str, float]) -> dict[str, float]:
    """Say whether a family of true nulls rejects any, by each adjustment and by none.

    Args:
        family: its name.
        p_values: comparison -> p.

    Returns:
        `holm`, `benjamini-hochberg` and `unadjusted` -> 1 where any p is at most `LEVEL`, else 0.
    """
    adjusted = adjust_family(family, list(p_values), p_values, {})
    smallest = {
        "holm": min(each.holm for each in adjusted),
        "benjamini-hochberg": min(each.benjamini_hochberg for each in adjusted),
        "unadjusted": min(p_values.values()),
    }
    return {name: float(p <= LEVEL) for name, p in smallest.items()}
