"""The section of a study that declares claims."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BeforeValidator, Field

from rulealign.choices import chosen_by
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import (
    Closed,
    Count,
    Distinct,
    Label,
    Number,
    PositiveFloat,
    Reason,
    each,
)
from rulealign.wrong_values import shown


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Named = Annotated[list[str], BeforeValidator(_listed), Field(min_length=1), Distinct]
"""One name, or a list of names."""


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
