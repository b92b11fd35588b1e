"""The stimulus bootstrap of every comparison of RDMs that a study may choose from, by name."""

from __future__ import annotations

import numpy as np

from rulealign.errors import ConfigurationError
from rulealign.rsa.bootstrap.draw_blocks import WORK_MB
from rulealign.rsa.bootstrap.products import bootstrap_products
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman
from rulealign.rsa.bootstrap.weighted_tau import bootstrap_tau
from rulealign.rsa.comparisons import COMPARISONS

_PRODUCTS = {
    "pearson": {"centred": True, "whitened": False},
    "cosine": {"centred": False, "whitened": False},
    "whitened_cosine": {"centred": False, "whitened": True},
    "whitened_pearson": {"centred": True, "whitened": True},
}


def bootstrap_comparison(
    name: str,
    models: np.ndarray,
    brains: np.ndarray,
    counts: np.ndarray,
    *,
    combine: np.ndarray | None = None,
    mask: np.ndarray | None = None,
    work_mb: float = WORK_MB,
    threads: int = 1,
) -> np.ndarray:
    """Compare every model RDM with every brain RDM in every resample of the stimuli.

    The same numbers as writing a resample out, leaving out pairs of a stimulus with itself, and
    comparing by `comparisons.COMPARISONS[name]`. Drawing every stimulus once is the plain score.

    Args:
        name: a key of `COMPARISONS`.
        models: shape (n_models, n_pairs); condensed RDMs.
        brains: shape (n_brains, n_pairs); of the same stimuli in the same order.
        counts: integer, shape (draws, n_stimuli); from `bootstrap.resample_counts`.
        combine: float64, shape (n_brains, n_scores); what is kept of each draw is
            `rho @ combine`, such as means over subjects. By default every comparison.
        mask: bool, shape (n_pairs,); which pairs are there to be drawn. By default all.
        work_mb: megabytes that Spearman works in; the others take what they need (see there).
        threads: resamples that are worked on at a time; changes nothing.

    Returns:
        float64, shape (draws, n_models, n_scores).

    Raises:
        ConfigurationError: there is no such comparison; names those there are.
        DataError: numbers of pairs and stimuli do not fit, an RDM is not finite, or it is constant,
            be it over the pairs of one resample; names it.
    """
    if name == "spearman":
        how = {"combine": combine, "mask": mask, "work_mb": work_mb, "threads": threads}
        return bootstrap_spearman(models, brains, counts, **how)
    if name == "kendall_tau_a":
        rho = bootstrap_tau(models, brains, counts, mask=mask, threads=threads)
    elif name in _PRODUCTS:
        how = {**_PRODUCTS[name], "mask": mask, "threads": threads}
        rho = bootstrap_products(models, brains, counts, **how)
    else:
        raise ConfigurationError(
            f"comparison '{name}': there is none of this name, but {', '.join(COMPARISONS)}."
        )
    return rho if combine is None else combined(rho, combine)


def combined(rho: np.ndarray, combine: np.ndarray) -> np.ndarray:
    """Sum comparisons with brains to scores, with the rounding of `bootstrap_spearman`.

    Args:
        rho: float64, shape (draws, n_models, n_brains).
        combine: float64, shape (n_brains, n_scores).

    Returns:
        float64, shape (draws, n_models, n_scores): `rho @ combine`, summed in the brains' order,
        as the rounding of a matrix product depends on the number of models.
    """
    scores = rho[:, :, :1] * combine[0]
    for brain in range(1, len(combine)):
        scores += rho[:, :, brain, np.newaxis] * combine[brain]
    return scores
