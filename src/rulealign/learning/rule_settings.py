"""The settings that learning rules have in common, checked without torch."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple, Self

from pydantic import Field

from rulealign.choices import chosen_by
from rulealign.schema import Closed, Distinct, Label

if TYPE_CHECKING:
    from rulealign.learning.network import Network

TRAINING = "training"
"""What `images` is where a rule is prepared with the training images of its seed."""


def _shape(values: Any) -> str:
    shapes = {"list": list, "by_network": Mapping}
    return next((name for name, kind in shapes.items() if isinstance(values, kind)), "one")


def for_each_block(kind: Any) -> Any:
    """Make the type of a setting with one value for each conv block of a network.

    Args:
        kind: of a value.

    Returns:
        The type: one value for all blocks, a list with one for each, or network -> its list.
    """
    return chosen_by(_shape, one=kind, list=list[kind], by_network=dict[Label, list[kind]])


class Calibration(NamedTuple):
    """Which images a rule's `prepare` is shown.

    Attributes:
        images: `TRAINING`, or a label of the study's section `calibration`.
        size: pixels per side, one of evaluation.sizes; None: as the training images are stored.
        count: how many, drawn by the seed; None: all.
        augment: whether they come as training deals them: in batches, flipped and cropped.
        padding: settings of training that hold for these batches instead: `crop_padding`,
            `padding_mode`.
    """

    images: str = TRAINING
    size: int | None = None
    count: int | None = None
    augment: bool = False
    padding: Mapping[str, int | str] = MappingProxyType({})


class RuleSettings(Closed):
    """The settings that every rule has."""

    per_block: ClassVar[tuple[str, ...]] = ()
    """Settings that have one value for each conv block of the network."""

    kind: str = Field(description="the rule's name in the registry")
    init: Literal["default", "kaiming-normal"] = Field(
        default="default",
        description="initial conv weights: PyTorch's default (uniform, standard deviation"
        " 1/sqrt(3 inputs)), the same for every rule of a seed; or normal, standard deviation"
        " sqrt(2/inputs), 2.4 times as large, as some rules were published with",
    )

    baseline: Label | None = Field(
        default=None,
        description="what a trained rule is compared with first, at the same epoch: a label of"
        " `rules` with the same `init`, which may train, too; one that does not has epoch 0 alone."
        " Changes no training",
    )

    networks: Annotated[list[Label], Field(min_length=1), Distinct] | None = Field(
        default=None,
        description="labels of the `networks` that the rule trains; null: all. Changes no training",
    )

    @property
    def calibration(self) -> Calibration:
        """Which images `prepare` is shown; a rule that has settings for it overrides this."""
        return Calibration()

    @property
    def has_one_state(self) -> bool:
        """Whether no network of it changes, although its kind may: epoch 0 is all there is."""
        return False

    def alone(self, label: str, network: Network) -> Self:
        """Give what training one network uses of the settings, so that others change nothing of it.

        Args:
            label: of the network.
            network: its section.

        Returns:
            Settings without baseline and networks, with a list wherever there are values per block.
        """
        lists = {key: self.of_blocks(key, label, network) for key in self.per_block}
        return self.model_copy(update={"baseline": None, "networks": None, **lists})

    def of_blocks(self, key: str, label: str, network: Network) -> list:
        """Give the values of one setting per block for a network; [] where none are stated for it.

        Args:
            key: one of `per_block`.
            label: of the network.
            network: its section.

        Returns:
            The values; whether they are as many as the network's blocks, the configuration checks.
        """
        values = getattr(self, key)
        if isinstance(values, Mapping):
            return list(values.get(label, []))
        return values if isinstance(values, list) else [values] * len(network.blocks())

    def fewer_dead_units(self) -> str:
        """Say what leaves fewer dead units in linear layers; "" where nothing is known to."""
        return ""
