"""Sections of which a study chooses the kind from a registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from rulealign.data.training_sets import REGISTRY as TRAINING_SETS
from rulealign.data.training_sets import training_set_class
from rulealign.learning.networks import REGISTRY as NETWORKS
from rulealign.learning.networks import network_class
from rulealign.learning.rules import REGISTRY as RULES
from rulealign.learning.rules import rule_class
from rulealign.mistakes import require_kind
from rulealign.schema import Closed
from rulealign.wrong_values import shown


def _of_registry(what: str, registry: Mapping[str, str], find: Callable[[str], type]) -> Any:
    # no module of a kind that the study does not use is imported
    def read(settings: Any, info: ValidationInfo) -> Closed:
        if isinstance(settings, Closed):
            return settings
        if not isinstance(settings, Mapping):
            raise ValueError(f"must be a section with its `kind`, not {shown(settings)}")
        require_kind(settings, registry, what)
        return find(settings["kind"]).model_validate(dict(settings), context=info.context)

    return Annotated[Any, BeforeValidator(read)]


Network = _of_registry("networks are one of", NETWORKS, network_class)
TrainingSet = _of_registry("a training set is one of", TRAINING_SETS, training_set_class)
Rule = _of_registry("learning rules are one of", RULES, lambda kind: rule_class(kind).Settings)
