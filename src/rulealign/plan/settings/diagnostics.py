"""What the table of diagnostics is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from rulealign.settings import Settings

if TYPE_CHECKING:
    from rulealign.config.study import Study


@dataclass(frozen=True, kw_only=True)
class DiagnosticsSettings(Settings):
    """What the judgement of how rules learned uses.

    Attributes:
        remedies: label of every rule -> which of its settings leaves fewer dead units.
    """

    remedies: dict[str, str]

    @classmethod
    def of(cls, study: Study) -> Self:
        """Take the settings from a study."""
        return cls(
            remedies={rule: section.fewer_dead_units() for rule, section in study.rules.items()}
        )
