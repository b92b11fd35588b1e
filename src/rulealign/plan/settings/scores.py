"""What the jobs that compare RDMs are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.settings import Settings

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class NullSettings(Settings):
    """What a null from shuffled stimuli uses.

    Attributes:
        study_seed: of the study.
        null_draws: permutations of the stimuli.
        interval: coverage of the null's central interval, 0-1.
    """

    study_seed: int
    null_draws: int
    interval: float


@dataclass(frozen=True, kw_only=True)
class CeilingSettings(NullSettings):
    """What noise ceilings and their null use.

    Attributes:
        pairs: the pairs of stimuli that scores rest on: `all` or `cross_run`.
    """

    pairs: str

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            study_seed=study.seed,
            null_draws=study.statistics.null_draws,
            interval=study.statistics.interval,
            pairs=study.brain.pairs,
        )
