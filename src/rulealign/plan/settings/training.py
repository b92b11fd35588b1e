"""What the jobs are told that make the training set, train networks and tell how they learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.arm import Arm
from rulealign.config.kinds import Network, Rule, TrainingSet
from rulealign.config.training import Recipe
from rulealign.plan.settings.images import StimuliSettings
from rulealign.schema import HELD_OUT
from rulealign.settings import Sectioned

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class TrainingSetSettings(Sectioned):
    """What making the training set uses.

    Attributes:
        training_set: the section.
        study_seed: of the study.
        copies_explained: whether the study says why held-out images are training images; None for
            a set that has no such copies.
    """

    training_set: TrainingSet
    study_seed: int
    copies_explained: bool | None

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study; another reason for copies trains nothing anew."""
        return cls(
            training_set=study.training_set,
            study_seed=study.seed,
            copies_explained=HELD_OUT in study.copies if study.training_set.may_repeat else None,
        )


@dataclass(frozen=True, kw_only=True)
class CheckpointSettings(Sectioned):
    """What training and diagnostics of one arm use: all but which seeds and epochs are kept.

    Attributes:
        arm: labels of the network and the rule.
        network: the section.
        training: the section, without seeds and checkpoints.
        rule: the rule's section, without its baseline and its networks.
        training_set: the section.
        calibration: of the calibration set that the rule is prepared with, if any.
        study_seed: of the study.
        device: where networks run.
    """

    arm: Arm
    network: Network
    training: Recipe
    rule: Rule
    training_set: TrainingSet
    calibration: StimuliSettings | None
    study_seed: int
    device: str

    @classmethod
    def of(cls, study: Study, arm: Arm) -> Self:
        """Take the settings of one network under one rule from a study."""
        asked = study.calibration_set(arm.rule)
        return cls(
            arm=arm,
            network=study.networks[arm.network],
            training=study.training.recipe(),
            rule=study.rules[arm.rule].alone(arm.network, study.networks[arm.network]),
            training_set=study.training_set,
            calibration=StimuliSettings.of(study, asked[0]) if asked else None,
            study_seed=study.seed,
            device=study.device,
        )
