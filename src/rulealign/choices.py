"""Types of which a study chooses a variant: by its look, by its `kind`, or by its name."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Tag, ValidationInfo

from rulealign.mistakes import Mistake, Mistakes, WrongKeyError, require_kind
from rulealign.schema import Closed
from rulealign.wrong_values import no_such, shown


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


def of_registry(what: str, kinds: Iterable[str], find: Callable[[str], type[Closed]]) -> Any:
    """Make the type of a section whose `kind` is one of a registry's.

    No module of a kind that the study does not use is imported.

    Args:
        what: "networks are one of", for the message where `kind` is none of them.
        kinds: the kinds there are.
        find: kind -> the class of its section.

    Returns:
        The type.
    """

    def read(section: Any, info: ValidationInfo) -> Closed:
        if isinstance(section, Closed):
            return section
        if not isinstance(section, Mapping):
            raise ValueError(f"must be a section with its `kind`, not {shown(section)}")
        require_kind(section, kinds, what)
        return find(section["kind"]).model_validate(dict(section), context=info.context)

    return Annotated[Any, BeforeValidator(read)]


def named_in(what: str, kinds: Iterable[str], find: Callable[[str], type[Closed]]) -> Any:
    """Make the type of a section that is written as its name, or as {name: settings}.

    Args:
        what: "distances are", for the message where the name is none of them.
        kinds: the names there are.
        find: name -> the class of its section, whose `short` says what it is.

    Returns:
        The type.
    """

    def read(value: Any, info: ValidationInfo) -> Closed:
        if isinstance(value, Closed):
            return value
        one = isinstance(value, Mapping) and len(value) == 1
        name, settings = next(iter(value.items())) if one else (value, {})
        if not isinstance(name, str) or name not in kinds:
            raise WrongKeyError(Mistake(str(name) if one else "", no_such(name, kinds, what)))
        if not isinstance(info.context, Mistakes):
            return find(name).model_validate(settings)
        with info.context.inside(name):
            return find(name).model_validate(settings, context=info.context)

    return Annotated[Any, BeforeValidator(read)]
