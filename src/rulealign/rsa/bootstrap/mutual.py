"""What stimuli of two folds do to a score in pairs: each is in the fit that predicts the other.

Held-out errors are not independent: stimulus i is in the fit that predicts j, and j in the one that
predicts i, so that the noise of both enters both errors. With h_ij what i does to the score through
the prediction of j, less its means over i and over j (Hoeffding's decomposition), the score less
what its very fits reach on new stimuli is a sum of parts a_j of single stimuli and of all h_ij with
i and j in different folds. Its variance is

    sum_j var(a_j) + sum_(i < j) (h_ij + h_ji)^2
        = [sum_j var(a_j) + sum_ij h_ij^2] + sum_ij h_ij h_ji.

What is in brackets is the variance of held-out errors as they are, which resamples give; the last
sum is lost on them. With many features and little signal it is as large as the first.

Sources: Hoeffding 1948, Annals of Mathematical Statistics 19:293; that naive intervals of
cross-validation are too narrow, Bates, Hastie & Tibshirani 2023, JASA 119:1434.
"""

from __future__ import annotations

import numpy as np

from rulealign.provenance import derive_seed

PROBES = 500
"""Random vectors by which sums over pairs are kept, so that scores can still be subtracted."""


def probes(study_seed: int, n_stimuli: int) -> np.ndarray:
    """Draw the signs that all scores of a study share.

    Args:
        study_seed: the study's seed.
        n_stimuli: number of stimuli.

    Returns:
        float64, shape (2, PROBES, n_stimuli); 1 or -1.
    """
    generator = np.random.default_rng(derive_seed(study_seed, "mutual influence", n_stimuli))
    return generator.choice([-1.0, 1.0], size=(2, PROBES, n_stimuli))


def probed(influence: np.ndarray, folds: np.ndarray, signs: np.ndarray) -> np.ndarray:
    """Keep so much of mutual influences that their sum over pairs can be told.

    With z and w of random signs, z'Hw times w'Hz has the mean sum_ij h_ij h_ji; both are linear in
    H, so that a difference of scores has those of its influences.

    Args:
        influence: float64, shape (n_scores, n_stimuli, n_stimuli); what the first stimulus in
            training does to the score through the prediction of the second. Means over both are
            removed here.
        folds: int, shape (n_stimuli,); only stimuli of different folds have an influence.
        signs: of `probes`.

    Returns:
        float64, shape (2 PROBES, n_scores): all z'Hw, then all w'Hz.
    """
    apart = (folds[:, None] != folds).astype(np.float64)
    number = apart.sum(axis=1)
    own, whole = influence * apart, (influence * apart).sum(axis=(1, 2)) / apart.sum()
    rows, columns = own.sum(axis=2) / number, own.sum(axis=1) / number
    means = rows[:, :, None] + columns[:, None, :] - whole[:, None, None]
    centred = own - means * apart
    z, w = signs
    sides = [((one @ centred) * other).sum(axis=2) for one, other in ((z, w), (w, z))]
    return np.concatenate(sides, axis=1).T


def mutual_variance(probed: np.ndarray) -> np.ndarray:
    """Estimate the variance that scores have by mutual influences, which resamples do not show.

    Args:
        probed: of `probed`, shape (2 PROBES, ...).

    Returns:
        float64, shape (...); below 0 now and then.
    """
    half = len(probed) // 2
    return (probed[:half] * probed[half:]).mean(axis=0)
