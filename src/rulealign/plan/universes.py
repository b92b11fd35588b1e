"""The universes of a claim: which scores each of them takes, and what cannot be computed.

Planning asks it which jobs are needed, and the evaluation which rows make an effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from rulealign.config.claims import AXES, OWN
from rulealign.plan.settings.claims import ClaimSettings, FactsSettings, GridSettings

VECTOR = "vector"
"""The descriptor of layers without positions, which have nothing to describe."""


class Score(NamedTuple):
    """What one term of a claim takes, for every seed."""

    rule: str
    epoch: int
    layer: str
    roi: str


class Universe(NamedTuple):
    """One way of computing the effect of a claim.

    Attributes:
        choices: axis -> value.
        weights: score -> its weight in the effect, none of which is 0.
        seeds: that all scores have in common.
        primary: whether every axis has its first value.
        reason: why it cannot be computed; "" where it can.
    """

    choices: dict[str, Any]
    weights: dict[Score, float]
    seeds: list[int]
    primary: bool
    reason: str


def combinations(grid: GridSettings) -> Iterator[dict[str, Any]]:
    """List the universes of the grid: crossed axes combined, each other axis varied alone.

    Args:
        grid: of the universes.

    Yields:
        axis -> value; the primary universe first.
    """
    first = {axis: grid.values[axis][0] for axis in AXES}
    crossed = [axis for axis in AXES if axis in grid.crossed]
    for choice in product(*(grid.values[axis] for axis in crossed)):
        base = first | dict(zip(crossed, choice, strict=True))
        yield base
        for axis in AXES:
            if axis not in crossed:
                yield from (base | {axis: value} for value in grid.values[axis][1:])


def universes(claim: ClaimSettings, grid: GridSettings, facts: FactsSettings) -> list[Universe]:
    """List the universes of one claim; values of axes that change nothing about it make none.

    Args:
        claim: the claim.
        grid: of the universes.
        facts: of the study.

    Returns:
        The universes, the primary one first; of some, a reason says why they cannot be computed.
    """
    later = _later(claim)
    found: dict[tuple, Universe] = {}
    for place, choices in enumerate(combinations(grid)):
        replaced = grid.replacements[choices["initialisation"]]
        plus, minus = (
            [_in_place(term, choices, grid, facts, later) for term in side]
            for side in (claim.plus, claim.minus)
        )
        weights = _weights([score for score, _ in plus], [score for score, _ in minus])
        other = [reason for _, reason in (*plus, *minus) if reason]
        alone = _alone(choices, weights, replaced)
        reason = other[0] if other else alone or _reason(claim, choices, weights, facts)
        seeds = [set(facts.seeds[score.rule]) for score in weights]
        common = sorted(set.intersection(*seeds)) if seeds else []
        universe = Universe(choices, weights, common, place == 0, reason)
        # what cannot be computed with an initialisation must not vanish behind what can without
        key = (*_identity(universe, facts.vectors), alone)
        known = found.get(key, universe)
        # where terms cancel, another baseline may allow what the first one of equal terms does not
        better = known.reason and not universe.reason and not known.primary
        found[key] = universe if better else known
    return list(found.values())


def _in_place(
    term: tuple[str, int, str, str],
    choices: Mapping[str, Any],
    grid: GridSettings,
    facts: FactsSettings,
    later: Mapping[str, set[int]],
) -> tuple[Score, str]:
    (rule, epoch, layer, roi), baseline = term, choices["baseline"]
    own = grid.replacements[choices["initialisation"]].get(rule, rule)
    if baseline == OWN or epoch != 0 or not facts.trains[rule]:
        return Score(own, epoch, layer, roi), ""
    # each rule has the control of its own initial weights, so that rules of different ones compare
    stands, initial = _same_control(baseline, grid.replacements), facts.initial
    for stand in stands:
        if initial[stand] == initial[own]:
            at, reason = _same_epoch(
                stand, rule, sorted(later[rule]) if facts.trains[stand] else [0]
            )
            return Score(stand, at, layer, roi), reason
    verb = "have" if len(stands) > 1 else "has"
    other = f"other initial weights than {own}, and cannot stand for its epoch 0"
    return Score(stands[0], epoch, layer, roi), f"{' and '.join(stands)} {verb} {other}"


def _later(claim: ClaimSettings) -> dict[str, set[int]]:
    later: dict[str, set[int]] = {}
    for rule, epoch, *_ in (*claim.plus, *claim.minus):
        later.setdefault(rule, set()).update({epoch} - {0})
    return later


def _same_epoch(stand: str, rule: str, epochs: Sequence[int]) -> tuple[int, str]:
    # one that trains, too, stands for epoch 0 as it is at the epoch that the claim is about
    if len(epochs) == 1:
        return epochs[0], ""
    of = f"has {len(epochs)} later epochs of {rule}" if epochs else f"has no later epoch of {rule}"
    return 0, f"{stand} trains, too, and stands at the same epoch; but the claim {of}"


def _same_control(baseline: str, replacements: Mapping[str, Mapping[str, str]]) -> list[str]:
    # a baseline and what some initialisation says is the same from other weights, either way
    every = replacements.values()
    there = [one[baseline] for one in every if baseline in one]
    back = [rule for one in every for rule, other in one.items() if other == baseline]
    return list(dict.fromkeys((baseline, *there, *back)))


def _weights(plus: list[Score], minus: list[Score]) -> dict[Score, float]:
    times: dict[Score, int] = {}
    for terms, sign in ((plus, 1), (minus, -1)):
        for score in terms:
            times[score] = times.get(score, 0) + sign
    return {score: float(count) for score, count in times.items() if count}


def _alone(
    choices: Mapping[str, Any], weights: Mapping[Score, float], replaced: Mapping[str, str]
) -> str:
    # a rule that has a stand-in is not compared with one that has none
    stand_ins = set(replaced.values())
    alone = sorted({score.rule for score in weights} - stand_ins)
    if alone and stand_ins & {score.rule for score in weights}:
        return f"initialisation '{choices['initialisation']}' names no rule in place of {alone[0]}"
    return ""


def _reason(
    claim: ClaimSettings,
    choices: Mapping[str, Any],
    weights: Mapping[Score, float],
    facts: FactsSettings,
) -> str:
    if not weights:
        return "both sides take the same scores, so that there is no difference"
    for what in ("layer", "roi"):
        lost = sorted(set(getattr(claim, what)) - {getattr(score, what) for score in weights})
        if lost:
            return f"all scores of {lost[0]} cancel, so that there is no evidence about it"
    if facts.generalise_to != "stimuli" and choices["convention"] == "mean_rdm":
        return "the mean RDM has no scores of single subjects, to which the study generalises"
    return ""


def _identity(universe: Universe, vectors: list[str]) -> tuple:
    # what is computed: neither the names of baseline and initialisation, nor a descriptor of
    # layers that have nothing to describe
    choices = dict(universe.choices)
    layers = {score.layer for score in universe.weights}
    if layers <= set(vectors):
        choices["descriptor"] = VECTOR
    computed = [choices[axis] for axis in AXES if axis not in ("baseline", "initialisation")]
    return (*computed, frozenset(universe.weights.items()))
