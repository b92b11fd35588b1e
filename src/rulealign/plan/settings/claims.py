"""What the jobs of claims are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.plan.settings.scores import DrawSettings
from rulealign.settings import Sectioned, Settings

if TYPE_CHECKING:
    from rulealign.config.study import Study
    from rulealign.plan.claims import Need


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
    """What the scores of one rule with one ROI use, in every universe of every claim.

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
        """Take the settings from a study, and from what its claims need of the rule and the ROI."""
        return cls(
            **EffectSettings.of(study).plain(),
            layers=need.layers,
            descriptors=need.descriptors,
            centring=need.centring,
            shuffles=study.statistics.null_draws if need.of_levels else 0,
            analyses=need.analyses,
        )


@dataclass(frozen=True, kw_only=True)
class ClaimSettings(Settings):
    """One claim, with complete terms.

    Attributes:
        label: its name in the study.
        statement: in words.
        layer: the layers that it is about.
        roi: the ROIs that it is about.
        plus: (rule, epoch, layer, ROI) of the scores that are added up.
        minus: of those that are subtracted; none of a claim about a level.
        direction: `positive` or `negative`.
        smallest_effect: that matters, in units of the score; None where no size is named.
        smallest_effect_reason: why this size; None with it.
        family: claims of one family have their p-values adjusted together.
    """

    label: str
    statement: str
    layer: list[str]
    roi: list[str]
    plus: list[tuple[str, int, str, str]]
    minus: list[tuple[str, int, str, str]]
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
        vectors: the layers without positions.
        generalise_to: as in `EffectSettings`.
    """

    initial: dict[str, str]
    trains: dict[str, bool]
    seeds: dict[str, list[int]]
    vectors: list[str]
    generalise_to: str

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the facts from a study."""
        rules = study.claimed_rules()
        return cls(
            initial={rule: study.rules[rule].init for rule in rules},
            trains={rule: study.trains(rule) for rule in rules},
            seeds={rule: study.seeds(rule) for rule in rules},
            vectors=study.network.vectors(),
            generalise_to=study.statistics.generalise_to,
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
