"""The grid of universes in which a study's claims are evaluated."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from rulealign.claims.measures import MEASURES
from rulealign.mistakes import Checks, Mistake
from rulealign.rsa.comparisons import REGISTRY, comparison_class
from rulealign.schema import Closed, Descriptor, Distinct, Label, Pixels, each
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

OWN = "own"
"""What the axis `baseline` says where no other one takes the place of a rule's own."""

NO_CONTROL = "none"
"""What the axis `control` says where no control is partialled out."""

Axis = Literal[AXES]


def listed_axes(columns: Collection[str], axes: Sequence[str] = AXES) -> list[str]:
    """List the axes that a grid or a table has, in the order of `AXES`: all but optional ones.

    Args:
        columns: of the table, or the axes of the grid.
        axes: to choose from.
    """
    return [axis for axis in axes if axis in columns or axis not in OPTIONAL]


def _against_no_zero(value: Any) -> Any:
    # with shuffled stimulus labels, cosines gave a verdict in 60 to 80% of universes
    if isinstance(value, str) and _INSTEAD.get(value):
        raise ValueError(
            f"{value} describes similarity but cannot test a claim: it supposes that 0 means no"
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
