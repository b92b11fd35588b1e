"""The building blocks of the typed, closed configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""A name that becomes part of file names: letters, digits and underscores, a letter first."""

PositiveInt = Annotated[int, Field(gt=0)]
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
Pixels = Annotated[int, Field(ge=8, le=1024, description="pixels per side")]
Descriptor = Annotated[str, StringConstraints(pattern=r"^(global-average|grid-[1-9]\d*)$")]


def _distinct(values: list) -> list:
    repeated = [value for place, value in enumerate(values) if value in values[:place]]
    if repeated:
        raise ValueError(f"{repeated[0]!r} is listed twice")
    return values


Distinct = AfterValidator(_distinct)
"""Marks a list whose values must all differ."""


class Closed(BaseModel):
    """A section of the configuration: no unknown key, no missing key, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)
