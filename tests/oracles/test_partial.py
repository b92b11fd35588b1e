"""Partial Spearman correlations against residuals by least squares, in all ways they are used."""

from functools import partial

import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from resampled import written_out
from rulealign.errors import DataError
from rulealign.rsa.bootstrap.spearman import bootstrap_spearman, resample_counts
from rulealign.rsa.compare import spearman_matrix
from rulealign.rsa.comparisons.spearman import Spearman
from rulealign.rsa.partial import partial_correlations, partial_from_products

N = 12
PAIRS = N * (N - 1) // 2


def rdms(n_rdms, seed, decimals=None):
    """Draw RDMs that all share something, so that controls have something to remove."""
    shared = np.random.default_rng(0).random((3, PAIRS))
    rng = np.random.default_rng(seed)
    values = rng.random((n_rdms, 3)) @ shared + 0.4 * rng.random((n_rdms, PAIRS))
    return values if decimals is None else values.round(decimals)


def partial_spearman(models, brains, controls, mask=None, **names):
    """Partial out controls with every stimulus drawn once."""
    correlate = partial(Spearman.scores, mask=mask)
    return partial_correlations(correlate, models, brains, controls, **names)


def plain_partial(model, brain, controls):
    """Rank, regress on the controls with an intercept, correlate what is left."""
    design = np.column_stack([np.ones(len(model)), *(rankdata(control) for control in controls)])
    left = []
    for rdm in (model, brain):
        ranked = rankdata(rdm)
        left.append(ranked - design @ np.linalg.lstsq(design, ranked, rcond=None)[0])
    return np.corrcoef(*left)[0, 1]


@pytest.mark.parametrize("decimals", [None, 1], ids=["no ties", "ties"])
@pytest.mark.parametrize("n_controls", [1, 2, 5])
@pytest.mark.parametrize("some_pairs", [False, True], ids=["all pairs", "masked"])
def test_partial_correlations_equal_correlated_residuals(n_controls, decimals, some_pairs):
    models, brains = rdms(4, 1, decimals), rdms(3, 2, decimals)
    controls = rdms(n_controls, 3, decimals)
    mask = np.random.default_rng(4).random(PAIRS) < 0.6 if some_pairs else np.ones(PAIRS, bool)
    found = partial_spearman(models, brains, controls, mask=mask if some_pairs else None)
    expected = [
        [plain_partial(m[mask], b[mask], controls[:, mask]) for b in brains] for m in models
    ]
    np.testing.assert_allclose(found, expected, atol=1e-12, rtol=0)
    assert np.abs(found - spearman_matrix(models, brains, mask=mask)).max() > 0.05


def test_one_control_is_the_closed_form():
    model, brain, control = rdms(1, 1), rdms(1, 2), rdms(1, 3)
    mb, mc, bc = (
        spearmanr(one[0], other[0]).statistic
        for one, other in ((model, brain), (model, control), (brain, control))
    )
    expected = (mb - mc * bc) / np.sqrt((1 - mc**2) * (1 - bc**2))
    found = partial_spearman(model, brain, control).item()
    assert found == pytest.approx(expected, abs=1e-13)


def test_several_controls_are_the_inverse_of_the_correlation_matrix():
    # a third way: -P_mb / sqrt(P_mm P_bb), with P the inverse of all RDMs' rank correlations
    both, controls = np.vstack([rdms(1, 1), rdms(1, 2)]), rdms(4, 3)
    precision = np.linalg.inv(spearmanr(np.vstack([both, controls]).T).statistic)
    expected = -precision[0, 1] / np.sqrt(precision[0, 0] * precision[1, 1])
    found = partial_spearman(both[0], both[1], controls).item()
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("decimals", [None, 1], ids=["no ties", "ties"])
def test_draws_equal_writing_the_resample_out_and_correlating_residuals(decimals):
    models, brains, controls = rdms(3, 1, decimals), rdms(2, 2, decimals), rdms(3, 3, decimals)
    counts = resample_counts(N, draws=25, seed=5)
    correlate = partial(bootstrap_spearman, counts=counts)
    found = partial_correlations(correlate, models, brains, controls)
    assert found.shape == (25, 3, 2)
    for draw, count in enumerate(counts):
        model, brain, control = (
            [written_out(rdm, count) for rdm in some] for some in (models, brains, controls)
        )
        expected = [[plain_partial(m, b, control) for b in brain] for m in model]
        np.testing.assert_allclose(found[draw], expected, atol=1e-11, rtol=0)


def test_masked_draws_leave_the_masked_pairs_out_of_the_residuals():
    models, brains, controls = rdms(2, 1), rdms(2, 2), rdms(2, 3)
    counts, keep = resample_counts(N, draws=8, seed=5), np.random.default_rng(6).random(PAIRS) < 0.7
    correlate = partial(bootstrap_spearman, counts=counts, mask=keep)
    found = partial_correlations(correlate, models, brains, controls)
    for draw, count in enumerate(counts):
        kept = written_out(keep.astype(float), count) == 1
        model, brain, control = (
            [written_out(rdm, count)[kept] for rdm in some] for some in (models, brains, controls)
        )
        expected = [[plain_partial(m, b, control) for b in brain] for m in model]
        np.testing.assert_allclose(found[draw], expected, atol=1e-11, rtol=0)


