"""Spearman scores in both conventions against scipy and rsatoolbox."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from rulealign.errors import GuardError
from rulealign.rsa.compare import (
    CONVENTIONS,
    convention_weights,
    ranks,
    require_same_convention,
    spearman_matrix,
    with_mean,
)


@pytest.fixture(scope="module")
def rdms():
    """Give 4 models and 3 brains of 9 stimuli; half of the models with many ties."""
    rng = np.random.default_rng(0)
    brains = rng.random((3, 36))
    models = rng.random((4, 36)) + 0.5 * brains[0]
    models[2:] = models[2:].round(1)
    return models, brains


def test_spearman_matrix_equals_scipy_with_ties(rdms):
    models, brains = rdms
    expected = [[spearmanr(model, brain).statistic for brain in brains] for model in models]
    np.testing.assert_allclose(spearman_matrix(models, brains), expected, atol=1e-14)


def test_spearman_matrix_equals_rsatoolbox(rdms):
    from rsatoolbox.rdm import RDMs, compare

    models, brains = rdms
    theirs = compare(RDMs(models), RDMs(brains), method="spearman")
    np.testing.assert_allclose(spearman_matrix(models, brains), theirs, atol=1e-13)


def test_ranks_of_ties_are_averages():
    np.testing.assert_array_equal(ranks(np.array([[3, 1, 3, 2]])), [[3.5, 1, 3.5, 2]])


def test_conventions_are_the_mean_rho_and_the_rho_of_the_mean(rdms):
    models, brains = rdms
    scores = spearman_matrix(models, with_mean(brains)) @ convention_weights(3)
    for place, model in enumerate(models):
        each = np.mean([spearmanr(model, brain).statistic for brain in brains])
        mean = spearmanr(model, brains.mean(axis=0)).statistic
        assert dict(zip(CONVENTIONS, scores[place], strict=True)) == {
            "per_subject": pytest.approx(each, abs=1e-13),
            "mean_rdm": pytest.approx(mean, abs=1e-13),
        }


def test_tables_of_different_conventions_are_refused():
    require_same_convention(["per_subject"], ["per_subject", "per_subject"])
    with pytest.raises(GuardError, match=r"mean_rdm.*per_subject"):
        require_same_convention(["mean_rdm"], ["per_subject"])
