"""Trials that allow no distance: each gets an error that names the stimulus and the remedy."""

import numpy as np
import pytest

from rulealign.errors import DataError
from rulealign.rsa.pattern_distances import crossnobis_rdm, euclidean_rdm

IDS = ["ant.jpg", "bee.jpg", "cat.jpg"]
STIMULUS, FOLD = np.tile([0, 1, 2], 4), np.repeat([1, 2, 3, 4], 3)


def patterns(count=12):
    return np.random.default_rng(0).standard_normal((count, 5))


def test_sound_trials_pass():
    assert crossnobis_rdm(patterns(), STIMULUS, FOLD, ids=IDS).shape == (3,)


@pytest.mark.parametrize("normalise", [False, True])
def test_stimuli_that_are_in_one_fold_only_are_named(normalise):
    stimulus, fold = np.array([0, 0, 1, 1, 2, 2, 0]), np.array([1, 1, 1, 1, 1, 1, 2])
    with pytest.raises(DataError, match=r"'bee.jpg' has no two trials .*\(2 such stim.*test-rep"):
        crossnobis_rdm(patterns(7), stimulus, fold, ids=IDS, normalise=normalise)


def test_a_single_fold_is_refused():
    with pytest.raises(DataError, match="'ant.jpg' has no two trials in different folds"):
        crossnobis_rdm(patterns(), STIMULUS, np.ones(12), ids=IDS)


def test_two_folds_leave_no_residuals_to_estimate_the_noise_from():
    sample = (patterns(6), STIMULUS[:6], FOLD[:6])
    with pytest.raises(DataError, match=r"noise cannot be estimated from 3 trials with 0 degrees"):
        crossnobis_rdm(*sample, ids=IDS)
    assert np.isfinite(crossnobis_rdm(*sample, ids=IDS, normalise=False)).all()


def test_trials_without_noise_have_no_precision():
    exact = patterns(3)[STIMULUS]
    with pytest.raises(DataError, match="noise cannot be estimated"):
        crossnobis_rdm(np.round(exact * 8), STIMULUS, FOLD, ids=IDS)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_trial_that_is_not_finite_names_its_stimulus(value):
    x = patterns()
    x[7, 2] = value
    with pytest.raises(DataError, match="a trial of 'bee.jpg' holds NaN or infinity"):
        crossnobis_rdm(x, STIMULUS, FOLD, ids=IDS)
    with pytest.raises(DataError, match="stimulus 'bee.jpg' holds NaN or infinity"):
        euclidean_rdm(x[6:9], ids=IDS)


def test_patterns_of_another_number_of_stimuli_are_refused():
    with pytest.raises(DataError, match=r"\(4, 5\) do not fit 3 ids"):
        euclidean_rdm(patterns(4), ids=IDS)
