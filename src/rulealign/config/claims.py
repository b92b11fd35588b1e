"""The sections of a study that declare claims, and the grid of universes they are evaluated in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from rulealign.choices import chosen_by
from rulealign.claims.measures import MEASURES
from rulealign.mistakes import Checks, Mistake
from rulealign.rsa.comparisons import REGISTRY, comparison_class
from rulealign.schema import (
    Closed,
    Count,
    Descriptor,
    Distinct,
    Label,
    Number,
    Pixels,
    PositiveFloat,
    Reason,
    each,
)
from rulealign.wrong_values import shown

AXES = (
    "network",
    "features",
    "measure",
    "stimuli",
    "size",
    "descriptor",
    "centring",
    "pairs",
    "convention",
    "comparison",
    "control",
    "baseline",
    "initialisation",
)
"""The axes of the grid, in the order of the columns of `statistics/claims.csv`."""

OPTIONAL = {"features": ["activations"], "measure": ["rsa"]}
"""Axes that are in no table where a study has but these values of them."""

ESTIMANDS = ("network", "features", "stimuli", "size", "baseline", "initialisation")
"""Axes whose values are other questions: a claim has a verdict for each combination. The others are
ways of computing the answer."""

OWN, NO_CONTROL = "own", "none"
"""What the axes `baseline` and `control` call it when nothing is put in place or partialled out."""

Axis = Literal[AXES]


def listed_axes(columns: Collection[str], axes: Sequence[str] = AXES) -> list[str]:
    """List the axes that a grid or a table has, in the order of `AXES`: all but optional ones.

    Args:
        columns: of the table, or the axes of the grid.
        axes: to choose from.
    """
    return [axis for axis in axes if axis in columns or axis not in OPTIONAL]


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _against_no_zero(value: Any) -> Any:
    # with shuffled stimulus labels, cosines gave a verdict in 60 to 80% of universes
    if isinstance(value, str) and _INSTEAD.get(value):
        raise ValueError(
            f"{value} describes, and is no evidence for a claim: it supposes that 0 means no"
            " relation, but the mean of dissimilarities is above 0 (of cross-validated ones, too),"
            " so that differences of cosines are clear of 0 even where the brain's stimulus labels"
            f" are shuffled. Use '{_INSTEAD[value]}', which subtracts the mean, or 'spearman'"
        )
    return value


_INSTEAD = {name: comparison_class(name).instead for name in REGISTRY}

Comparison = Annotated[
    Literal[tuple(name for name in REGISTRY if not _INSTEAD[name])],
    BeforeValidator(_against_no_zero),
]
"""Of model and brain RDMs, as claims may rest on."""

Named = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1), Distinct]
"""One name, or a list of names."""


def _axis(values: Any, description: str) -> Any:
    distinct = Annotated[each(list[values]), Field(min_length=1), Distinct]
    return Annotated[distinct, Field(description=description)]


class Universes(Closed):
    """The grid in which every claim is evaluated; the first values make the primary universe."""

    crossed: Annotated[list[Axis], Distinct] = Field(
        description="axes of which every combination is a universe; every other axis is varied"
        " alone, against each of these combinations; [] to vary each axis alone"
    )
    network: _axis(Label, "labels of `networks`")
    features: _axis(
        Literal["activations", "gradient", "teaching"],
        "what networks are read by: activations, the gradient of the first of encoding.losses, or"
        " the teaching signals of rules that have them; what encoding.features lists",
    ) = OPTIONAL["features"]
    measure: _axis(
        Literal[tuple(MEASURES)],
        "how they are held against the brain: rsa; encoding, cross-validated R^2 of a ridge"
        " regression; or cka, debiased linear CKA; all but rsa need the section `encoding`",
    ) = OPTIONAL["measure"]
    stimuli: _axis(Label, "stimulus sets of `stimuli`")
    size: _axis(Pixels, "pixels per side, of evaluation.sizes")
    descriptor: _axis(Descriptor, "of evaluation.descriptors")
    centring: _axis(Literal["uncentred", "centred"], "of evaluation.centring")
    pairs: _axis(Literal["all", "cross_run", "present"], "pairs of stimuli that are compared")
    convention: _axis(
        Literal["per_subject", "mean_rdm"],
        "whether scores with each subject's RDM are averaged, or the mean RDM is scored",
    )
    comparison: _axis(
        Comparison,
        "of model and brain RDMs; cosines are refused, as they have no zero to be tested against",
    )
    control: _axis(
        str,
        "partialled out of model and brain RDMs, from `controls`; several joined by +; none",
    )
    baseline: _axis(
        str,
        "what stands for epoch 0 of a trained rule: its own, or a label of `rules`; one that trains"
        " stands as it is at the later epoch of that rule in the claim",
    )
    initialisation: Annotated[each(dict[str, dict[Label, Label]]), Field(min_length=1)] = Field(
        description="name -> {rule: the rule that takes its place}; the first one is {}"
    )

    def values(self) -> dict[str, list[str | int]]:
        """List the values of every axis, the first one of the primary universe first."""
        asked = [axis for axis in AXES if axis not in self.unasked()]
        return {axis: list(getattr(self, axis)) for axis in asked}

    def unasked(self) -> set[str]:
        """List the axes that a study which does not name them lacks."""
        return {axis for axis, values in OPTIONAL.items() if getattr(self, axis) == values}

    def checks(self) -> Checks:
        """Check that all initialisations but the first replace rules."""
        yield self._first_replaces_nothing()

    def _first_replaces_nothing(self) -> Iterator[Mistake]:
        first, *others = self.initialisation
        if self.initialisation[first]:
            yield Mistake(
                f"initialisation.{first}",
                f"replaces {shown(self.initialisation[first])}; the first one is the rules as they"
                " stand, and must be {}",
            )
        for name in others:
            if not self.initialisation[name]:
                yield Mistake(f"initialisation.{name}", "replaces no rule; say which, or remove it")


class Term(Closed):
    """One score of a claim: of a rule at an epoch."""

    rule: Label = Field(description="a label of `rules`")
    epoch: Count = Field(description="one of the rule's checkpoints")
    layer: str | None = Field(
        default=None, description="one of the claim's layers; may be left out where it is the only"
    )
    roi: str | None = Field(
        default=None, description="one of the claim's ROIs; may be left out where it is the only"
    )
    network: Label | None = Field(
        default=None,
        description="a label of `networks`, whatever the axis `network` is: for claims that compare"
        " networks; null: that of the axis",
    )
    share: Annotated[float, Field(gt=0, le=1), Number] = Field(
        default=1,
        description="of the score that is taken, up to 1: 0.5 of epoch 0, less a later"
        " score, is above 0 where half of the alignment was lost by then",
    )


class FullTerm(NamedTuple):
    """A term of which nothing is left out that the claim says.

    Attributes:
        rule: a label of `rules`.
        epoch: one of its checkpoints.
        layer: a layer, or a label of `levels`.
        roi: an ROI.
        network: a label of `networks`; None: that of the axis.
        share: of the score that is taken.
    """

    rule: str
    epoch: int
    layer: str
    roi: str
    network: str | None = None
    share: float = 1.0


Terms = Annotated[each(list[Term]), Field(min_length=1)]


class SmallestEffect(Closed):
    """The smallest effect that matters, for the verdict that an effect is too small to matter."""

    value: PositiveFloat = Field(
        description="on either side of 0, in units of the primary universe's score"
    )
    reason: Reason = Field(description="why this size, in words")


def _no_bare_number(value: Any) -> Any:
    if isinstance(value, int | float):
        remedy = (
            "write none where no size is named"
            if value == 0
            else f"write {{value: {shown(value)}, reason: ...}}, with why in words"
        )
        raise ValueError(f"{shown(value)} is no smallest effect that matters; {remedy}")
    return value


def _size(value: Any) -> str:
    return "none" if isinstance(value, str) else "section"


class Claim(Closed):
    """What is claimed before the run: that some scores are lower, or higher, than others."""

    statement: Annotated[str, Field(min_length=1)] = Field(description="the claim in words")
    layer: Named = Field(
        description="the layer, or layers, that the claim is about; or labels of `levels`"
    )
    roi: Named = Field(description="the ROI, or ROIs, that the claim is about")
    plus: Terms = Field(
        description="scores that are added up; one that is listed twice counts twice"
    )
    minus: each(list[Term]) = Field(
        description="as many scores that are subtracted; [] for a claim about a level, which is"
        " held against no alignment"
    )
    direction: Literal["positive", "negative"] = Field(description="of plus less minus")
    smallest_effect: Annotated[
        chosen_by(_size, none=Literal["none"], section=SmallestEffect),
        BeforeValidator(_no_bare_number),
    ] = Field(
        default="none",
        description="a section, or none: the effect below which a claim is too small to matter; it"
        " serves that verdict alone",
    )
    family: Label = Field(
        default="all", description="claims of one family have their p-values adjusted together"
    )

    def checks(self) -> Checks:
        """Check that every term is of something named, and that the terms make a contrast."""
        for what in ("layer", "roi"):
            for side in ("plus", "minus"):
                yield self._of_named(what, side)
        yield self._contrast()

    def _of_named(self, what: str, side: str) -> Iterator[Mistake]:
        named = getattr(self, what)
        for place, term in enumerate(getattr(self, side)):
            if getattr(term, what) is None and len(named) > 1:
                why = f"says no {what}, and the claim names {shown(named)}; state it"
                yield Mistake(f"{side}.{place}", why)

    def _contrast(self) -> Iterator[Mistake]:
        if self.minus and len(self.plus) != len(self.minus):
            yield Mistake(
                "",
                f"plus has {len(self.plus)} terms and minus {len(self.minus)}; a contrast of scores"
                " needs as many on both sides (one may be listed twice), and a level has minus: []",
            )
        elif Counter(self.terms("plus")) == Counter(self.terms("minus")):
            why = "plus and minus are equal, so that there is no difference to claim; change one"
            yield Mistake("minus", why)

    def terms(self, side: Literal["plus", "minus"]) -> list[FullTerm]:
        """List the terms of one side, in order.

        Args:
            side: plus or minus.

        Returns:
            Each with its layer and its ROI.
        """
        return [
            FullTerm(
                term.rule,
                term.epoch,
                term.layer or self.layer[0],
                term.roi or self.roi[0],
                term.network,
                term.share,
            )
            for term in getattr(self, side)
        ]
