"""The mistakes of a study: all of them at once, each with the key as it stands in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from pydantic import ValidationError

from rulealign.wrong_values import LONGEST, must_be, nearest, no_such, shown


class Mistake(NamedTuple):
    """What is wrong at one place of a study.

    Attributes:
        key: the place, such as rules.bp.learning_rate; "" for the section that is looked at.
        text: what is wrong, what is allowed, and the remedy.
    """

    key: str
    text: str


Checks = Iterable["Mistake | Checks"]
"""Mistakes, and checks that find some; each check is an iterator of its own."""


class WrongKeyError(ValueError):
    """A mistake that lies at a key of the section that is looked at.

    Args:
        mistake: the mistake.
    """

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(f"{mistake.key}: {mistake.text}")
        self.mistake = mistake


class Mistakes:
    """Gathers mistakes while a study is read, from section to section.

    Args:
        values: the study as it is written, which may be shorter than the sections that are read.

    Attributes:
        found: the mistakes, in the order of the sections.
    """

    def __init__(self, values: Any = None) -> None:
        self.found: list[Mistake] = []
        self._values = values
        self._place: list[str] = []

    @contextmanager
    def inside(self, key: object) -> Iterator[None]:
        """Take what is added meanwhile as lying within a key, a label or a place of a list.

        Args:
            key: the key.
        """
        self._place.append(str(key))
        try:
            yield
        finally:
            self._place.pop()

    def add(self, key: str, text: str) -> None:
        """Add one mistake.

        Args:
            key: within the section that is being read.
            text: what is wrong.
        """
        place = _as_written([*self._place, *filter(None, key.split("."))], self._values)
        mistake = Mistake(".".join(place) or "the study", text)
        if mistake not in self.found:
            self.found.append(mistake)

    def add_keys(self, values: Mapping, known: Iterable[str], required: Iterable[str]) -> set[str]:
        """Add the unknown and the missing keys of a section; a misspelt key is one mistake.

        Args:
            values: the section.
            known: the keys that it may have.
            required: those that it must have.

        Returns:
            The keys that misspelt ones were probably meant to be.
        """
        meant: set[str] = set()
        absent = [key for key in known if key not in values]
        missing = [key for key in required if key in absent]
        for key in values:
            if key not in known:
                likely = nearest(key, missing) or nearest(key, absent)
                missing = [other for other in missing if other != likely]
                meant |= {likely} if likely else set()
                self.add(str(key), _unknown(likely, values[key]))
        for key in missing:
            self.add(key, "missing, and has no default; see docs/configuration.md")
        return meant

    def add_errors(self, error: ValidationError, known_parts: int = 0) -> None:
        """Add what pydantic found in one value.

        Args:
            error: what it raised.
            known_parts: how many parts of each place this object is inside of already.
        """
        places: dict[str, list[Mapping[str, Any]]] = {}
        for detail in error.errors(include_url=False):
            # what is no place in a list is pydantic's name of a type that it tried
            parts = [str(part) for part in detail["loc"][known_parts:] if isinstance(part, int)]
            places.setdefault(".".join(parts), []).append(detail)
        for key, details in places.items():
            raised = details[0].get("ctx", {}).get("error")
            if isinstance(raised, WrongKeyError):
                self.add(*raised.mistake)
            elif details[0]["loc"][-1:] == ("[key]",) and raised is None:
                self.add(key, "a label must be text; put it in quotes")
            else:
                self.add(key, str(raised) if raised else must_be(details))

    def add_found(self, checks: Checks) -> None:
        """Add what checks of the section that is being read find.

        Each check goes as far as the values that it looks at are known.

        Args:
            checks: the checks.
        """
        for found in self._as_far_as_known(checks):
            if isinstance(found, Mistake):
                self.add(*found)
            else:
                self.add_found(found)

    def _as_far_as_known(self, items: Iterable) -> Iterator:
        try:
            yield from items
        except AttributeError:  # a value that is itself mistaken was left out of its section
            if not self.found:
                raise


def _as_written(place: Iterable[str], values: Any) -> Iterator[str]:
    """Leave out what the file does not state: `V1: [V1]` is short for a section with a `union`."""
    for part in place:
        if isinstance(values, list):
            if not part.isdigit():
                continue
            values = values[int(part)]
        elif isinstance(values, Mapping):
            values = {str(key): value for key, value in values.items()}.get(part)
        elif values is not None:
            continue
        yield part if len(part) <= LONGEST else f"{part[: LONGEST - 3]}..."


def first_found(checks: Checks) -> Mistake | None:
    """Give the first mistake that checks find; None where all is well.

    Args:
        checks: the checks.

    Returns:
        The mistake, with its key within the section.
    """
    for found in checks:
        mistake = found if isinstance(found, Mistake) else first_found(found)
        if mistake:
            return mistake
    return None


def require(key: str, value: Any, allowed: Iterable[Any], where: str) -> Iterator[Mistake]:
    """Check that a name, or a number, is one of those there are.

    Args:
        key: where it is written.
        value: the name.
        allowed: those there are.
        where: what has them, with its verb: "brain.rois lists".

    Yields:
        The mistake, where there is one.
    """
    listed = list(allowed)
    if value not in listed:
        yield Mistake(key, no_such(value, listed, where))


def _unknown(likely: str | None, value: Any) -> str:
    remedy = f"did you mean `{likely}`?" if likely else "see docs/configuration.md"
    return f"unknown key (value {shown(value)}); {remedy}"


def require_kind(values: Mapping, kinds: Iterable[str], what: str) -> None:
    """Refuse a section whose `kind` does not tell which keys it may have.

    Args:
        values: the section.
        kinds: the kinds there are.
        what: of what, for the message: "learning rule".

    Raises:
        WrongKeyError: at `kind`, or at the key that it was misspelt as.
    """
    listed = list(kinds)
    likely = next((key for key in values if nearest(key, ["kind"])), None)
    if likely is None:
        raise WrongKeyError(Mistake("kind", f"missing; it is one of {shown(listed)}"))
    if likely != "kind":
        raise WrongKeyError(Mistake(str(likely), _unknown("kind", values[likely])))
    if values["kind"] not in listed:
        raise WrongKeyError(Mistake("kind", no_such(values["kind"], listed, what)))
