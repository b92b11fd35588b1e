"""What the jobs are told that show stimuli to frozen networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.provenance import fingerprint
from rulealign.settings import Settings

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class ActivationSettings(Settings):
    """What the forward passes of one rule's frozen networks use.

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
    def of(cls, study: Study, rule: str) -> Self:
        """Take the settings for the networks of one rule from a study."""
        from rulealign.plan.settings.training import CheckpointSettings  # not needed to read them

        return cls(
            checkpoint_settings_hash=fingerprint(CheckpointSettings.of(study, rule).plain()),
            mean=study.training.mean,
            std=study.training.std,
            layers=study.evaluation.layers,
            descriptors=study.evaluation.descriptors,
            batch_size=study.evaluation.batch_size,
            device=study.device,
        )
