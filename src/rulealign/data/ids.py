"""Stimulus ids that a study gives by a pattern, for files that name none themselves."""

from __future__ import annotations

from rulealign.errors import ConfigurationError, DataError
from rulealign.store import refuse_duplicates


def pattern_ids(pattern: str, count: int) -> list[str]:
    """Write out the ids that a pattern stands for.

    Args:
        pattern: a format string with one place for the number, such as `image_{:02d}`.
        count: how many ids; they are counted from 1.

    Returns:
        The ids, in order.

    Raises:
        ConfigurationError: the pattern has no place for the number, or is no format string.
    """
    try:
        ids = [pattern.format(number) for number in range(1, count + 1)]
        refuse_duplicates(ids, pattern)
    except (IndexError, KeyError, ValueError, AttributeError, DataError) as error:
        raise ConfigurationError(
            f"ids: '{pattern}' does not give every stimulus its own id ({error}); write one place"
            " for the number, such as image_{:02d}."
        ) from error
    return ids
