"""The kinds of brain data: one file with one class each, and one line in this registry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.data.brain import Brain

REGISTRY: dict[str, str] = {
    "betas": "rulealign.data.brains.betas:Betas",
    "rdm-archive": "rulealign.data.brains.rdm_archive:RdmArchive",
    "simulated": "rulealign.data.brains.simulated:Simulated",
    "things": "rulealign.data.brains.things:ThingsFmri",
}


def brain_class(kind: str) -> type[Brain]:
    """Find the class of a kind of brain data.

    Args:
        kind: a key of `REGISTRY`.

    Returns:
        The class; importing it loads nothing that reads data.

    Raises:
        ConfigurationError: there is no such kind; lists those there are.
    """
    return registered(REGISTRY, kind, "kind of brain data")
