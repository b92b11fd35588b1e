"""What a job is told: frozen classes of settings, written by the plan and read by the job."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Self, TypeVar

Narrow = TypeVar("Narrow", bound="Settings")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that one kind of job uses of the study, and no more.

    A subclass is a frozen dataclass in `plan/settings/`: its fields, and a class method `of(study,
    ...)` that takes them from the study. It computes nothing: what the fields hold is a param of
    the job, so the code of these classes is in no job's fingerprint.
    """

    def plain(self) -> dict[str, Any]:
        """Give the fields as nested dicts, lists, strings and numbers, as JSON has them.

        A field that is empty by default (`default_factory`) is told only where it is not: what a
        study does not ask for changes nothing of what its jobs are told.
        """
        told = [one for one in fields(self) if not _is_empty(getattr(self, one.name), one)]
        return {field.name: _plain(getattr(self, field.name)) for field in told}

    @classmethod
    def stage(cls) -> str:
        """Name what is told, for explanations: "training_set" of `TrainingSetSettings`."""
        return re.sub(r"(?<=.)(?=[A-Z])", "_", cls.__name__.removesuffix("Settings")).lower()

    def narrowed(self, kind: type[Narrow]) -> Narrow:
        """Give the fields that another class of settings has, as that class.

        Args:
            kind: a class with no other fields than this one, such as one that this one extends.

        Returns:
            Its settings.
        """
        return kind(**{field.name: getattr(self, field.name) for field in fields(kind)})

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what a plan wrote.

        Args:
            text: the fields as one JSON object.

        Returns:
            The settings.

        Raises:
            TypeError: a field is missing or unknown.
        """
        return cls(**json.loads(text))


class Sectioned(Settings):
    """Settings that hold sections of the configuration, or other settings: typed all the way."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read what a plan wrote, each section as its class.

        Args:
            text: the fields as one JSON object.

        Returns:
            The settings.

        Raises:
            pydantic.ValidationError: a field is missing, unknown or of another type.
        """
        from pydantic import TypeAdapter  # 0.2 s, which most jobs do without

        return TypeAdapter(cls).validate_json(text)


def _is_empty(value: Any, field: Field) -> bool:
    return field.default_factory is not MISSING and value == field.default_factory()


def _plain(value: Any) -> Any:
    if isinstance(value, Settings):
        return value.plain()
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
