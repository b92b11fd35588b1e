"""What the jobs that join scores in tables are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.plan.settings.scores import LayerChoiceSettings, OverTimeSettings, ScoreSettings

if TYPE_CHECKING:
    from rulealign.arm import Mapped
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class AlignmentTableSettings(ScoreSettings):
    """What the table of alignments over all rules uses.

    Attributes:
        seeds: network -> rule -> the seeds that its means are over.
    """

    seeds: dict[str, dict[str, list[int]]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(**ScoreSettings.of(study).plain(), seeds=study.seeds_of_arms())


@dataclass(frozen=True, kw_only=True)
class LayersTableSettings(LayerChoiceSettings):
    """What the table of layers and ROIs uses.

    Attributes:
        layer_map: (network, layer, ROI) that were fixed before the run.
        seeds: network -> rule -> the seeds that its means are over.
    """

    layer_map: list[Mapped]
    seeds: dict[str, dict[str, list[int]]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            study_seed=study.seed,
            pairs=study.brain.pairs,
            layer_folds=study.statistics.layer_folds,
            layer_splits=study.statistics.layer_splits,
            layer_map=study.mapped(),
            seeds=study.seeds_of_arms(),
        )


@dataclass(frozen=True, kw_only=True)
class TrajectorySettings(ScoreSettings):
    """What the measures of alignment over training use.

    Attributes:
        layer_map: (network, layer, ROI) that were fixed before the run.
        seeds: network -> rule with two checkpoints or more -> its seeds.
        epochs: the same rules -> their checkpoints.
    """

    layer_map: list[Mapped]
    seeds: dict[str, dict[str, list[int]]]
    epochs: dict[str, list[int]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            **ScoreSettings.of(study).plain(),
            layer_map=study.mapped(),
            seeds=study.seeds_of_arms(study.trajectory_rules()),
            epochs={rule: study.epochs(rule) for rule in study.trajectory_rules()},
        )


@dataclass(frozen=True, kw_only=True)
class OverTimeTableSettings(OverTimeSettings):
    """What the table of scores over time uses.

    Attributes:
        seeds: network -> rule -> the seeds that its means are over.
    """

    seeds: dict[str, dict[str, list[int]]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(**OverTimeSettings.of(study).plain(), seeds=study.seeds_of_arms())


@dataclass(frozen=True, kw_only=True)
class BaselineSettings(ScoreSettings):
    """What the comparison of every trained rule with its baseline uses.

    Attributes:
        generalise_to: what the intervals generalise to: `stimuli`, `subjects` or `both`.
        layer_map: (network, layer, ROI) that were fixed before the run.
        baselines: network -> rule that trains it -> the rule's baseline.
    """

    generalise_to: str
    layer_map: list[Mapped]
    baselines: dict[str, dict[str, str]]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            **ScoreSettings.of(study).plain(),
            generalise_to=study.statistics.generalise_to,
            layer_map=study.mapped(),
            baselines={
                network: {
                    rule: baseline
                    for rule, baseline in study.baselines().items()
                    if rule in study.rules_of(network)
                }
                for network in study.networks
            },
        )
