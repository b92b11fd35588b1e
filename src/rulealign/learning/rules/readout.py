"""A supervised readout on a conv stack that does not learn: the control of the local rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from rulealign.learning.readout import ReadoutRule, ReadoutSettings

if TYPE_CHECKING:
    from rulealign.learning.network import Network


class ReadoutOnlySettings(ReadoutSettings):
    """The settings of `readout`."""

    kind: Literal["readout"] = Field(description="only the linear layers learn, supervised")


class ReadoutOnly(ReadoutRule):
    """Keep the initial conv weights, and teach the readout by the gradient of the cross-entropy.

    What a rule that teaches the conv stack must exceed. BatchNorm's running statistics follow the
    training images; its scale and shift stay 1 and 0.
    """

    Settings = ReadoutOnlySettings
    control: ClassVar[str] = "untrained_bn"

    @classmethod
    def cannot_teach(cls, network: Network) -> str:
        """Say why it cannot teach a network; "" where it can."""
        return network.no_readout()
