"""Which scores the claims of a study need, and whether they can be computed at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rulealign.config.study import Study
from rulealign.errors import ConfigurationError
from rulealign.plan.settings.claims import ClaimSettings, FactsSettings, GridSettings
from rulealign.plan.universes import PLAIN_WAY, Score, Universe, Way, universes, way_of

_ANALYSIS = ("pairs", "convention", "comparison", "control")
"""Axes that are computed from the same RDMs."""


@dataclass(frozen=True)
class Need:
    """What all claims need of one arm with one ROI, in an order that is not that of the claims.

    Attributes:
        epochs: of the rule.
        seeds: of the rule, in the study's order.
        stimuli: labels of stimulus sets.
        sizes: pixels per side.
        descriptors: of the layers with positions.
        centring: keys of `rsa.rdm.CENTRING`.
        layers: in the study's order.
        of_levels: whether a claim is about a level.
        analyses: each a pairs, a convention, a comparison and a control.
    """

    epochs: list[int]
    seeds: list[int]
    stimuli: list[str]
    sizes: list[int]
    descriptors: list[str]
    centring: list[str]
    layers: list[str]
    of_levels: bool
    analyses: list[dict[str, str]]


_Taken = tuple[Score, Universe, bool]


Scored = tuple[str, str, str]
"""Network, rule and ROI."""


def needs(study: Study) -> dict[Way, dict[Scored, Need]]:
    """Say what each job of universes must compute; takes a second where universes are many.

    Args:
        study: the study.

    Returns:
        Measure and features -> (network, rule, ROI) -> what is needed, sorted. RSA of activations
        comes first, be it needed or not.
    """
    found: dict[Way, dict[Scored, list[_Taken]]] = {PLAIN_WAY: {}}
    for taken in _taken(study):
        own = found.setdefault(way_of(taken[1].choices), {})
        own.setdefault(taken[0].scored, []).append(taken)
    return {
        way: {key: _need(study, key[0], own[key]) for key in sorted(own)}
        for way, own in sorted(found.items(), key=lambda item: (item[0] != PLAIN_WAY, item[0]))
    }


def _taken(study: Study) -> Iterator[_Taken]:
    # scores that some universe takes, but of those that cannot be computed; whether of a level
    grid, facts = GridSettings.of(study), FactsSettings.of(study)
    for label in study.claims:
        for universe in universes(ClaimSettings.of(study, label), grid, facts):
            for score in universe.weights if not universe.reason else ():
                yield score, universe, not study.claims[label].minus


def _need(study: Study, network: str, taken: Sequence[_Taken]) -> Need:
    choices = [universe.choices for _, universe, _ in taken]

    def values(axis: str) -> list:
        return sorted({one[axis] for one in choices})

    layers = {score.layer for score, _, _ in taken}
    seeds = {seed for _, universe, _ in taken for seed in universe.seeds}
    analyses = sorted({tuple(one[axis] for axis in _ANALYSIS) for one in choices})
    return Need(
        epochs=sorted({score.epoch for score, _, _ in taken}),
        seeds=[seed for seed in study.training.seeds if seed in seeds],
        stimuli=values("stimuli"),
        sizes=values("size"),
        descriptors=values("descriptor"),
        centring=values("centring"),
        layers=[layer for layer in study.layers(network) if layer in layers],
        of_levels=any(level for *_, level in taken),
        analyses=[dict(zip(_ANALYSIS, one, strict=True)) for one in analyses],
    )


def require_primaries(study: Study) -> None:
    """Refuse a grid in whose primary universe a claim cannot be computed.

    Args:
        study: the study.

    Raises:
        ConfigurationError: names the claim, the values and the reason.
    """
    for label in study.claims:
        grid, facts = GridSettings.of(study, primary=True), FactsSettings.of(study)
        first = universes(ClaimSettings.of(study, label), grid, facts)[0]
        if first.reason:
            chosen = ", ".join(f"{axis} {value}" for axis, value in first.choices.items())
            raise ConfigurationError(
                f"claims.{label}: cannot be computed in the primary universe, the first value of"
                f" every axis of `universes` ({chosen}): {first.reason}. Put other values first, or"
                " declare another claim."
            )
