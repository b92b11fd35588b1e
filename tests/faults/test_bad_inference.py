"""Seeds, families and subjects from which nothing can be inferred: refused, or missing and why."""

import numpy as np
import pytest

from rulealign.errors import ConfigurationError, DataError
from rulealign.rsa.bootstrap.subjects import (
    crossed_draws,
    crossed_interval,
    subject_counts,
    subject_draws,
)
from rulealign.rsa.families import adjust_family
from rulealign.rsa.seeds import paired_d, sign_flip_test, unpaired_d
from validation.corrected import subject_interval


def test_one_seed_has_neither_p_nor_effect_size_but_a_reason():
    test = sign_flip_test(np.array([0.3]), "greater")
    assert (test.p, test.floor) == (None, None)
    assert "1 seed" in test.reason
    assert "at least 2 seeds" in test.reason
    assert paired_d(np.array([0.3])).value is None
    assert "over seeds needs 3 of them, not 1" in paired_d(np.array([0.3])).reason
    unpaired = unpaired_d(np.array([0.3, 0.4]), np.array([0.1]))
    assert unpaired.value is None
    assert "needs 3 of them, not 1" in unpaired.reason


@pytest.mark.parametrize("value", [0.0, 0.1, -7.3])
def test_seeds_that_do_not_vary_have_no_effect_size(value):
    equal = np.full(5, value)
    rounded = equal * (1 + np.array([0, 1, -1, 2, 0]) * 1e-16)
    for differences in (equal, rounded):
        assert paired_d(differences).value is None
        assert "all seeds are equal" in paired_d(differences).reason
        assert unpaired_d(differences, equal).value is None
        assert "neither side varies" in unpaired_d(differences, equal).reason
    assert sign_flip_test(equal, "two-sided").p == (1 if value == 0 else 2 / 32)


@pytest.mark.parametrize("test", [lambda d: sign_flip_test(d, "greater"), paired_d])
def test_a_seed_without_a_score_is_named(test):
    with pytest.raises(DataError, match="differences are nan at place 2"):
        test(np.array([0.1, 0.2, np.nan]))
    with pytest.raises(DataError, match=r"shape \(0,\)"):
        test(np.array([]))
    with pytest.raises(DataError, match="scores of the other side are inf at place 0"):
        unpaired_d(np.array([0.1, 0.2]), np.array([np.inf, 1]))


def test_a_test_that_cannot_be_exact_has_no_p_and_an_unknown_one_is_refused():
    many = sign_flip_test(np.ones(21), "greater")
    assert (many.p, many.floor) == (None, None)
    assert "21 seeds have too many sign patterns" in many.reason
    with pytest.raises(ConfigurationError, match="no alternative 'larger'"):
        sign_flip_test(np.ones(5), "larger")


def adjusted(p_values, declared=("a", "b"), reasons=None):
    return adjust_family("rules", declared, p_values, reasons or {})


@pytest.mark.parametrize(
    ("p_values", "message"),
    [
        ({"a": 0.1}, "'b' has no p-value"),
        ({"a": 0.1, "b": 0.2, "c": 0.01}, "'c' was not declared before the run"),
        ({"a": 0.1, "b": None}, "comparison 'b': its p is missing without a reason"),
        ({"a": 0.1, "b": float("nan")}, "comparison 'b': p = nan is no number from 0 to 1"),
        ({"a": -0.1, "b": 0.2}, "comparison 'a': p = -0.1"),
        ({"a": 0.1, "b": 1.1}, "comparison 'b': p = 1.1"),
    ],
)
def test_a_family_that_is_not_whole_is_refused(p_values, message):
    with pytest.raises(DataError, match=f"family 'rules'.*{message}"):
        adjusted(p_values)


def test_a_family_declared_wrongly_is_refused():
    with pytest.raises(DataError, match="family 'rules' has no comparison"):
        adjusted({}, declared=())
    with pytest.raises(DataError, match="declares 'a' 2 times"):
        adjusted({"a": 0.1, "b": 0.1}, declared=("a", "b", "a"))
    with pytest.raises(DataError, match="has p = 0.1 and yet a reason to be missing: 1 seed"):
        adjusted({"a": 0.1, "b": 0.1}, reasons={"a": "1 seed"})


def scores(n_subjects, n_scores=2, n_draws=120):
    rng = np.random.default_rng(0)
    rho = rng.random((n_scores, n_subjects))
    counts = rng.multinomial(n_subjects, np.full(n_subjects, 1 / n_subjects), size=n_draws)
    return rho, rho + 0.1 * rng.random((n_draws, n_scores, n_subjects)), counts


@pytest.mark.parametrize("n_subjects", [1, 2])
def test_fewer_than_3_subjects_are_refused_by_number(n_subjects):
    rho, drawn, counts = scores(n_subjects)
    for attempt in (
        lambda: subject_counts(n_subjects, 10, seed=1),
        lambda: subject_draws(rho, counts),
        lambda: crossed_draws(drawn, counts),
        lambda: subject_interval(rho, counts, 0.95),
        lambda: crossed_interval(rho, drawn, counts, 20, 0.95),
    ):
        with pytest.raises(DataError, match=f"needs at least 3 of them .*not {n_subjects}"):
            attempt()


def test_scores_and_resamples_that_do_not_belong_together_are_refused():
    rho, drawn, counts = scores(5)
    other = scores(6)[2]
    with pytest.raises(DataError, match="scores of 5 subjects do not fit resamples of 6"):
        subject_interval(rho, other, 0.95)
    with pytest.raises(DataError, match="scores of 5 subjects do not fit resamples of 5"):
        subject_draws(rho, counts + 1)
    with pytest.raises(DataError, match="119 draws of stimuli do not fit 120 of subjects"):
        crossed_draws(drawn[1:], counts)
    with pytest.raises(DataError, match=r"\(1, 5\) do not fit draws of \(2, 5\)"):
        crossed_interval(rho[:1], drawn, counts, 20, 0.95)


def test_a_subject_without_a_score_or_without_a_difference_is_named():
    rho, drawn, counts = scores(5)
    drawn[7, 1, 3] = np.nan
    with pytest.raises(DataError, match=r"the score at \(7, 1, 3\) is nan"):
        crossed_interval(rho, drawn, counts, 20, 0.95)
    for constant in (0, 0.25, 0.1 / 3):
        rho[1] = constant
        with pytest.raises(DataError, match="score 1 is the same in every resample of subjects"):
            subject_interval(rho, counts, 0.95)


def test_too_few_draws_for_a_variance_are_refused():
    rho, drawn, counts = scores(5, n_draws=99)
    with pytest.raises(DataError, match="needs 100 draws or more, not 99"):
        subject_interval(rho, counts, 0.95)
    with pytest.raises(DataError, match="needs 100 draws or more, not 99"):
        crossed_interval(rho, drawn, counts, 20, 0.95)