def test_the_order_of_controls_does_not_matter():
    models, brains, controls = rdms(3, 1), rdms(2, 2), rdms(4, 3)
    found = partial_spearman(models, brains, controls[::-1])
    np.testing.assert_allclose(found, partial_spearman(models, brains, controls), atol=1e-12)


def test_what_only_the_control_explains_is_removed_and_the_rest_stays():
    # ranks of normal values: model and brain share the control (and, in the second, more)
    rng, size = np.random.default_rng(0), 600 * 599 // 2
    control, more, one, other = rng.standard_normal((4, size))
    only = partial_spearman(control + one, control + other, control).item()
    both = partial_spearman(control + more + one, control + more + other, control).item()
    assert spearman_matrix(control + one, control + other).item() > 0.45
    assert abs(only) < 0.02
    assert both == pytest.approx(6 / np.pi * np.arcsin(0.5 / 2), abs=0.03)


def test_nothing_given_is_changed():
    given = [spearman_matrix(rdms(3, one), rdms(2, other)) for one, other in ((1, 2), (1, 3))]
    given += [spearman_matrix(rdms(2, one), rdms(2, 3)) for one in (2, 3)]
    copies = [one.copy() for one in given]
    partial_from_products(*given)
    for one, copy in zip(given, copies, strict=True):
        np.testing.assert_array_equal(one, copy)


NAMES = {
    "model_names": ["conv1", "pixels"],
    "brain_names": ["one", "two"],
    "control_names": ["pixels", "luminance", "contrast"],
}


def test_a_model_that_is_a_control_is_refused_and_named():
    controls, brains = rdms(3, 3), rdms(2, 2)
    models = np.stack([rdms(1, 1)[0], np.exp(controls[0])])  # the same ranks
    with pytest.raises(DataError, match=r"^pixels: the controls leave .* of its rank variance"):
        partial_spearman(models, brains, controls, **NAMES)


def test_a_model_that_is_a_combination_of_the_controls_ranks_is_refused():
    # pairs of two disjoint groups: mid-ranks of three levels are made of two indicators' mid-ranks
    group = np.random.default_rng(7).integers(0, 3, PAIRS)
    controls = np.stack([group == 1, group == 2]).astype(float)
    models = np.stack([rdms(1, 1)[0], group])
    assert partial_spearman(models, rdms(2, 2), controls[:1]).shape == (2, 2)
    with pytest.raises(DataError, match=r"^model RDM 1: .*in ranks it is a combination of the con"):
        partial_spearman(models, rdms(2, 2), controls)
    reverse = -rdms(1, 3)  # its ranks are a constant less the control's
    with pytest.raises(DataError, match=r"^model RDM 0: .*in ranks it is a combination of the con"):
        partial_spearman(reverse, rdms(2, 2), rdms(1, 3))


def test_a_brain_that_is_a_control_is_refused_and_named():
    controls = rdms(3, 3)
    with pytest.raises(DataError, match=r"^two: the controls leave"):
        partial_spearman(rdms(2, 1), np.stack([rdms(1, 2)[0], controls[2]]), controls, **NAMES)


def test_a_control_that_adds_nothing_is_refused_and_named():
    controls = rdms(3, 3)
    controls[2] = controls[1] ** 3
    with pytest.raises(DataError, match=r"^contrast: those before it leave"):
        partial_spearman(rdms(2, 1), rdms(2, 2), controls, **NAMES)


def test_a_refusal_in_a_draw_says_which():
    # conv1 is the control but for stimulus 0, which draw 1 does not have
    control = rdms(1, 3)
    model = np.where(np.triu_indices(N, 1)[0] == 0, rdms(1, 1), control)
    counts = np.ones((2, N), dtype=np.int64)
    counts[1, :2] = [0, 2]
    correlate = partial(bootstrap_spearman, counts=counts)
    with pytest.raises(DataError, match=r"^model RDM 0, in draw 1: the controls leave"):
        partial_correlations(correlate, model, rdms(1, 2), control)


def test_no_control_is_refused():
    with pytest.raises(DataError, match="at least one control"):
        partial_correlations(spearman_matrix, rdms(2, 1), rdms(2, 2), np.empty((0, PAIRS)))


def test_faulty_controls_are_named_as_controls():
    controls = rdms(3, 3)
    controls[1] = 0.5
    with pytest.raises(DataError, match=r"^brain RDM 3 is constant"):  # after two brains
        partial_spearman(rdms(2, 1), rdms(2, 2), controls, **NAMES)
