"""Ways of holding networks against the brain in universes: one file and one line for each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.claims.measure import Measure

REGISTRY: dict[str, str] = {
    "rsa": "rulealign.claims.measures.rsa:Rsa",
    "encoding": "rulealign.claims.measures.encoding:Encoding",
    "cka": "rulealign.claims.measures.cka:Cka",
}

MEASURES = tuple(REGISTRY)
"""Names of all measures, as the axis `measure` lists them."""


def measure_class(name: str) -> type[Measure]:
    """Find a measure.

    Args:
        name: a key of `REGISTRY`.

    Returns:
        The class; importing it loads no numerical library.

    Raises:
        ConfigurationError: there is no such measure; lists those there are.
    """
    return registered(REGISTRY, name, "measure")
