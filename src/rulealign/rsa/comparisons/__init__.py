"""Comparisons of model and brain RDMs: one file for each family, one line here for each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rulealign.lazy import registered

if TYPE_CHECKING:
    from rulealign.rsa.comparison import Comparison

REGISTRY: dict[str, str] = {
    "spearman": "rulealign.rsa.comparisons.spearman:Spearman",
    "kendall_tau_a": "rulealign.rsa.comparisons.kendall:KendallTauA",
    "pearson": "rulealign.rsa.comparisons.products:Pearson",
    "whitened_pearson": "rulealign.rsa.comparisons.products:WhitenedPearson",
    "cosine": "rulealign.rsa.comparisons.products:Cosine",
    "whitened_cosine": "rulealign.rsa.comparisons.products:WhitenedCosine",
}


def comparison_class(name: str) -> type[Comparison]:
    """Find a comparison.

    Args:
        name: a key of `REGISTRY`.

    Returns:
        The class; importing it loads no numerical library.

    Raises:
        ConfigurationError: there is no such comparison; lists those there are.
    """
    return registered(REGISTRY, name, "comparison")
