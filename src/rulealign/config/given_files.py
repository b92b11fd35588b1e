"""Which files hold the models of a study that were made elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rulealign.config.study import Study


def values_of_places(study: Study, network: str) -> dict[str, Sequence[object]]:
    """Give what may stand in names of files: place -> all values that a study has for it."""
    return {
        "stimuli": list(study.stimuli),
        "size": study.evaluation.sizes,
        "layer": study.layers(network),
        "centring": study.evaluation.centring,
    }


def given_files(study: Study, rule: str) -> list[str]:
    """List the user's own files of one rule: its table, and those of its models, each once."""
    settings, found = study.rules[rule], dict.fromkeys(study.rules[rule].own_files)
    for model in settings.models(rule):
        values = values_of_places(study, model.network)
        found |= dict.fromkeys(settings.files(model.file, values))
    return list(found)
