"""Adjusted p-values against statsmodels, plain procedures and simulated families."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from rulealign.rsa.families import adjust_family, benjamini_hochberg, holm

ADJUST = {"fdr_bh": benjamini_hochberg, "holm": holm}


def families():
    rng = np.random.default_rng(0)
    for n in (1, 2, 5, 40):
        yield rng.random(n) ** 3
        yield (rng.random(n) ** 3 * 32).round() / 32  # ties, 0 and 1, as sign-flip tests give
    yield np.array([0.0, 0.0, 1.0, 1.0])


@pytest.mark.parametrize("method", ADJUST)
def test_adjusted_p_equal_statsmodels(method):
    for p in families():
        np.testing.assert_allclose(
            ADJUST[method](p), multipletests(p, method=method)[1], atol=1e-15, rtol=0
        )


def stepped_down(p, alpha):
    """Holm, as published: go up the sorted p until one exceeds alpha over those left."""
    rejected = np.zeros(len(p), dtype=bool)
    for done, place in enumerate(np.argsort(p, kind="stable")):
        if p[place] > alpha / (len(p) - done):
            break
        rejected[place] = True
    return rejected


def stepped_up(p, alpha):
    """Benjamini and Hochberg, as published: the largest k with p_(k) <= k alpha / n."""
    ordered = np.sort(p)
    fits = [k for k in range(1, len(p) + 1) if ordered[k - 1] <= k * alpha / len(p)]
    return p <= ordered[max(fits) - 1] if fits else np.zeros(len(p), dtype=bool)


@pytest.mark.parametrize(
    ("adjust", "plain"), [(holm, stepped_down), (benjamini_hochberg, stepped_up)]
)
def test_rejecting_at_alpha_is_the_published_procedure(adjust, plain):
    for p in families():
        for alpha in (0.011, 0.049, 0.27):  # at no multiple of a 32nd, where rounding decides
            np.testing.assert_array_equal(adjust(p) <= alpha, plain(p, alpha))


def test_a_family_worked_out_by_hand():
    p = {"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.5}
    results = adjust_family("rules", ["d", "a", "b", "c"], p, {})
    assert [result.name for result in results] == ["d", "a", "b", "c"]
    by_name = {result.name: result for result in results}
    # Holm: .01 x 4, .03 x 3, then .04 x 2 = .08 is raised to .09, then .5
    holms = {name: result.holm for name, result in by_name.items()}
    assert holms == pytest.approx({"a": 0.04, "b": 0.09, "c": 0.09, "d": 0.5})
    # BH: .5 x 4 / 4, .04 x 4 / 3 = .0533, .03 x 4 / 2 = .06 is lowered to .0533, .01 x 4
    rates = {name: result.benjamini_hochberg for name, result in by_name.items()}
    assert rates == pytest.approx({"a": 0.04, "b": 0.16 / 3, "c": 0.16 / 3, "d": 0.5})
    assert {(r.declared, r.reason) for r in results} == {(4, "")}
    assert by_name["b"].p == 0.04


def test_a_missing_p_is_counted_as_one_and_never_helps_the_others():
    declared, reasons = ["a", "b", "c"], {"b": "1 seed"}
    a, b, c = adjust_family("rules", declared, {"a": 0.01, "b": None, "c": 0.02}, reasons)
    full = adjust_family("rules", declared, {"a": 0.01, "b": 1.0, "c": 0.02}, {})
    assert (b.p, b.benjamini_hochberg, b.holm, b.reason) == (None, None, None, "1 seed")
    assert a.declared == 3
    for with_missing, whole in ((a, full[0]), (c, full[2])):
        assert with_missing.holm == whole.holm
        assert with_missing.benjamini_hochberg == whole.benjamini_hochberg
    assert a.holm == pytest.approx(0.03)  # 3 x .01 and not 2 x .01


def test_holm_keeps_the_familywise_error_and_bh_the_false_discoveries():
    # 10 comparisons, 4 of them true effects; null p uniform
    rng, families_wrong, false_shares = np.random.default_rng(1), [], []
    for _ in range(2000):
        p = rng.random(10)
        p[:4] /= 200
        families_wrong.append((holm(p)[4:] <= 0.05).any())
        rejected = benjamini_hochberg(p) <= 0.05
        false_shares.append(rejected[4:].sum() / max(rejected.sum(), 1))
    assert np.mean(families_wrong) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 2000)
    # BH's rate is exactly alpha times the share of true nulls
    assert np.mean(false_shares) == pytest.approx(0.05 * 6 / 10, abs=0.01)
