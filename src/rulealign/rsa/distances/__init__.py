"""Distances between response patterns: one file with one class each, one line here for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.rsa.distance import Distance

REGISTRY: dict[str, str] = {
    "correlation": "rulealign.rsa.distances.correlation:Correlation",
    "euclidean": "rulealign.rsa.distances.euclidean:Euclidean",
    "crossnobis": "rulealign.rsa.distances.crossnobis:Crossnobis",
}


def distance_class(name: str) -> type[Distance]:
    """Find the class of a distance.

    Args:
        name: a key of `REGISTRY`.

    Returns:
        The class; importing it loads no numerical library.

    Raises:
        ConfigurationError: there is no such distance; lists those there are.
    """
    return registered(REGISTRY, name, "distance")
