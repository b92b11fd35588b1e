"""No learning."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from rulealign.learning.rule import LearningRule
from rulealign.learning.rule_settings import RuleSettings


class UntrainedSettings(RuleSettings):
    """The settings of `untrained`."""

    kind: Literal["untrained"] = Field(description="initial weights, identity BatchNorm")


class Untrained(LearningRule):
    """Keep the initial weights.

    BatchNorm keeps mean 0 and variance 1, which no trained network has: the matched control of a
    trained network is `untrained_bn`.
    """

    Settings = UntrainedSettings
    trains: ClassVar[bool] = False
