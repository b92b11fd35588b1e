"""What the jobs are told that show stimuli to frozen networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.provenance import fingerprint
from rulealign.settings import Settings

if TYPE_CHECKING:
    from rulealign.arm import Arm
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class GivenActivationSettings(Settings):
    """What taking over activations that were computed elsewhere uses.

    Attributes:
        layers: that are read.
        ids: a text file with the stimuli in the order of the rows; None: each file names them.
    """

    layers: list[str]
    ids: str | None

    @classmethod
    def of(cls, study: Study, arm: Arm) -> Self:
        """Take the settings for the networks of one arm from a study."""
        return cls(layers=study.layers(arm.network), ids=study.rules[arm.rule].ids)


@dataclass(frozen=True, kw_only=True)
class GivenModelRdmSettings(GivenActivationSettings):
    """What taking over RDMs that were computed elsewhere uses.

    Attributes:
        centring: of the study: `centred`, `uncentred`.
    """

    centring: list[str]

    @classmethod
    def of(cls, study: Study, arm: Arm) -> Self:
        """Take the settings for the networks of one arm from a study."""
        own = GivenActivationSettings.of(study, arm).plain()
        return cls(**own, centring=study.evaluation.centring)


@dataclass(frozen=True, kw_only=True)
class ActivationSettings(Settings):
    """What the forward passes of the frozen networks of one arm use.

    Attributes:
        checkpoint_settings_hash: of the settings that a checkpoint must have been trained with;
            None accepts any.
        mean: RGB mean that the networks were trained with, pixel values 0-1.
        std: RGB standard deviation, likewise.
        layers: that are read.
        descriptors: of layers with positions.
        batch_size: images per pass.
        device: where networks run.
    """

    checkpoint_settings_hash: str | None
    mean: list[float]
    std: list[float]
    layers: list[str]
    descriptors: list[str]
    batch_size: int
    device: str

    @classmethod
    def of(cls, study: Study, arm: Arm) -> Self:
        """Take the settings for the networks of one arm from a study."""
        from rulealign.plan.settings.training import CheckpointSettings  # not needed to read them

        return cls(
            checkpoint_settings_hash=fingerprint(CheckpointSettings.of(study, arm).plain()),
            mean=study.training.mean,
            std=study.training.std,
            layers=study.layers(arm.network),
            descriptors=study.evaluation.descriptors,
            batch_size=study.evaluation.batch_size,
            device=study.device,
        )
