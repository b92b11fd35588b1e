"""Tests and effect sizes over seeds against scipy, statsmodels, plain loops and hand sums."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.weightstats import CompareMeans, DescrStatsW

from rulealign.rsa.seeds import ALTERNATIVES, paired_d, sign_flip_test, unpaired_d


def drawn(n, seed, mean=0.3):
    return np.random.default_rng(seed).normal(mean, 1, n)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize("n", [2, 3, 5, 8, 11])
def test_p_equals_scipys_exact_permutation_test(n, alternative):
    for seed in range(4):
        differences = drawn(n, seed)
        theirs = stats.permutation_test(
            (differences,),
            np.mean,
            permutation_type="samples",
            n_resamples=np.inf,
            alternative=alternative,
        )
        ours = sign_flip_test(differences, alternative)
        assert ours.p == pytest.approx(theirs.pvalue, abs=1e-15)


@pytest.mark.parametrize("alternative", ALTERNATIVES)
@pytest.mark.parametrize(
    "thirds", [[1, 2, -3], [1, 1, 1, 1], [3, -1, -1, 0, 2], [0, 0], [-1, 4, 1]]
)
def test_p_equals_counting_patterns_in_exact_fractions(thirds, alternative):
    # thirds of a tenth are not exact in binary: ties must survive the rounding of their sums
    observed, count = Fraction(sum(thirds)), 0
    for signs in product([1, -1], repeat=len(thirds)):
        flipped = Fraction(sum(s * value for s, value in zip(signs, thirds, strict=True)))
        count += {
            "greater": flipped >= observed,
            "less": flipped <= observed,
            "two-sided": abs(flipped) >= abs(observed),
        }[alternative]
    for scale in (0.1 / 3, 1e-9 / 3, 1e5 / 3):
        ours = sign_flip_test(np.array(thirds) * scale, alternative)
        assert ours.p == count / 2 ** len(thirds)


def test_the_floor_is_reached_by_the_clearest_differences():
    one = sign_flip_test(np.array([0.1, 0.2, 0.1, 0.3, 0.2]), "greater")
    assert one.p == one.floor == 1 / 32
    both = sign_flip_test(np.array([0.1, 0.2, 0.1, 0.3, 0.2]), "two-sided")
    assert both.p == both.floor == 2 / 32
    assert sign_flip_test(-np.array([0.1, 0.2, 0.1]), "less").p == 1 / 8
    assert sign_flip_test(-np.array([0.1, 0.2, 0.1]), "greater").p == 1


def test_null_p_is_never_too_small_too_often():
    # exact: P(p <= k / 2^n) = k / 2^n for continuous symmetric differences
    rng = np.random.default_rng(0)
    p = np.array([sign_flip_test(rng.normal(size=5), "greater").p for _ in range(2000)])
    for share in (1 / 32, 4 / 32, 16 / 32):
        spread = np.sqrt(share * (1 - share) / 2000)
        assert np.mean(p <= share) == pytest.approx(share, abs=4 * spread)


def test_paired_d_is_the_paired_t_over_the_root_of_n():
    one, other = drawn(7, 1), drawn(7, 2, mean=0)
    theirs = stats.ttest_rel(one, other).statistic / np.sqrt(7)
    effect = paired_d(one - other)
    assert effect.value == pytest.approx(theirs, abs=1e-13)


def test_unpaired_d_is_that_of_statsmodels_and_the_unpaired_t():
    one, other = drawn(7, 1), drawn(4, 2, mean=0)
    effect = unpaired_d(one, other)
    t = stats.ttest_ind(one, other).statistic
    assert effect.value == pytest.approx(t * np.sqrt(1 / 7 + 1 / 4), abs=1e-13)
    means = CompareMeans(DescrStatsW(one), DescrStatsW(other))
    error = means.std_meandiff_pooledvar  # standard deviation times the same root
    theirs = (one.mean() - other.mean()) / (error / np.sqrt(1 / 7 + 1 / 4))
    assert effect.value == pytest.approx(theirs, abs=1e-13)


def test_effect_sizes_worked_out_by_hand():
    # differences 1 2 3: mean 2, variance ((1 + 0 + 1) / 2)
    assert paired_d(np.array([1.0, 2, 3])).value == 2
    # sides 1 2 3 and 0 0 0: means 2 and 0, pooled variance (2 + 0) / 4
    assert unpaired_d(np.array([1.0, 2, 3]), np.zeros(3)).value == pytest.approx(2 * np.sqrt(2))
    assert unpaired_d(np.zeros(3), np.array([1.0, 2, 3])).value == pytest.approx(-2 * np.sqrt(2))


def test_as_few_and_as_many_seeds_as_a_test_can_have():
    few = np.array([1.0, 1.02])  # two seeds that happen to agree make a d of 71
    for found in (paired_d(few), unpaired_d(few, np.zeros(5))):
        assert found.value is None
        assert "needs 3 of them, not 2" in found.reason
    twenty = sign_flip_test(np.arange(1.0, 21), "greater")
    assert twenty.p == twenty.floor == 1 / 2**20
    more = sign_flip_test(np.arange(1.0, 22), "greater")
    assert more.p is None
    assert "at most 20" in more.reason
