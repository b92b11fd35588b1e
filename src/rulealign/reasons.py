"""Why a result goes without a value: such a text stands in tables, so that it counts as code."""

from __future__ import annotations

from rulealign.errors import DataError


class MissingValue(DataError):
    """A value does not exist; where a table can go without it, the reason stands in its place.

    The texts of other errors are told to users only: they reach no result, and rewording one runs
    nothing again (see `rerun.messages`).

    Args:
        reason: a clause without a full stop.
        more: what users are told after it, in an error.

    Attributes:
        reason: as given.
    """

    def __init__(self, reason: str, more: str = ".") -> None:
        super().__init__(f"{reason}{more}")
        self.reason = reason
