"""Which settings the table of diagnostics uses: no more.

As in `stages`: typed study in, plain values out.
"""

from __future__ import annotations

from typing import Any

from rulealign.config.study import Study
from rulealign.plan import stages


def rules_settings(study: Study) -> dict[str, Any]:
    """Give the settings of every rule's training, of which a warning names those that help."""
    return {rule: stages.plain(settings) for rule, settings in study.rules.items()}
