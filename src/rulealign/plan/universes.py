"""The universes of a claim: which scores each of them takes, and what cannot be computed.

Planning asks it which jobs are needed, and the evaluation which rows make an effect.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from rulealign.claims.measures import measure_class
from rulealign.config.claims import FullTerm
from rulealign.config.universes import AXES, OPTIONAL, OWN, listed_axes
from rulealign.plan.settings.claims import ClaimSettings, FactsSettings, GridSettings

ROUNDING = 1e-9
"""Of shares of scores that cancel."""

VECTOR = "vector"
"""The descriptor of layers without positions, which have nothing to describe."""

GRADIENT, TEACHING = "gradient", "teaching"
"""Features of a network besides its activations."""


Vectors = Mapping[str, Sequence[str]]
"""Network -> its layers without positions."""


class Score(NamedTuple):
    """What one term of a claim takes, for every seed."""

    network: str
    rule: str
    epoch: int
    layer: str
    roi: str

    @property
    def scored(self) -> tuple[str, str, str]:
        """The network, rule and ROI, whose scores are in one file."""
        return self.network, self.rule, self.roi

    def is_vector(self, vectors: Vectors) -> bool:
        """Whether it is of a layer without positions, given those of each network."""
        return self.layer in vectors[self.network]


class Way(NamedTuple):
    """What scores are of: how networks are held against the brain, and by what they are read.

    Attributes:
        measure: a key of `claims.measures.MEASURES`.
        features: activations, gradient or teaching.
    """

    measure: str
    features: str


def way_of(choices: Mapping[str, Any]) -> Way:
    """Give the measure and the features of a universe, given axis -> value."""
    return Way(*(choices.get(axis, OPTIONAL[axis][0]) for axis in Way._fields))


PLAIN_WAY = way_of({})
"""What a study takes that names neither."""


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

    A universe in which the measure knows nothing of an axis appears once for each of its values.

    Args:
        grid: of the universes.

    Yields:
        axis -> value; the primary universe first.
    """
    axes = listed_axes(grid.values)
    first = {axis: grid.values[axis][0] for axis in axes}
    crossed = [axis for axis in axes if axis in grid.crossed]
    for choice in product(*(grid.values[axis] for axis in crossed)):
        base = first | dict(zip(crossed, choice, strict=True))
        yield _measured(base)
        for axis in axes:
            if axis not in crossed:
                yield from (_measured(base | {axis: one}) for one in grid.values[axis][1:])


def _measured(choices: dict[str, Any]) -> dict[str, Any]:
    # axes that a measure does not know have one value, whatever was chosen
    return choices | measure_class(way_of(choices).measure).fixed


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
    compared = _networks_compared(claim)
    for place, choices in enumerate(combinations(grid)):
        replaced = grid.replacements[choices["initialisation"]]
        plus, minus = (
            [_in_place(term, choices, grid, facts, later) for term in side]
            for side in (claim.plus, claim.minus)
        )
        shares = [term.share for term in claim.plus] + [-term.share for term in claim.minus]
        weights = _weights([score for score, _ in (*plus, *minus)], shares)
        other = [reason for _, reason in (*plus, *minus) if reason]
        alone = _alone(choices, weights, replaced)
        reason = other[0] if other else alone or _reason(claim, choices, weights, facts)
        seeds = [set(facts.seeds[score.rule]) for score in weights]
        common = sorted(set.intersection(*seeds)) if seeds else []
        universe = Universe(choices | compared, weights, common, place == 0, reason)
        # what cannot be computed with an initialisation must not vanish behind what can without
        key = (*_identity(universe, facts), alone)
        known = found.get(key, universe)
        # where terms cancel, another baseline may allow what the first one of equal terms does not
        better = known.reason and not universe.reason and not known.primary
        found[key] = universe if better else known
    return list(found.values())


