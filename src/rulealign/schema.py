"""The building blocks of the typed, closed configuration."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    ValidationInfo,
    WrapValidator,
    field_validator,
    model_validator,
)

from rulealign.mistakes import Checks, Mistakes, WrongKeyError, first_found, require_kind
from rulealign.wrong_values import shown

LONGEST_LABEL = 60
"""Characters: names of files hold two labels, and file systems allow 255 bytes."""


def _label(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", value):
        likely = re.sub(r"\W", "_", value, flags=re.ASCII).lstrip("_0123456789")
        remedy = f"; such as `{likely}`" if 0 < len(likely) <= LONGEST_LABEL else ""
        raise ValueError(
            f"{shown(value)} cannot be a label, which is made of letters, digits and underscores, a"
            f" letter first{remedy}"
        )
    if len(value) > LONGEST_LABEL:
        raise ValueError(
            f"{shown(value)} has {len(value)} characters, and a label, which becomes part of file"
            f" names, at most {LONGEST_LABEL}"
        )
    return value


Label = Annotated[str, AfterValidator(_label)]
"""A name that becomes part of file names: letters, digits and underscores, a letter first."""

HELD_OUT = "held-out"
"""The key of `copies` for held-out images that networks are trained on."""


def _no_boolean(value: Any) -> Any:
    # Python counts True as 1; text is allowed, since values of --config arrive as text
    if isinstance(value, bool):
        raise ValueError(f"must be a number, not {shown(value)}")
    return value


def _numbered(pattern: str) -> str:
    try:
        distinct = pattern.format(1) != pattern.format(2)
    except (IndexError, KeyError, ValueError):
        distinct = False
    if not distinct:
        raise ValueError(f"{shown(pattern)} has no place for the number, such as image_{{:02d}}")
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


def _descriptor(value: str) -> str:
    if not re.fullmatch(r"global-average|grid-[1-9]\d*", value):
        raise ValueError(f"there is no {shown(value)}; use global-average, or grid-4 for 4 x 4")
    return value


Descriptor = Annotated[str, AfterValidator(_descriptor)]
IdPattern = Annotated[str, AfterValidator(_numbered)]
"""A pattern of stimulus ids, with a place for the number, counted from 1."""


def _distinct(values: list) -> list:
    repeated = [value for place, value in enumerate(values) if value in values[:place]]
    if repeated:
        raise ValueError(f"{shown(repeated[0])} is listed twice; remove one")
    return values


Distinct = AfterValidator(_distinct)
"""Marks a list whose values must all differ."""


def _reason(words: str) -> str:
    if not re.search(r"\w+\W+\w+", words):
        raise ValueError(f"{shown(words)} is no reason; say why in two words or more")
    return words


Reason = Annotated[str, AfterValidator(_reason)]
"""A reason in words: two at least."""


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


def by_kind(what: str, *sections: type[Closed]) -> Any:
    """Make a type of several sections, one of which is chosen by its `kind`.

    Args:
        what: "brain data are one of", for the message where `kind` is none of them.
        sections: each with a literal `kind` of its own.

    Returns:
        The type.
    """
    kinds = {get_args(section.model_fields["kind"].annotation)[0]: section for section in sections}

    def known(values: Any) -> Any:
        if isinstance(values, Mapping):
            require_kind(values, kinds, what)
        return values

    def kind_of(values: Any) -> str:
        kind = values.get("kind") if isinstance(values, Mapping) else getattr(values, "kind", None)
        return kind if kind in kinds else next(iter(kinds))

    return Annotated[chosen_by(kind_of, **kinds), BeforeValidator(known)]


def each(kind: Any) -> Any:
    """Mark a mapping or list whose entries are read one by one, so that all mistakes are found.

    Args:
        kind: dict[label, type] or list[type].

    Returns:
        The type. While a study is read, an entry that is not understood becomes an empty section.
    """
    whole_type = list if get_origin(kind) is list else Mapping

    def entry_by_entry(values: Any, read: Callable[[Any], Any], info: ValidationInfo) -> Any:
        if values and isinstance(values, whole_type) and isinstance(info.context, Mistakes):
            return _entries(values, read, info.context)
        return read(values)

    return Annotated[kind, WrapValidator(entry_by_entry)]


def _entries(values: list | Mapping, read: Callable[[Any], Any], mistakes: Mistakes) -> Any:
    listed = isinstance(values, list)
    known: dict[Any, Any] = {}
    for place, value in enumerate(values) if listed else values.items():
        with mistakes.inside(place):
            try:
                entry = read([value] if listed else {place: value})
                known[place] = entry[0 if listed else place]
            except ValidationError as error:
                mistakes.add_errors(error, known_parts=1)
                known[place] = Closed.model_construct()
    return list(known.values()) if listed else known


_UNKNOWN = object()
"""Stands for a value that is missing or not understood, until its section is read."""


PaddingMode = Literal["zero", "reflect", "replicate", "mean"]
"""What is added around a training image before it is cropped."""


class Closed(BaseModel):
    """A section of the configuration: no unknown key, no missing key, nothing changed later.

    With `Mistakes` as the context of a validation, all mistakes are added to them, and sections
    lack what is not understood: use the result only where there are no mistakes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    def checks(self) -> Checks:
        """Check values of the section against each other; a subclass says which must fit.

        Returns:
            The mistakes that each check finds, with keys within the section.
        """
        return ()

    @model_validator(mode="wrap")
    @classmethod
    def _read_all(cls, values: Any, read: Callable[[Any], Any], info: ValidationInfo) -> Any:
        if not isinstance(info.context, Mistakes):
            section = read(values)
            if mistake := first_found(section.checks()):
                raise WrongKeyError(mistake)
            return section
        if not isinstance(values, Mapping):
            return read(values)
        fields = cls.model_fields
        required = [name for name, field in fields.items() if field.is_required()]
        unknown = {*required, *info.context.add_keys(values, fields, required)}
        names = [name for name in fields if name in values or name in unknown]
        section = read({name: values.get(name, _UNKNOWN) for name in names})
        for name in names:
            if section.__dict__[name] is _UNKNOWN:
                del section.__dict__[name]
        info.context.add_found(section.checks())
        return section

    @field_validator("*", mode="wrap", check_fields=False)
    @classmethod
    def _read_one(cls, value: Any, read: Callable[[Any], Any], info: ValidationInfo) -> Any:
        if not isinstance(info.context, Mistakes):
            return read(value)
        if value is _UNKNOWN:
            return value
        with info.context.inside(info.field_name):
            try:
                return read(value)
            except ValidationError as error:
                info.context.add_errors(error)
                return _UNKNOWN
