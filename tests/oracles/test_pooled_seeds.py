"""The variance over few seeds, against plain loops and simulations with a known truth."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kstest

from rulealign.rsa.bootstrap.pooled_seeds import (
    ONLY,
    OWN,
    POOLED,
    Term,
    effects_alike,
    seeds_part,
)

PLACE = ("conv1", "V1")
RULES = ("bp", "fa", "pc", "stdp")
SD = {"start": 0.02, "change": 0.05, "shared": 0.03}


def courses_of(rng, seeds=2, sd=SD):
    """Draw scores: a start that rules share, a change they share, and one of each rule's own."""
    start, shared = (sd[name] * rng.normal(size=seeds) for name in ("start", "shared"))
    own = {rule: sd["change"] * rng.normal(size=seeds) for rule in RULES}
    made = {rule: pd.DataFrame({0: start, 1: start + shared + own[rule]}) for rule in RULES}
    return made | {"control": pd.DataFrame({0: start})}


def alike(weights, courses):
    return effects_alike(weights, RULES, lambda rule, _: courses.get(rule))


def term(rule, epoch):
    return Term(rule, epoch, PLACE)


DROP = {term("bp", 1): 1.0, term("bp", 0): -1.0}
LESS = {term("bp", 1): 1.0, term("fa", 1): -1.0}
CONTROL = {term("bp", 1): 1.0, term("control", 0): -1.0}
LEVEL = {term("bp", 1): 1.0}
TRUTH = {  # of the effect with one seed
    "drop": (DROP, SD["shared"] ** 2 + SD["change"] ** 2),
    "less": (LESS, 2 * SD["change"] ** 2),
    "control": (CONTROL, SD["shared"] ** 2 + SD["change"] ** 2),
    "level": (LEVEL, sum(sd**2 for sd in SD.values())),
}


@pytest.mark.parametrize("name", TRUTH)
def test_the_pooled_variance_is_that_of_the_effect_whatever_seeds_share(name):
    weights, truth = TRUTH[name]
    rng, found = np.random.default_rng(1), []
    for _ in range(1500):
        part, how = seeds_part(np.zeros(2), lambda: alike(weights, courses_of(rng)))
        assert how == POOLED
        found.append(part.variance)
    assert np.mean(found) == pytest.approx(truth, rel=0.1)


def test_of_differences_between_rules_the_freedom_is_that_of_rule_by_seed():
    rng, sums = np.random.default_rng(2), []
    for _ in range(600):
        part, _ = seeds_part(np.zeros(2), lambda: alike(LESS, courses_of(rng)))
        assert part.freedom == 3
        sums.append(part.variance * part.freedom / (2 * SD["change"] ** 2))
    assert kstest(sums, "chi2", args=(3,)).pvalue > 0.01


def test_every_choice_of_rules_is_a_plain_loop():
    rng = np.random.default_rng(3)
    courses = courses_of(rng, seeds=3)
    courses["pc"] = courses["pc"].drop(index=1)  # a rule with fewer seeds
    found = alike(LESS, courses)
    expected = []
    for one, two in itertools.permutations(RULES, 2):
        seeds = sorted(set(courses[one].index) & set(courses[two].index))
        expected.append([courses[one].loc[s, 1] - courses[two].loc[s, 1] for s in seeds])
    assert len(found.effects) == len(expected) == 12
    for values, wanted in zip(found.effects, expected, strict=True):
        np.testing.assert_allclose(values, wanted)
    assert found.independent == 3


def test_a_rule_without_the_scores_is_left_out_and_others_stay():
    courses = courses_of(np.random.default_rng(4))
    courses["stdp"] = courses["stdp"].drop(columns=1)
    del courses["pc"]
    assert (len(alike(DROP, courses).effects), alike(DROP, courses).independent) == (2, 2)
    assert (len(alike(LESS, courses).effects), alike(LESS, courses).independent) == (2, 1)


def test_what_has_three_seeds_is_its_own_and_what_has_too_few_is_of_these_seeds_only():
    courses = courses_of(np.random.default_rng(5))
    values = np.array([0.1, 0.3, 0.2])
    part, how = seeds_part(values, lambda: pytest.fail("asked without need"))
    assert (how, part.variance, part.freedom) == (OWN, pytest.approx(0.01), 2)
    # an effect without a trained rule is alike to nothing
    untrained = {term("control", 0): 1.0}
    assert seeds_part(np.zeros(2), lambda: alike(untrained, courses)) == (None, ONLY)
    single = courses_of(np.random.default_rng(6), seeds=1)
    assert seeds_part(np.zeros(1), lambda: alike(DROP, single)) == (None, ONLY)