def _in_place(
    term: FullTerm,
    choices: Mapping[str, Any],
    grid: GridSettings,
    facts: FactsSettings,
    later: Mapping[str, set[int]],
) -> tuple[Score, str]:
    rule, epoch, name, roi, *_ = term
    network, baseline = term.network or choices["network"], choices["baseline"]
    layer = _layer(facts, network, name)
    own = grid.replacements[choices["initialisation"]].get(rule, rule)
    if network not in facts.networks[own]:
        return Score(network, own, epoch, layer, roi), f"{own} does not train {network}"
    if baseline == OWN or epoch != 0 or not facts.trains[rule]:
        return Score(network, own, epoch, layer, roi), ""
    # each rule has the control of its own initial weights, so that rules of different ones compare
    stands, initial = _same_control(baseline, grid.replacements), facts.initial
    for stand in stands:
        if initial[stand] == initial[own] and network in facts.networks[stand]:
            at, reason = _same_epoch(
                stand, rule, sorted(later[rule]) if facts.trains[stand] else [0]
            )
            return Score(network, stand, at, layer, roi), reason
    verb = "have" if len(stands) > 1 else "has"
    other = f"other initial weights than {own}, and cannot stand for its epoch 0"
    return Score(network, stands[0], epoch, layer, roi), f"{' and '.join(stands)} {verb} {other}"


def _layer(facts: FactsSettings, network: str, name: str) -> str:
    # a level stands for a layer of each network; a layer stands for itself
    return facts.layers.get(name, {}).get(network, name)


def _networks_compared(claim: ClaimSettings) -> dict[str, str]:
    # where every term names its network, the axis does not apply, and says which they are
    named = [term.network for term in (*claim.plus, *claim.minus)]
    return {} if None in named else {"network": "+".join(dict.fromkeys(named))}


def _later(claim: ClaimSettings) -> dict[str, set[int]]:
    later: dict[str, set[int]] = {}
    for term in (*claim.plus, *claim.minus):
        later.setdefault(term.rule, set()).update({term.epoch} - {0})
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


def _weights(scores: Sequence[Score], shares: Sequence[float]) -> dict[Score, float]:
    weights: dict[Score, float] = {}
    for score, share in zip(scores, shares, strict=True):
        weights[score] = weights.get(score, 0.0) + share
    return {score: weight for score, weight in weights.items() if abs(weight) > ROUNDING}


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
    layers = {(score.network, score.layer) for score in weights}
    rois = {score.roi for score in weights}
    lost = [one for one in claim.roi if one not in rois] + [
        name
        for name in claim.layer
        if not any(_layer(facts, network, name) == layer for network, layer in layers)
    ]
    if lost:
        return f"all scores of {min(lost)} cancel, so that there is no evidence about it"
    if facts.generalise_to != "stimuli" and choices["convention"] == "mean_rdm":
        return "the mean RDM has no scores of single subjects, to which the study generalises"
    return _featureless(choices, weights, facts)


def _featureless(
    choices: Mapping[str, Any], weights: Mapping[Score, float], facts: FactsSettings
) -> str:
    # why a rule cannot be read by these features
    kind, size = way_of(choices).features, choices["size"]
    for score in weights if kind in facts.features else ():
        sizes = facts.features[kind].get(score.rule, [])
        if not sizes:
            return f"{score.rule} has no {kind} signals"
        if size not in sizes:
            return f"{kind} signals of {score.rule} fit {sizes[0]} pixels alone, not {size}"
    return ""


def _identity(universe: Universe, facts: FactsSettings) -> tuple:
    # what is computed: neither the names of baseline and initialisation, nor a descriptor of
    # layers that have nothing to describe, nor teaching signals that are the gradient
    choices, taken = dict(universe.choices), universe.weights
    if all(score.is_vector(facts.vectors) for score in taken):
        choices["descriptor"] = VECTOR
    if way_of(choices).features == TEACHING and {one.rule for one in taken} <= set(facts.exact):
        choices["features"] = GRADIENT
    named = ("baseline", "initialisation")
    computed = [choices[axis] for axis in AXES if axis in choices and axis not in named]
    return (*computed, frozenset(universe.weights.items()))
