"""The sections on what is measured in networks, how surely, and what the report shows first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from rulealign.choices import chosen_by
from rulealign.controls import REGISTRY
from rulealign.mistakes import Checks, Mistake
from rulealign.schema import (
    Closed,
    Descriptor,
    Distinct,
    Label,
    Number,
    Pixels,
    PositiveInt,
    each,
    whole,
)
from rulealign.wrong_values import no_such

Layers = Annotated[list[str], Field(min_length=1), Distinct]


def _by_network(value: Any) -> str:
    return "by_network" if isinstance(value, Mapping) else "of_all"


class Evaluation(Closed):
    """What is read from a network, and at which image sizes."""

    sizes: Annotated[list[Pixels], Field(min_length=1), Distinct] = Field(
        description="pixels per side at which stimuli are shown; must include the training size"
    )
    layers: chosen_by(_by_network, of_all=Layers, by_network=dict[Label, Layers]) = Field(
        description="layers that are read: a list that every network has, or network -> its layers"
    )
    descriptors: Annotated[list[Descriptor], Field(min_length=1), Distinct] = Field(
        default=["global-average", "grid-8"],
        description="how a conv map becomes a vector: global-average, grid-k (k x k"
        " averages), or full-projected-k (the whole map, on k random projections that keep"
        " distances)",
    )
    centring: Annotated[list[Literal["uncentred", "centred"]], Field(min_length=1), Distinct] = (
        Field(
            default=["uncentred", "centred"],
            description="whether each feature's mean over stimuli is subtracted before Pearson",
        )
    )
    batch_size: PositiveInt = Field(
        default=16, description="images per forward pass; does not change scores"
    )


def _known_control(name: str) -> str:
    if name not in REGISTRY:
        raise ValueError(no_such(name, REGISTRY, "the controls are"))
    return name


Controls = Annotated[each(list[Annotated[str, AfterValidator(_known_control)]]), Distinct]
"""Names of controls; see `rulealign.controls`."""


Depth = Annotated[float, Field(ge=0, le=1), Number]
"""Share of a network's layers with weights that an image has passed."""

Level = chosen_by(_by_network, by_network=dict[Label, str], of_all=Depth)
"""One place in networks of different depth: network -> its layer, or a relative depth."""


class LayerRoi(Closed):
    """One line of the fixed map from layers to ROIs."""

    layer: str = Field(description="a layer that every network has, or a label of `levels`")
    roi: str = Field(description="an ROI of the brain data")


class Statistics(Closed):
    """How sure a score is."""

    bootstrap_draws: whole(20, 100_000) = Field(
        default=1000,
        description="resamples of the stimuli, shared by all rules, layers, ROIs and epochs",
    )
    null_draws: whole(20, 100_000) = Field(
        default=1000,
        description="permutations of the stimuli, for the nulls of noise ceilings, of the"
        " reliability of a single subject, and of claims about a level",
    )
    interval: Annotated[float, Field(gt=0.5, lt=1), Number] = Field(
        default=0.95, description="coverage of the intervals, such as 0.95"
    )
    generalise_to: Literal["stimuli", "subjects", "both"] = Field(
        default="stimuli",
        description="what the intervals of claims, and of differences from baselines, generalise"
        " to, besides other seeds: other stimuli for the same subjects, other subjects for the same"
        " stimuli, or both; with subjects, 3 are needed, and 5 or more are better",
    )
    layer_folds: whole(2, 1000) = Field(
        default=2,
        description="parts that the stimuli are split into; the nested score of a network is that"
        " of the layer which scores best outside of a part, on the part",
    )
    layer_splits: whole(1, 100_000) = Field(
        default=10, description="how many times the stimuli are split anew for the nested score"
    )
    memory_mb: whole(64, 100_000_000) = Field(
        default=512,
        description="megabytes that a bootstrap may work in, besides the RDMs and, for the scores"
        " of claims, all of their draws; it changes no number, and changing it reruns nothing",
    )

    def checks(self) -> Checks:
        """Check that there are draws enough for the interval."""
        yield self._enough_draws("bootstrap_draws")
        yield self._enough_draws("null_draws")

    def _enough_draws(self, key: str) -> Iterator[Mistake]:
        # a percentile needs at least one draw beyond it on either side
        needed = round(2 / (1 - self.interval))
        if getattr(self, key) < needed:
            yield Mistake(
                key,
                f"must be at least {needed} for an interval of {self.interval}, not"
                f" {getattr(self, key)}; raise it, or lower interval",
            )


class View(Closed):
    """One of the measured settings."""

    stimuli: str = Field(description="a stimulus set of `stimuli`")
    size: Pixels = Field(description="one of evaluation.sizes")
    descriptor: Descriptor = Field(description="one of evaluation.descriptors")
    centring: Literal["uncentred", "centred"] = Field(description="one of evaluation.centring")
