"""Words for a wrong value: what was written, what is allowed, and what was probably meant."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

LONGEST = 80
"""Characters of a value that a message shows; of a list of what is allowed, twice as many."""

_NUMBERS = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "int_parsing_size": "a shorter number",
    "finite_number": "a finite number",
    "greater_than": "above {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "below {lt}",
    "less_than_equal": "at most {le}",
}
_SECTION = dict.fromkeys(
    ("dict_type", "model_type", "model_attributes_type"), "a section of keys and values"
)
_ALLOWED = {
    **_NUMBERS,
    **_SECTION,
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "text",
    "string_too_short": "text of {min_length} or more characters",
    "list_type": "a list, such as [a, b]",
    "literal_error": "{expected}",
    "too_short": "a {form} of at least {min_length}",
    "too_long": "a {form} of at most {max_length}",
}
"""Kind of a mistake, as pydantic names it -> what is allowed there."""


def must_be(details: list[Mapping[str, Any]]) -> str:
    """Say what a value must be.

    Args:
        details: what pydantic says of the value, once per type that it may have.

    Returns:
        A sentence without its full stop.
    """
    first = details[0]
    allowed = dict.fromkeys(_allowed(detail) for detail in details)
    return f"must be {' or '.join(allowed)}, not {shown(first['input'])}{_remedy(first)}"


def _allowed(detail: Mapping[str, Any]) -> str:
    phrase = _ALLOWED.get(detail["type"], "another value, see docs/configuration.md")
    limits = {name: _written(limit) for name, limit in detail.get("ctx", {}).items()}
    form = "section" if isinstance(detail["input"], Mapping) else "list"
    return phrase.format_map({**limits, "form": form})


def _written(limit: Any) -> Any:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _remedy(detail: Mapping[str, Any]) -> str:
    kind, value = detail["type"], detail["input"]
    if kind == "literal_error":
        return meant(value, re.findall(r"'([^']*)'", detail["ctx"]["expected"]))
    if kind == "string_type" and not isinstance(value, list | dict | None):
        return f"; put it in quotes: '{shown(value)}'"
    if kind == "dict_type" and value is None:
        return "; write {} for none"
    if kind in _NUMBERS and (number := re.match(r"\s*([-+.\d]+)\s*[^\d\s]+\s*$", str(value))):
        return f"; write {number[1]} without a unit"
    return ""


def no_such(value: Any, allowed: Iterable[Any], where: str) -> str:
    """Say that a name is none of those there are.

    Args:
        value: the name, or number.
        allowed: those there are.
        where: what has them, with its verb: "brain.rois lists".

    Returns:
        A sentence without its full stop.
    """
    listed = list(allowed)
    return f"there is no {shown(value)}; {where} {shown(listed, 2 * LONGEST)}{meant(value, listed)}"


def meant(value: Any, allowed: Iterable[Any]) -> str:
    """Ask whether the nearest allowed name was meant; "" where none is near."""
    found = nearest(value, allowed)
    return "" if found is None else f"; did you mean '{found}'?"


def nearest(value: Any, allowed: Iterable[Any]) -> str | None:
    """Find the allowed name that is written most like a value.

    Args:
        value: what was written.
        allowed: names.

    Returns:
        The name; None where none is near, or the value is no text.
    """
    if not isinstance(value, str):
        return None
    names = {_plain(name): name for name in allowed if isinstance(name, str)}
    found = get_close_matches(_plain(value), names, n=1)
    return names[found[0]] if found else None


def _plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name.lower())


def shown(value: Any, longest: int = LONGEST) -> str:
    """Write a value as YAML has it, cut.

    Args:
        value: anything, however large.
        longest: characters that are left.

    Returns:
        The text; "..." stands for what is cut.
    """
    text = _short.repr(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxdict, self.maxlist = 3, 4, 20
        self.maxstring = self.maxlong = LONGEST

    def repr_NoneType(self, value: None, level: int) -> str:
        return "null"

    def repr_bool(self, value: bool, level: int) -> str:
        return str(value).lower()


_short = _Short()
