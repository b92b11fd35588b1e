"""Which settings each stage of the pipeline uses: no more, so that no other change touches it.

Each function takes the study (and the label, rule or ROI that the job is for) and returns plain
values: nested dicts, lists, strings and numbers, as JSON has them.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from rulealign.config.study import Study


def plain(section: BaseModel) -> dict[str, Any]:
    """Turn a typed section into plain values.

    Args:
        section: a section of the configuration.

    Returns:
        Nested dicts, lists, strings and numbers, as JSON has them.
    """
    return section.model_dump(mode="json")


def _without(settings: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in settings.items() if key not in keys}


def study(study: Study) -> dict[str, Any]:
    """Give all settings that say what is computed; where files and memory are is left out."""
    return _without(complete(study), "things")


def complete(study: Study) -> dict[str, Any]:
    """Give every setting, in its order, but mirrors and memory, which no result depends on."""
    settings = _without(plain(study), "data_mirrors")
    return settings | {"statistics": _without(settings["statistics"], "memory_mb")}


def source(section: Any) -> str | None:
    """Give the source of one section, or None where nothing is brought from outside."""
    return getattr(section, "source", None)
