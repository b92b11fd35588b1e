"""The noise ceiling of an ROI, with the null of its bounds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial.distance import squareform
from scipy.stats import rankdata

from rulealign.errors import DataError
from rulealign.provenance import derive_seed
from rulealign.rsa.bootstrap import percentile_interval
from rulealign.rsa.brain_rdms import BrainRdms
from rulealign.rsa.compare import ALL_PAIRS, PER_SUBJECT, ranks, standardise


def nili_bounds(subjects: np.ndarray) -> tuple[float, float]:
    """Bound the score that the true model would reach, from how far subjects agree.

    Lower: the mean over subjects of Spearman's rho between a subject's RDM and the mean RDM of
    the others. Upper: the same with the mean of all, the subject included. Means are of the
    dissimilarities themselves (Nili et al. 2014, PLoS Comput Biol 10:e1003553), not of their
    ranks, which gives other numbers. For scores of the convention `per_subject` only. With few
    subjects the upper bound is high even where they agree by chance: see `null_bounds`.

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.

    Returns:
        Lower and upper bound.

    Raises:
        DataError: there are fewer than 2 subjects, or an RDM is constant or not finite.
    """
    _require_two(len(subjects))
    return _bounds(subjects, standardise(ranks(subjects)))


def _require_two(n_subjects: int) -> None:
    if n_subjects < 2:
        raise DataError(
            f"a noise ceiling needs at least 2 subjects, there is {n_subjects}: it measures how far"
            " they agree."
        )


def _bounds(subjects: np.ndarray, standardised_ranks: np.ndarray) -> tuple[float, float]:
    others = [np.delete(subjects, place, axis=0).mean(axis=0) for place in range(len(subjects))]
    means = standardise(rankdata([*others, subjects.mean(axis=0)], axis=1))
    lower = np.einsum("sp,sp->s", standardised_ranks, means[:-1]).mean()
    upper = (standardised_ranks @ means[-1]).mean()
    return float(lower), float(upper)


def null_bounds(subjects: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """Draw both bounds under the null that subjects share nothing but their distributions.

    The stimulus labels are shuffled, independently per subject: rows and columns together, so
    that the dependence among a stimulus' pairs stays. The null of the lower bound lies around 0;
    that of the upper bound does not, as every subject is part of the mean (.24 at 15 subjects).

    Args:
        subjects: float64, shape (n_subjects, n_pairs); condensed RDMs.
        draws: number of permutations.
        seed: of the permutations.

    Returns:
        float64, shape (draws, 2); lower and upper bound of each draw.

    Raises:
        DataError: there are fewer than 2 subjects, or an RDM is constant or not finite.
    """
    _require_two(len(subjects))
    generator = np.random.default_rng(seed)
    # ranks of a permuted RDM are the permuted ranks; only means need ranking anew
    values = _Shuffled(subjects)
    ranked = _Shuffled(standardise(ranks(subjects)))
    null = np.empty((draws, 2))
    for draw in range(draws):
        places = values.draw_places(generator)
        null[draw] = _bounds(values.at(places), ranked.at(places))
    return null


class _Shuffled:
    """Condensed RDMs whose stimuli can be permuted, each RDM's by its own permutation."""

    def __init__(self, rdms: np.ndarray) -> None:
        self._squares = np.stack([squareform(rdm, checks=False) for rdm in rdms])
        self._n = self._squares.shape[1]
        self._first, self._second = np.triu_indices(self._n, 1)

    def draw_places(self, generator: np.random.Generator) -> np.ndarray:
        order = np.tile(np.arange(self._n), (len(self._squares), 1))
        order = generator.permuted(order, axis=1)
        return order[:, self._first] * self._n + order[:, self._second]

    def at(self, places: np.ndarray) -> np.ndarray:
        flat = self._squares.reshape(len(self._squares), -1)
        return np.take_along_axis(flat, places, axis=1)


def ceiling_table(brain: BrainRdms, settings: dict[str, Any]) -> pd.DataFrame:
    """Make the row of `statistics/ceilings.csv` for one ROI.

    Args:
        brain: the subjects' RDMs of the ROI.
        settings: `study_seed`, `null_draws` and `interval` (coverage).

    Returns:
        One row: the bounds, the mean and the upper end of the central interval of their nulls,
        and `informative`: whether both bounds lie above those ends.

    Raises:
        DataError: there are fewer than 2 subjects, or an RDM is constant or not finite; names the
            ROI.
    """
    lower, upper = nili_bounds(brain.rdms)
    seed = derive_seed(settings["study_seed"], brain.roi, "noise ceiling null")
    null = null_bounds(brain.rdms, settings["null_draws"], seed)
    _, (lower_high, upper_high) = percentile_interval(null, settings["interval"])
    row = {
        "roi": brain.roi,
        "convention": PER_SUBJECT,
        "pairs": ALL_PAIRS,
        "distance": brain.distance,
        "acquisition": brain.acquisition,
        "repetitions": brain.repetitions,
        "n_subjects": len(brain.subjects),
        "n_stimuli": len(brain.ids),
        "lower": lower,
        "upper": upper,
        "null_lower_mean": null[:, 0].mean(),
        "null_lower_high": lower_high,
        "null_upper_mean": null[:, 1].mean(),
        "null_upper_high": upper_high,
        "informative": bool(upper > upper_high and lower > lower_high),
    }
    return pd.DataFrame([row])
