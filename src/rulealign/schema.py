"""The building blocks of the typed, closed configuration."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

Label = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
"""A name that becomes part of file names: letters, digits and underscores, a letter first."""

HELD_OUT = "held-out"
"""The key of `copies` for held-out images that networks are trained on."""


def _no_boolean(value: Any) -> Any:
    # Python counts True as 1; text is allowed, since values of --config arrive as text
    if isinstance(value, bool):
        raise ValueError("must be a number, not true or false")
    return value


def _numbered(pattern: str) -> str:
    try:
        distinct = pattern.format(1) != pattern.format(2)
    except (IndexError, KeyError, ValueError):
        distinct = False
    if not distinct:
        raise ValueError(f"{pattern!r} has no place for the number, such as image_{{:02d}}")
    return pattern


Number = BeforeValidator(_no_boolean)
"""Marks a number, which true and false are not."""

MOST = 1_000_000
"""The largest number of anything countable that a study may ask for; more is a slip of the pen."""


def whole(least: int, most: int = MOST) -> Any:
    """Make the type of a whole number between two bounds.

    Args:
        least: the smallest.
        most: the largest; such that no study needs more, or that no machine could hold it.

    Returns:
        The type.
    """
    return Annotated[int, Field(ge=least, le=most), Number]


Count = whole(0)
Seed = whole(0, 2**63 - 1)
Finite = Annotated[float, Field(allow_inf_nan=False), Number]
PositiveInt = whole(1)
PositiveFloat = Annotated[float, Field(gt=0, allow_inf_nan=False), Number]
NonNegativeFloat = Annotated[float, Field(ge=0, allow_inf_nan=False), Number]
Fraction = Annotated[float, Field(ge=0, lt=1), Number]
Pixels = Annotated[whole(8, 1024), Field(description="pixels per side")]
Descriptor = Annotated[str, StringConstraints(pattern=r"^(global-average|grid-[1-9]\d*)$")]
IdPattern = Annotated[str, AfterValidator(_numbered)]
"""A pattern of stimulus ids, with a place for the number, counted from 1."""


def _distinct(values: list) -> list:
    repeated = [value for place, value in enumerate(values) if value in values[:place]]
    if repeated:
        raise ValueError(f"{repeated[0]!r} is listed twice")
    return values


Distinct = AfterValidator(_distinct)
"""Marks a list whose values must all differ."""


def chosen_by(choose: Callable[[Any], str], **variants: Any) -> Any:
    """Make a type of several variants, one of which is chosen by looking at the value.

    Without the choice, a mistake would be explained once for every variant.

    Args:
        choose: value -> name of a variant.
        variants: name -> type.

    Returns:
        The type.
    """
    tagged = [Annotated[kind, Tag(f"<{name}>")] for name, kind in variants.items()]
    discriminator = Discriminator(lambda value: f"<{choose(value)}>")
    return Annotated[functools.reduce(operator.or_, tagged), discriminator]


class Closed(BaseModel):
    """A section of the configuration: no unknown key, no missing key, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)
