"""What the jobs of claims are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from rulealign.claims.measures import measure_class
from rulealign.config.claims import FullTerm
from rulealign.plan.settings.scores import DrawSettings
from rulealign.settings import Sectioned, Settings

if TYPE_CHECKING:
    from rulealign.config.study import Study
    from rulealign.plan.claims import Need
    from rulealign.plan.universes import Way


@dataclass(frozen=True, kw_only=True)
class EffectSettings(DrawSettings):
    """What effects of scores use; all that are subtracted from each other share it.

    Attributes:
        generalise_to: what intervals generalise to besides seeds: `stimuli`, `subjects` or `both`.
    """

    generalise_to: str

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        goal = study.statistics.generalise_to
        return cls(**DrawSettings.of(study).plain(), generalise_to=goal)


@dataclass(frozen=True, kw_only=True)
class UniverseSettings(EffectSettings):
    """What the scores of one arm with one ROI use, in every universe of every claim.

    Which epochs, seeds, stimulus sets and sizes there are is told by the files of RDMs.

    Attributes:
        layers: of the networks.
        descriptors: of the layers with positions.
        centring: keys of `rsa.rdm.CENTRING`.
        shuffles: permutations of the brain's stimuli; 0 where no claim is about a level.
        analyses: each a pairs, a convention, a comparison and a control.
    """

    layers: list[str]
    descriptors: list[str]
    centring: list[str]
    shuffles: int
    analyses: list[dict[str, str]]

    @classmethod
    def of(cls, study: Study, need: Need) -> Self:
        """Take the settings from a study, and from what its claims need of the arm and the ROI."""
        return cls(
            **EffectSettings.of(study).plain(),
            layers=need.layers,
            descriptors=need.descriptors,
            centring=need.centring,
            shuffles=study.statistics.null_draws if need.of_levels else 0,
            analyses=need.analyses,
        )


@dataclass(frozen=True, kw_only=True)
class MeasuredSettings(UniverseSettings):
    """The same for another measure than RSA, or other features than activations.

    Attributes:
        measure: a key of `claims.measures.REGISTRY`.
        features: activations, gradient or teaching.
        dataset: what files of features call these, such as `gradient-entropy`.
        distance: of the brain RDMs, for a measure of Gram matrices; None for one of RDMs.
        inner_folds: parts of the stimuli of a fit, for a measure that fits; None for others.
        penalties: to choose from, likewise.
    """

    measure: str
    features: str
    dataset: str
    distance: str | None
    inner_folds: int | None
    penalties: list[float] | None

    @classmethod
    def of(cls, study: Study, need: Need, way: Way) -> Self:
        """Take the settings from a study with encoding, and from what claims need."""
        measure, asked = measure_class(way.measure), study.encoding
        return cls(
            **UniverseSettings.of(study, need).plain(),
            **way._asdict(),
            dataset=asked.dataset(way.features),
            distance=None if measure.of_rdms else study.brain.pattern_distance,
            inner_folds=asked.inner_folds if measure.fits else None,
            penalties=asked.penalties if measure.fits else None,
        )


@dataclass(frozen=True, kw_only=True)
class ClaimSettings(Settings):
    """One claim, with complete terms.

    Attributes:
        label: its name in the study.
        statement: in words.
        layer: the layers, or levels, that it is about.
        roi: the ROIs that it is about.
        plus: the scores that are added up.
        minus: those that are subtracted; none of a claim about a level.
        direction: `positive` or `negative`.
        smallest_effect: that matters, in units of the score; None where no size is named.
        smallest_effect_reason: why this size; None with it.
        family: claims of one family have their p-values adjusted together.
    """

    label: str
    statement: str
    layer: list[str]
    roi: list[str]
    plus: list[FullTerm]
    minus: list[FullTerm]
    direction: str
    smallest_effect: float | None
    smallest_effect_reason: str | None
    family: str

    @classmethod
    def of(cls, study: Study, label: str) -> Self:
        """Take one claim from a study."""
        claim = study.claims[label]
        sized = claim.smallest_effect != "none"
        return cls(
            label=label,
            statement=claim.statement,
            layer=claim.layer,
            roi=claim.roi,
            plus=claim.terms("plus"),
            minus=claim.terms("minus"),
            direction=claim.direction,
            smallest_effect=claim.smallest_effect.value if sized else None,
            smallest_effect_reason=claim.smallest_effect.reason if sized else None,
            family=claim.family,
        )


@dataclass(frozen=True, kw_only=True)
class GridSettings(Settings):
    """The grid of universes.

    Attributes:
        crossed: axes of which every combination is a universe.
        values: axis -> its values, the first one of the primary universe first.
        replacements: initialisation -> {rule: the rule that takes its place}.
    """

    crossed: list[str]
    values: dict[str, list[str | int]]
    replacements: dict[str, dict[str, str]]

    @classmethod
    def of(cls, study: Study, primary: bool = False) -> Self:
        """Take the whole grid from a study, or the primary universe alone."""
        values, named = study.universes.values(), study.universes.initialisation
        if primary:
            values = {axis: of_axis[:1] for axis, of_axis in values.items()}
        return cls(
            crossed=[] if primary else study.universes.crossed,
            values=values,
            replacements={name: named[name] for name in values["initialisation"]},
        )


@dataclass(frozen=True, kw_only=True)
class FactsSettings(Settings):
    """What the universes of a claim depend on besides the grid.

    Attributes:
        initial: rule that claims or universes name -> the kind of its initial weights.
        trains: the same rules -> whether they change weights at all.
        seeds: the same rules -> their seeds.
        networks: the same rules -> the networks that they train.
        layers: level that a claim names -> network -> its layer.
        vectors: network that universes or claims name -> its layers without positions.
        generalise_to: as in `EffectSettings`.
        features: features but activations that universes name -> the same rules, as far as they
            have such signals -> the sizes at which they have; nothing where none are named.
        exact: rules of these whose teaching signals are the gradient of the first loss.
    """

    initial: dict[str, str]
    trains: dict[str, bool]
    seeds: dict[str, list[int]]
    networks: dict[str, list[str]]
    layers: dict[str, dict[str, str]]
    vectors: dict[str, list[str]]
    generalise_to: str
    features: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    exact: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the facts from a study."""
        grid, claims = study.universes, study.claims.values()
        terms = [term for one in claims for side in ("plus", "minus") for term in one.terms(side)]
        networks = {term.network for term in terms}.union(grid.network)
        named = {term.rule for term in terms}.union(grid.baseline)
        for replaced in grid.initialisation.values():
            named |= {*replaced, *replaced.values()}
        rules = [rule for rule in study.rules if rule in named]
        levels = {term.layer for term in terms}.intersection(study.levels)
        return cls(
            initial={rule: study.rules[rule].init for rule in rules},
            trains={rule: study.trains(rule) for rule in rules},
            seeds={rule: study.seeds(rule) for rule in rules},
            networks={rule: study.trained(rule) for rule in rules},
            layers={
                level: {network: study.layer_at(network, level) for network in study.networks}
                for level in sorted(levels)
            },
            vectors={one: study.networks[one].vectors() for one in sorted(networks - {None})},
            generalise_to=study.statistics.generalise_to,
            features={
                kind: {rule: sizes for rule in rules if (sizes := study.sizes_of(rule, kind))}
                for kind in grid.features
                if kind != "activations"
            },
            exact=[rule for rule in rules if study.teaches_gradient(rule)],
        )


@dataclass(frozen=True, kw_only=True)
class ClaimsSettings(EffectSettings, Sectioned):
    """What the evaluation of all claims uses.

    Attributes:
        grid: of the universes.
        claims: in the study's order.
        facts: what universes depend on besides the grid.
    """

    grid: GridSettings
    claims: list[ClaimSettings]
    facts: FactsSettings

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            **EffectSettings.of(study).plain(),
            grid=GridSettings.of(study),
            claims=[ClaimSettings.of(study, label) for label in study.claims],
            facts=FactsSettings.of(study),
        )


@dataclass(frozen=True, kw_only=True)
class MixedModelsSettings(Sectioned):
    """What the mixed models of all claims use.

    Attributes:
        interval: coverage of the intervals, 0-1.
        grid: the primary universe alone.
        claims: in the study's order.
        facts: what universes depend on besides the grid.
    """

    interval: float
    grid: GridSettings
    claims: list[ClaimSettings]
    facts: FactsSettings

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            interval=study.statistics.interval,
            grid=GridSettings.of(study, primary=True),
            claims=[ClaimSettings.of(study, label) for label in study.claims],
            facts=FactsSettings.of(study),
        )
